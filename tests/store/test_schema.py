"""Migrations give the tables of the code, cheaply, and refuse what they do not know."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from twisted.trial.unittest import SynchronousTestCase

from quantumd.errors import EdgeUnavailable, SettingsError
from quantumd.store.engine import database_url, require_driver, shown_url, writer_engine
from quantumd.store.schema import HEAD, REVISIONS, Upgrade, ensure_schema
from quantumd.store.tables import metadata
from tests.bed.needs import CHECKOUT

_START = "from quantumd.store.schema import ensure_schema; import sys; print(ensure_schema(sys.argv[1]).before);"


class SchemaTests(SynchronousTestCase):
    """``ensure_schema``."""

    def setUp(self) -> None:
        """Name a database that is not there."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-schema-")
        self.addCleanup(folder.cleanup)
        self.url = f"sqlite:///{os.path.join(folder.name, 'new.db')}"

    def _execute(self, *statements: str) -> None:
        engine = writer_engine(database_url(self.url))
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def test_an_empty_database_gets_the_tables(self) -> None:
        """The migrated schema is the one that tables.py declares: Alembic finds no difference."""
        self.assertEqual(ensure_schema(self.url), Upgrade(None, HEAD))
        engine = writer_engine(database_url(self.url))
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
        self.assertEqual(found, [])

    def test_repeating_is_harmless(self) -> None:
        """A database at the newest revision is left alone."""
        ensure_schema(self.url)
        self.assertFalse(ensure_schema(self.url).is_changed)

    def test_the_constants_name_every_step(self) -> None:
        """REVISIONS lists what is in migrations/versions, in order."""
        config = Config()
        config.set_main_option("script_location", "quantumd.store:migrations")
        config.set_main_option("path_separator", "os")
        steps = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
        self.assertEqual(tuple(reversed(steps)), REVISIONS)

    def test_a_newer_database_is_refused(self) -> None:
        """A database of a newer quantumd stops the start with a sentence that says so."""
        ensure_schema(self.url)
        self._execute("UPDATE alembic_version SET version_num = '9999'")
        error = self.assertRaises(SettingsError, ensure_schema, self.url)
        self.assertIn("newer quantumd", str(error))

    def test_tables_of_strangers_are_refused(self) -> None:
        """A database that holds somebody else's tables is not touched."""
        self._execute("CREATE TABLE theirs (id INTEGER)")
        error = self.assertRaises(SettingsError, ensure_schema, self.url)
        self.assertIn("did not make", str(error))

    def test_a_database_that_cannot_be_opened_is_named(self) -> None:
        """A folder that is missing gives a sentence with the URL."""
        error = self.assertRaises(EdgeUnavailable, ensure_schema, "sqlite:////nowhere/at/all.db")
        self.assertIn("/nowhere/at/all.db", str(error))

    def test_a_start_without_work_does_not_import_alembic(self) -> None:
        """Alembic costs 0.3 s and megabytes; a start that finds the newest schema does without."""
        ensure_schema(self.url)
        answer = self._python(_START + "print('alembic' in sys.modules)")
        self.assertEqual(answer.split(), [HEAD, "False"])

    def test_two_processes_may_start_at_once(self) -> None:
        """Of two processes that find an empty database one makes the tables and the other waits for it."""
        command = [sys.executable, "-c", _START, self.url]
        started = [subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        answers = [process.communicate(timeout=60)[0].strip() for process in started]
        self.assertEqual(sorted(answers), [HEAD, "None"])

    def _python(self, program: str) -> str:
        command = [sys.executable, "-c", program, self.url]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60).stdout


class UrlTests(SynchronousTestCase):
    """What is said of a URL."""

    def test_what_speaks_to_a_database_must_be_installed(self) -> None:
        """A sentence names what is missing and what brings it; SQLite needs nothing. The password is not in it."""
        require_driver(database_url("sqlite:////var/lib/x.db"), find=lambda package: None)
        require_driver(database_url("mariadb://u:p@h/d"), find=lambda package: package == "pymysql")
        url = database_url("postgresql://u:secret@h/d")
        with self.assertRaisesRegex(
            SettingsError, r"psycopg is not installed; quantumd\[postgresql\] brings it"
        ) as found:
            require_driver(url, find=lambda package: None)
        self.assertNotIn("secret", str(found.exception))

    def test_passwords_are_not_shown(self) -> None:
        """A URL with a password that is refused is shown without it."""
        error = self.assertRaises(SettingsError, database_url, "oracle://user:secret@host/db")
        self.assertNotIn("secret", str(error))
        self.assertIn("user:***@host", str(error))

    def test_a_url_that_cannot_be_read_is_not_quoted(self) -> None:
        """What cannot be parsed may hold a password anywhere."""
        error = self.assertRaises(SettingsError, database_url, "secret")
        self.assertNotIn("secret", str(error))

    def test_a_file_is_shown(self) -> None:
        """A file's URL is shown as it is."""
        self.assertEqual(shown_url(database_url("sqlite:////var/lib/x.db")), "sqlite:////var/lib/x.db")

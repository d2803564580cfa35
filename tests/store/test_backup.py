"""A backup is one moment of the database, made while others write."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from quantumd.errors import EdgeUnavailable, SettingsError
from quantumd.store.backup import back_up
from quantumd.store.errors import BackupExists
from tests.contracts.store import add
from tests.store.bed import StoreCase


class BackupTests(StoreCase):
    """back_up."""

    async def test_a_backup_holds_what_was_there(self) -> None:
        """The copy is a whole database of one file, readable by its owner only."""
        await self.store.write(add("a"))
        target = f"{self.path}.backup"
        size = await deferToThread(back_up, self.url, target)
        self.assertEqual(_names(target), ["a"])
        self.assertEqual((os.path.getsize(target), stat.S_IMODE(os.stat(target).st_mode)), (size, 0o600))
        self.assertEqual(_beside(target), [os.path.basename(target)])

    async def test_writers_go_on(self) -> None:
        """While a backup runs changes are written; the backup ends and is one moment of them."""
        await self.store.write(lambda t: [add(f"before-{number:05}" + "x" * 40)(t) for number in range(20_000)])
        written: list[str] = []

        async def write() -> None:
            while not backup.called:
                written.append(await self.store.write(add(f"during-{len(written):05}")))

        target = f"{self.path}.backup"
        backup = deferToThread(back_up, self.url, target)
        writing = Deferred.fromCoroutine(write())
        await backup
        await writing
        names = _names(target)
        during = [name for name in names if name.startswith("during")]
        self.assertEqual(len(names) - len(during), 20_000)
        # How many there is time for hangs on how fast the disk flushes.
        self.assertGreater(len(written), 1)
        self.assertEqual(during, written[: len(during)])

    async def test_a_file_is_never_replaced(self) -> None:
        """A backup to a file that exists is refused, and the file stays."""
        target = f"{self.path}.backup"
        with open(target, "w", encoding="utf-8") as file:
            file.write("mine")
        self.assertRaises(BackupExists, back_up, self.url, target)
        with open(target, encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")

    async def test_a_stopped_database_can_be_backed_up(self) -> None:
        """No process need have the database open."""
        await self.store.write(add("a"))
        await self.store.stop()
        target = f"{self.path}.backup"
        back_up(self.url, target)
        self.assertEqual(_names(target), ["a"])

    async def test_failures_leave_nothing(self) -> None:
        """A backup that fails says why and leaves no file."""
        target = f"{self.path}.backup"
        error = self.assertRaises(EdgeUnavailable, back_up, f"{self.url}-missing", target)
        self.assertIn(target, str(error))
        self.assertEqual(_beside(target), [])

    async def test_memory_cannot_be_backed_up(self) -> None:
        """A database in memory is of this process only."""
        self.assertRaises(SettingsError, back_up, "sqlite://", f"{self.path}.backup")

    async def test_servers_have_programs_of_their_own(self) -> None:
        """Who asks for a backup of PostgreSQL or MariaDB is told what makes one, and no password is shown."""
        for kind, program in (("postgresql", "pg_dump"), ("mariadb", "mariadb-dump")):
            url = f"{kind}://user:secret@host/db"
            error = self.assertRaises(SettingsError, back_up, url, f"{self.path}.backup")
            self.assertIn(program, str(error))
            self.assertNotIn("secret", str(error))


def _names(path: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM cursors ORDER BY name")]


def _beside(target: str) -> list[str]:
    folder, name = os.path.split(target)
    return [found for found in os.listdir(folder) if found.startswith(name)]

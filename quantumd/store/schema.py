"""Bringing a database to the tables that this code knows."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from sqlalchemy import URL, Connection, Engine, event, inspect
from sqlalchemy.exc import DBAPIError
from twisted.logger import Logger

from quantumd.errors import EdgeUnavailable, SettingsError
from quantumd.store.connecting import sentence_of
from quantumd.store.databases import Database
from quantumd.store.engine import database_of, database_url, require_driver, shown_url

REVISIONS = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012", "0014"),
    *("0015", "0016", "0017", "0018", "0019", "0020", "0021", "0022", "0023", "0024", "0025", "0026", "0027", "0028"),
    *("0029", "0030"),
)
"""Every step in migrations/versions, in order."""

HEAD = REVISIONS[-1]
"""The revision that this code works with."""

log = Logger()


@frozen
class Upgrade:
    """What ``ensure_schema`` found and did. ``before`` is None for a database that was empty."""

    before: str | None
    after: str

    @property
    def is_changed(self) -> bool:
        """Whether there was anything to do."""
        return self.before != self.after


def ensure_schema(url: str, target: str = HEAD) -> Upgrade:
    """Create or upgrade the tables; harmless to repeat and in several processes at once.

    On SQLite and PostgreSQL that happens whole or not at all; on MariaDB what was cut short goes on with the next call.

    Blocks, so it is called before the reactor runs. When nothing is to be done it takes a few milliseconds: Alembic,
    whose import takes 0.3 s, is imported only for an upgrade.

    :param target: another revision than that of this code, for tests of upgrades.
    :raises SettingsError: the database was made by a newer quantumd, or holds tables of somebody else, or what speaks
        to it is not installed.
    :raises EdgeUnavailable: it cannot be opened or is locked.
    """
    parsed = database_url(url)
    require_driver(parsed)
    database = database_of(parsed)
    engine = database.upgrade_engine(parsed)
    try:
        return _ensure(engine, parsed, database, target)
    except (DBAPIError, OSError) as error:
        reason = sentence_of(error)
        raise EdgeUnavailable(f"The database {shown_url(parsed)} cannot be opened: {reason}") from None
    finally:
        engine.dispose()


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database, None when Alembic was never there."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def _ensure(engine: Engine, url: URL, database: Database, target: str) -> Upgrade:
    # From the look to the last step nobody else gets in: a second process that starts now waits here, and then
    # finds nothing to do.
    with engine.connect() as connection, connection.begin():
        database.lock_schema(connection)
        before = current_revision(connection)
        if before == target:
            return Upgrade(before, target)
        _refuse_strangers(connection, before, url)
        _fit_statements(connection, database)
        _upgrade(connection, target)
    message = "database {url} brought from revision {before} to {after}"
    log.info(message, url=shown_url(url), before=before, after=target)
    return Upgrade(before, target)


def _fit_statements(connection: Connection, database: Database) -> None:
    def fit(
        _connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _executemany: bool
    ) -> tuple[str, Any]:
        return database.fitted(statement), parameters

    event.listen(connection, "before_cursor_execute", fit, retval=True)


def _refuse_strangers(connection: Connection, revision: str | None, url: URL) -> None:
    if revision is None:
        names = inspect(connection).get_table_names()
        # An Alembic table without a revision is that of a first upgrade which was cut short.
        if names and "alembic_version" not in names:
            raise SettingsError(f"database.url {shown_url(url)}: holds tables that quantumd did not make")
    elif revision not in REVISIONS:
        raise SettingsError(
            f"database.url {shown_url(url)}: is at revision {revision}, made by a newer quantumd than this one, "
            f"which knows revisions up to {HEAD}; run the newer quantumd or restore a backup"
        )


def _upgrade(connection: Connection, target: str) -> None:
    from alembic import command  # imported here: see ensure_schema
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "quantumd.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, target)

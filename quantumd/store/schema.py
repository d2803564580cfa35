"""Bringing a database to the tables that this code knows."""

from __future__ import annotations

from attrs import frozen
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError
from twisted.logger import Logger

from quantumd.errors import EdgeUnavailable, SettingsError
from quantumd.store.engine import database_url, shown_url, writer_engine

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
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


def ensure_schema(url: str) -> Upgrade:
    """Create or upgrade the tables, whole or not at all; harmless to repeat and in several processes at once.

    Blocks, so it is called before the reactor runs. When nothing is to be done it takes a few milliseconds: Alembic,
    whose import takes 0.3 s, is imported only for an upgrade.

    :raises SettingsError: the database was made by a newer quantumd, or holds tables of somebody else.
    :raises EdgeUnavailable: it cannot be opened or is locked.
    """
    parsed = database_url(url)
    engine = writer_engine(parsed)
    try:
        return _ensure(engine, parsed)
    except (DBAPIError, OSError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise EdgeUnavailable(f"The database {shown_url(parsed)} cannot be opened: {reason}") from None
    finally:
        engine.dispose()


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database, None when Alembic was never there."""
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").all()
    if not names:
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def _ensure(engine: Engine, url: URL) -> Upgrade:
    # One write transaction from the look to the last step: a second process that starts now waits here, and then
    # finds nothing to do.
    with engine.connect() as connection, connection.begin():
        before = current_revision(connection)
        if before == HEAD:
            return Upgrade(before, HEAD)
        _refuse_strangers(connection, before, url)
        _upgrade(connection)
    log.info("database {url} brought from revision {before} to {after}", url=shown_url(url), before=before, after=HEAD)
    return Upgrade(before, HEAD)


def _refuse_strangers(connection: Connection, revision: str | None, url: URL) -> None:
    if revision is None:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").all()
        if tables:
            raise SettingsError(f"database.url {shown_url(url)}: holds tables that quantumd did not make")
    elif revision not in REVISIONS:
        raise SettingsError(
            f"database.url {shown_url(url)}: is at revision {revision}, made by a newer quantumd than this one, "
            f"which knows revisions up to {HEAD}; run the newer quantumd or restore a backup"
        )


def _upgrade(connection: Connection) -> None:
    from alembic import command  # imported here: see ensure_schema
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "quantumd.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)

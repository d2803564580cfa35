"""A copy of the database while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from quantumd.errors import EdgeUnavailable, SettingsError
from quantumd.store.engine import BUSY_TIMEOUT_MS, database_url, shown_url
from quantumd.store.errors import BackupExists

STEP_PAGES = 256
"""How much is copied at once: 1 MiB."""

REST_SECONDS = 0.005
"""The pause after each step, so that those who write get the disk."""


def back_up(url: str, target: str) -> int:
    """Copy the database as it is at this moment to a new file and return its size in bytes. Blocks; writers go on.

    The file appears under its name only when it is complete, checked and flushed. It is readable by its owner only.

    :raises BackupExists: there is a file of that name.
    :raises EdgeUnavailable: the database cannot be read, or the copy cannot be written.
    """
    parsed = database_url(url)
    if parsed.get_backend_name() != "sqlite":
        own = {"postgresql": "pg_dump", "mariadb": "mariadb-dump"}[parsed.get_backend_name()]
        raise SettingsError(f"database.url {shown_url(parsed)}: only SQLite is backed up here; use {own}")
    if not parsed.database or parsed.database == ":memory:":
        raise SettingsError(f"database.url {shown_url(parsed)}: a database in memory cannot be backed up")
    if os.path.lexists(target):
        raise BackupExists(target)
    part = f"{target}.part-{os.getpid()}"
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(parsed.database, part)
        _publish(part, target)
    except FileExistsError:
        raise BackupExists(target) from None
    except (sqlite3.Error, OSError) as error:
        raise EdgeUnavailable(f"The database was not backed up to {target}: {error}") from None
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)
    return os.path.getsize(target)


def _copy(source: str, target: str) -> None:
    with closing(sqlite3.connect(_read_only_uri(source), uri=True, isolation_level=None)) as reader:
        reader.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        # Without a transaction of our own around the copy, each commit of others would make it begin anew
        # (sqlite.org/backup.html); in WAL mode holding one keeps nobody from writing.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(target, isolation_level=None)) as writer:
            reader.backup(writer, pages=STEP_PAGES, sleep=REST_SECONDS)
            # One file that needs no other beside it, also where it is read from a disk that cannot be written.
            writer.execute("PRAGMA journal_mode=DELETE")
            (verdict,) = writer.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {verdict}")


def _publish(part: str, target: str) -> None:
    _flush(part)
    os.link(part, target)  # unlike a rename this never replaces a file
    _flush(str(Path(target).absolute().parent))


def _flush(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_only_uri(path: str) -> str:
    return f"{Path(path).absolute().as_uri()}?mode=ro"

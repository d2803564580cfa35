"""``quantumctl db``: the database as a file to look after."""

from __future__ import annotations

from pathlib import Path

from quantumd.config import Settings
from quantumd.store.backup import back_up
from quantumd.store.schema import ensure_schema


def upgrade(settings: Settings) -> int:
    """Bring the tables to this version, making the state directory if it is missing."""
    if not settings.database.url:
        Path(settings.host.state_dir).mkdir(mode=0o750, parents=True, exist_ok=True)
    done = ensure_schema(settings.database_url)
    if done.is_changed:
        print(f"database upgraded from {done.before or 'nothing'} to {done.after}")
    return 0


def backup(settings: Settings, file: Path) -> int:
    """Write a copy of the database that is whole as of one moment; a running quantumd goes on."""
    size = back_up(settings.database_url, str(file))
    print(f"wrote {file}, {size:,} bytes")
    return 0

"""A private PostgreSQL."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from attrs import define

from tests.bed.database_server import PASSWORD, DatabaseServer


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs; Debian keeps them off the PATH. None without one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    there = shutil.which("postgres")
    return None if there is None else Path(there).resolve().parent


@define(eq=False)
class PostgresqlServer(DatabaseServer):
    """PostgreSQL with its defaults, but for memory and where it listens."""

    user: str = "postgres"

    stop_signal = signal.SIGINT
    """The fast shutdown: it ends connections and writes a checkpoint."""

    def set_up(self) -> None:
        """See DatabaseServer."""
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "password").chmod(0o644)
        self.run(
            str(self._programs / "initdb"), "--no-sync", "--username=quantumd", "--pwfile=password", "--encoding=UTF8",
            "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256", "--pgdata=data",
        )  # fmt: skip

    def greet(self) -> None:
        """See DatabaseServer. ``initdb`` has made the user."""

    def command(self) -> tuple[str, ...]:
        """See DatabaseServer."""
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
            "shared_buffers": "64MB", "max_connections": 100, "fsync": "on",
        }  # fmt: skip
        given = (word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        return (str(self._programs / "postgres"), "-D", "data", *given)

    def url(self, database: str) -> str:
        """See DatabaseServer."""
        return f"postgresql://quantumd:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str) -> str:
        """See DatabaseServer."""
        return self.run(
            str(self._programs / "psql"), f"--host={self.folder}", f"--port={self.port}", "--username=quantumd",
            "--dbname=postgres", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", statement,
        )  # fmt: skip

    def client_environment(self) -> dict[str, str]:
        """Return by what ``psql``, typed in a shell, finds this server as its administrator."""
        return {
            "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "quantumd", "PGPASSWORD": PASSWORD,
            "PGDATABASE": "postgres",
        }  # fmt: skip

    def drop(self, database: str) -> None:
        """See DatabaseServer."""
        self.sql(f"DROP DATABASE {database} WITH (FORCE)")

    @property
    def _programs(self) -> Path:
        found = programs()
        if found is None:
            raise FileNotFoundError("postgres")
        return found

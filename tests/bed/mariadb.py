"""A private MariaDB."""

from __future__ import annotations

from attrs import define

from tests.bed.database_server import PASSWORD, DatabaseServer

PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb")


@define(eq=False)
class MariadbServer(DatabaseServer):
    """MariaDB with its defaults, but for memory and where it listens; databases are made in another character set."""

    user: str = "mysql"

    def set_up(self) -> None:
        """See DatabaseServer."""
        self.run(
            "mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data", "--skip-test-db",
            "--auth-root-authentication-method=normal",
        )  # fmt: skip

    def command(self) -> tuple[str, ...]:
        """See DatabaseServer."""
        return (
            "mariadbd", "--no-defaults", f"--datadir={self.folder}/data", f"--socket={self._socket}",
            f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={self.folder}/pid", "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=64M", "--innodb-flush-log-at-trx-commit=1",
            # Not what quantumd needs: its tables must not depend on it.
            "--character-set-server=latin1", "--collation-server=latin1_swedish_ci",
        )  # fmt: skip

    def greet(self) -> None:
        """See DatabaseServer."""
        self.sql(f"CREATE USER quantumd@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        self.sql("GRANT ALL ON `quantumd%`.* TO quantumd@'127.0.0.1'")

    def url(self, database: str) -> str:
        """See DatabaseServer."""
        return f"mariadb://quantumd:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str) -> str:
        """See DatabaseServer."""
        return self.run(
            "mariadb", "--no-defaults", f"--socket={self._socket}", "--user=root", "--batch", "--skip-column-names",
            f"--execute={statement}",
        )  # fmt: skip

    @property
    def _socket(self) -> str:
        return f"{self.folder}/socket"

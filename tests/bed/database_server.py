"""Private database servers: one process each, its data in a folder of its own, on a loopback port of its own.

They keep what is durable durable: their flushes are on. A server that cannot run as root runs as another user.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from pwd import getpwnam

from attrs import define, field

START_SECONDS = 60.0
STOP_SECONDS = 30.0
PASSWORD = "quantumd"


class DatabaseServerError(Exception):
    """A server did not start or stop; the end of its log is in the message."""


@define(eq=False)
class DatabaseServer(ABC):
    """A server. Children say how it is set up, started, asked and stopped.

    ``user`` is who it runs as when the tests run as root.
    """

    user: str
    folder: Path = field(init=False)
    port: int = field(init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Take a folder and a free port."""
        self.folder = Path(tempfile.mkdtemp(prefix="quantumd-db-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user, getpwnam(self.user).pw_gid)
        with socket.create_server(("127.0.0.1", 0)) as bound:
            self.port = bound.getsockname()[1]

    @abstractmethod
    def set_up(self) -> None:
        """Make what the server needs on its first start."""

    @abstractmethod
    def command(self) -> tuple[str, ...]:
        """What runs in the foreground until it is stopped."""

    @abstractmethod
    def url(self, database: str) -> str:
        """The ``database.url`` of a database."""

    @abstractmethod
    def sql(self, statement: str) -> str:
        """Run a statement as the administrator, in no particular database; return what it answered."""

    @abstractmethod
    def greet(self) -> None:
        """Make the user that quantumd is, once."""

    stop_signal = signal.SIGTERM

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise DatabaseServerError("the server was not started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def prepare(self) -> None:
        """Set it up and start it for the first time."""
        try:
            self.set_up()
            self.start()
            self.greet()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                # However the tests end, the server goes with them.
                ("setpriv", "--pdeathsig=KILL", *self._identity(), *self.command()),
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.sql("SELECT 1")
                return
            except subprocess.SubprocessError:
                if not self.is_running or time.monotonic() > deadline:
                    raise DatabaseServerError(self.log()[-4000:]) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it by SIGKILL: it has to recover at the next start."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it from answering, with its connections open."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        os.killpg(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop it and remove its folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, database: str) -> str:
        """Make an empty database and return its URL."""
        self.sql(f"CREATE DATABASE {database}")
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database."""
        self.sql(f"DROP DATABASE {database}")

    def log(self) -> str:
        """What the server has said."""
        return (self.folder / "server.log").read_text(errors="replace")

    def as_user(self, *command: str) -> tuple[str, ...]:
        """The command, run by ``user`` when the tests run as root."""
        return ("setpriv", *self._identity(), *command) if os.geteuid() == 0 else command

    def run(self, *command: str, said: str = "") -> str:
        """Run a program as ``user`` and return its output."""
        done = subprocess.run(
            self.as_user(*command), cwd=self.folder, input=said, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    def _identity(self) -> tuple[str, ...]:
        if os.geteuid() != 0:
            return ()
        return (f"--reuid={self.user}", f"--regid={getpwnam(self.user).pw_gid}", "--clear-groups")

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self.is_running:
            self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            raise DatabaseServerError(f"the server did not stop on {how.name}\n{self.log()[-4000:]}") from None

"""A private RabbitMQ: on loopback ports of its own, in a folder of its own, with an epmd of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from attrs import define, field

from tests.bed.certificates import make_certificate
from tests.bed.needs import PREFIX

PROGRAMS = Path("/usr/lib/rabbitmq/bin")
START_SECONDS = 90.0
STOP_SECONDS = 30.0
USER = "quantumd"
PASSWORD = "a secret of the tests"


class RabbitmqError(Exception):
    """It did not start or stop; the end of its log is in the message."""


def missing_rabbitmq() -> str | None:
    """Return why there can be none here, or None: for the ``skip`` attribute of a trial test case."""
    return None if (PROGRAMS / "rabbitmq-server").exists() else f"{PREFIX}rabbitmq-server"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


@define(eq=False)
class RabbitmqServer:
    """One broker. ``port`` speaks AMQP, ``tls_port`` the same over TLS by the certificate in ``ca_file``."""

    namespace: str = ""
    """The network namespace in which it runs, unless it is that of the test."""
    folder: Path = field(init=False)
    port: int = field(factory=_free_port, init=False)
    tls_port: int = field(factory=_free_port, init=False)
    _distribution_port: int = field(factory=_free_port, init=False)
    _epmd_port: int = field(factory=_free_port, init=False)
    _epmd: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Take a folder and write what the broker reads."""
        self.folder = Path(tempfile.mkdtemp(prefix="quantumd-mq-"))
        certificate, key = make_certificate("127.0.0.1")
        self.ca_file.write_bytes(certificate)
        (self.folder / "key.pem").write_bytes(key)
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(PASSWORD + "\n")
        (self.folder / "enabled_plugins").write_text("[].\n")
        lines = {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "listeners.ssl.1": f"127.0.0.1:{self.tls_port}",
            "ssl_options.cacertfile": self.ca_file,
            "ssl_options.certfile": self.ca_file,
            "ssl_options.keyfile": self.folder / "key.pem",
            "default_user": USER,
            "default_pass": PASSWORD,
            "loopback_users.quantumd": "true",
            "vm_memory_high_watermark.absolute": "512MiB",
            "disk_free_limit.absolute": "10MB",
            "log.console": "true",
            "log.file": "false",
        }
        text = "".join(f"{name} = {value}\n" for name, value in lines.items())
        (self.folder / "rabbitmq.conf").write_text(text)

    @property
    def inside(self) -> tuple[str, ...]:
        """What a command begins with that runs where it does."""
        return ("nsenter", f"--net=/run/netns/{self.namespace}") if self.namespace else ()

    @property
    def ca_file(self) -> Path:
        """The certificate by which the broker is checked."""
        return self.folder / "certificate.pem"

    @property
    def password_file(self) -> Path:
        """A file with the password of the user."""
        return self.folder / "password"

    @property
    def url(self) -> str:
        """Where it is, without the password."""
        return f"amqp://{USER}@127.0.0.1:{self.port}/"

    @property
    def tls_url(self) -> str:
        """The same over TLS."""
        return f"amqps://{USER}@127.0.0.1:{self.tls_port}/"

    def settings(self) -> dict[str, str]:
        """Return the settings with which quantumd tells this broker, in queues that are kept."""
        return {
            "notifications.enabled": "true",
            "notifications.durable": "true",
            "amqp.urls": json.dumps([self.url]),
            "amqp.password_file": str(self.password_file),
        }

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        if self._epmd is None:
            command = ("epmd", "-address", "127.0.0.1", "-port", str(self._epmd_port))
            self._epmd = self._spawn(*command)
        self._process = self._spawn(str(PROGRAMS / "rabbitmq-server"))
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RabbitmqError(self.log()[-4000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, by SIGKILL."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)

    def freeze(self) -> None:
        """Let its connections open and its answers come no more."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop it and remove its folder."""
        try:
            self.thaw()
            self.kill()
        finally:
            if self._epmd is not None:
                self._epmd.kill()
                self._epmd.wait(STOP_SECONDS)
            shutil.rmtree(self.folder, ignore_errors=True)

    def control(self, *words: str) -> str:
        """Run ``rabbitmqctl`` and return what it says."""
        done = subprocess.run(
            (str(PROGRAMS / "rabbitmqctl"), "--quiet", *words),
            env=self._environment(), cwd=self.folder, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout

    def client_environment(self) -> dict[str, str]:
        """Return by what ``rabbitmqctl``, typed in a shell, finds this broker and may command it."""
        named = ("HOME", "ERL_EPMD_PORT", "ERL_EPMD_ADDRESS", "RABBITMQ_NODENAME", "RABBITMQ_CONF_ENV_FILE")
        found = self._environment()
        # Debian's own program of that name first becomes another user, who may not read the cookie.
        return {**{name: found[name] for name in named}, "PATH": f"{PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin"}

    def shell(self, text: str) -> None:
        """Run lines of a page as an administrator does, in the folder."""
        subprocess.run(
            ("bash", "-euc", text), env=self._environment() | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
            cwd=self.folder, capture_output=True, timeout=120, check=True,
        )  # fmt: skip

    def log(self) -> str:
        """What it has said."""
        return (self.folder / "output.log").read_text(errors="replace")

    def _answers(self) -> bool:
        # A listener that is open before the broker is ready would take a connection and say nothing.
        if "Server startup complete" not in self.log()[self._said :]:
            return False
        if self.namespace:
            return True
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    _said: int = field(default=0, init=False)

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        log_path = self.folder / "output.log"
        self._said = log_path.stat().st_size if log_path.exists() else 0
        with log_path.open("ab") as log:
            return subprocess.Popen(
                # However the tests end, the broker goes with them.
                (*self.inside, "setpriv", "--pdeathsig=KILL", *command),
                cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"quantumd{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": loopback,
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "no-such-file"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
        }

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RabbitmqError(f"it did not stop on {how.name}\n{self.log()[-4000:]}") from None

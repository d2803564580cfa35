"""As much of systemd as the units in conf/systemd use, for machines without it: ``python -m tests.bed.unit_manager``.

It runs in the machine (a mount namespace), keeps listening sockets, starts services with them, and starts them again
when they end. It takes ``systemctl``'s commands from the program of that name that ``Machine`` puts on the PATH: one
connection to its socket each, a line of words, an answer. What it does not know it refuses.
"""

from __future__ import annotations

import os
import pwd
import shlex
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field

UNITS = Path("/etc/systemd/system")
_STOP_SECONDS = 15.0
# The socket is descriptor 3 and LISTEN_PID the process that execs (sd_listen_fds(3)).
_PASS_SOCKET = 'fd=$1; shift; exec 3<&$fd; [ $fd = 3 ] || eval "exec $fd<&-"; LISTEN_PID=$$ exec "$@"'


class Refused(Exception):
    """A command, or a unit, that is not understood here."""


def read_unit(name: str) -> dict[str, list[str]]:
    """Return the settings of a unit, ``%i`` and ``%H`` put in; a template serves its instances."""
    stem, _, kind = name.rpartition(".")
    prefix, at, instance = stem.partition("@")
    path = UNITS / (f"{prefix}@.{kind}" if at else name)
    if not path.exists():
        raise Refused(f"Unit {name} not found.")
    found: dict[str, list[str]] = {}
    files = (path, *sorted((UNITS / f"{name}.d").glob("*.conf")))
    for line in (line for file in files for line in file.read_text().splitlines()):
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", "[")):
            found.setdefault(key, []).append(value.replace("%i", instance).replace("%H", socket.gethostname()))
    return found


@define(eq=False)
class Service:
    """A service that runs until it is stopped."""

    name: str
    settings: dict[str, list[str]]
    listening: socket.socket | None
    _process: subprocess.Popen[bytes] | None = None
    _is_wanted: bool = True
    _watcher: threading.Thread | None = None

    def start(self) -> None:
        """Run what is to run before, and start it."""
        self._prepare()
        for command in self.settings.get("ExecStartPre", []):
            subprocess.run(self._as_user(shlex.split(command)), cwd=self._directory, check=True, timeout=60)
        self._spawn()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not help."""
        self._is_wanted = False
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()

    @property
    def is_active(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def main_pid(self) -> int:
        """Its process, 0 when there is none."""
        return self._process.pid if self._process is not None and self.is_active else 0

    @property
    def _directory(self) -> str:
        return self.settings["WorkingDirectory"][0]

    def _prepare(self) -> None:
        user = pwd.getpwnam(self.settings.get("User", ["root"])[0])
        for key, root in (("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")):
            for name in self.settings.get(key, []):
                path = Path(root) / name
                path.mkdir(mode=0o750, parents=True, exist_ok=True)
                os.chown(path, user.pw_uid, user.pw_gid)

    def _spawn(self) -> None:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        environment |= dict(pair.split("=", 1) for pair in self.settings.get("Environment", []))
        command = self._as_user(shlex.split(self.settings["ExecStart"][0]))
        descriptors: tuple[int, ...] = ()
        if self.listening is not None:
            descriptors = (self.listening.fileno(),)
            environment |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "api"}
            command = ["bash", "-c", _PASS_SOCKET, "bash", str(descriptors[0]), *command]
        with Path(f"/var/log/{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=descriptors,
            )  # fmt: skip

    def _as_user(self, command: list[str]) -> list[str]:
        user = self.settings.get("User", ["root"])[0]
        if user == "root":
            return command
        return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--init-groups", *command]

    def _watch(self) -> None:
        while self._process is not None:
            self._process.wait()
            time.sleep(float(self.settings["RestartSec"][0]))
            if not self._is_wanted:
                return
            self._spawn()


@define(eq=False)
class Manager:
    """The units of one machine."""

    _services: dict[str, Service] = field(factory=dict)
    _sockets: dict[str, socket.socket] = field(factory=dict)

    def do(self, words: Sequence[str]) -> str:
        """Do what a command line of systemctl says; return what it prints. Refused."""
        verb, names = words[0], [word for word in words[1:] if not word.startswith("--")]
        if verb == "daemon-reload":
            return ""
        names = [name if "." in name else f"{name}.service" for name in names]
        act = {
            "enable": self._start, "start": self._start, "stop": self._stop, "restart": self._restart,
            "is-active": self._tell, "show": self._show,
        }.get(verb)  # fmt: skip
        if act is None:
            raise Refused(f"Unknown command verb {verb}.")
        if verb == "enable" and "--now" not in words:
            raise Refused("enable is known with --now only")
        return "".join(act(name) for name in names)

    def close(self) -> None:
        """Stop everything."""
        for service in self._services.values():
            service.stop()

    def _start(self, name: str) -> str:
        settings = read_unit(name)
        if name.endswith(".socket"):
            self._listen(name, settings)
        elif name not in self._services:
            sockets = settings.get("Sockets") or [each for each in settings.get("Requires", []) if "socket" in each]
            for each in sockets:
                self._listen(each, read_unit(each))
            service = Service(name, settings, self._sockets[sockets[0]] if sockets else None)
            service.start()
            self._services[name] = service
        return ""

    def _stop(self, name: str) -> str:
        service = self._services.pop(name, None)
        if service is not None:
            service.stop()
        return ""

    def _restart(self, name: str) -> str:
        return self._stop(name) + self._start(name)

    def _tell(self, name: str) -> str:
        service = self._services.get(name)
        return "active\n" if service is not None and service.is_active else "inactive\n"

    def _show(self, name: str) -> str:
        service = self._services.get(name)
        return f"MainPID={service.main_pid if service else 0}\n"

    def _listen(self, name: str, settings: dict[str, list[str]]) -> None:
        if name not in self._sockets:
            # An empty value takes back what came before, as in a drop-in.
            host, _, port = settings["ListenStream"][-1].rpartition(":")
            self._sockets[name] = socket.create_server((host, int(port)), backlog=1024)


def main(path: str) -> None:
    """Serve until SIGTERM."""
    manager = Manager()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            words = shlex.split(self.rfile.readline().decode())
            try:
                answer = f"0 {manager.do(words)}"
            except (Refused, OSError, subprocess.SubprocessError) as error:
                answer = f"1 {error}\n"
            self.wfile.write(answer.encode())

    with socketserver.ThreadingUnixStreamServer(path, Handler) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever()
    manager.close()


if __name__ == "__main__":
    main(sys.argv[1])

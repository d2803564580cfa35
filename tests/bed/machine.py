"""A machine for tests of what an operator types: its own files, host name and units, on the network of this one.

Needs root. ``/etc`` is a copy; ``/var/log`` and the directories of quantumd are its own, and what it starts sees no
others. In the place of systemd stands tests.bed.unit_manager.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field

from tests.bed.needs import CHECKOUT

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OWN = ("var/log", "var/lib/quantumd", "var/lib/quantumd-api", "run/quantumd")
_PLACES = ("/var/lib/quantumd", "/var/lib/quantumd-api", "/run/quantumd", "/run/openvswitch", "/opt/quantumd")
_START_SECONDS = 20.0
_SYSTEMCTL = """#!{python}
import shlex, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.settimeout(120)
    asked.connect({path!r})
    asked.sendall((shlex.join(sys.argv[1:]) + "\\n").encode())
    answer = b""
    while piece := asked.recv(4096):
        answer += piece
status, _, said = answer.decode().partition(" ")
print(said, end="", file=sys.stderr if int(status) else sys.stdout)
sys.exit(int(status))
"""


def make_places() -> list[Path]:
    """Make those directories of this machine over which others are put; return those that were not there.

    Whoever made them removes them when the machines are gone.
    """
    made = [path for path in map(Path, _PLACES) if not path.exists()]
    for path in made:
        path.mkdir(parents=True)
    return made


class MachineError(Exception):
    """A script ended badly; what it said is the message."""


@define(eq=False)
class Machine:
    """One machine, with its files in ``directory``.

    ``ovs_run_dir`` is where its Open vSwitch has its sockets; ``install`` the directory that is its ``/opt/quantumd``;
    ``checkout`` is where commands are typed; ``environment`` is what programs of
    other servers are told, psql and rabbitmqctl for instance.
    """

    name: str
    directory: Path
    install: Path
    checkout: Path
    ovs_run_dir: Path | None = None
    environment: Mapping[str, str] = field(factory=dict)
    hosts: Mapping[str, str] = field(factory=dict)
    """Addresses of other machines, by name."""
    _manager: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Make its files and start its units' manager."""
        self._make_files()
        binds = {"/etc": self.directory / "etc", "/opt/quantumd": self.install}
        binds |= {f"/{name}": self.directory / name for name in _OWN}
        if self.ovs_run_dir is not None:
            binds["/run/openvswitch"] = self.ovs_run_dir
        mounts = "\n".join(f"mount --bind '{there}' {here}" for here, there in binds.items())
        script = f"{mounts}\nhostname {self.name}\nexec {sys.executable} -m tests.bed.unit_manager {self._socket}\n"
        self._manager = subprocess.Popen(
            ("unshare", "--mount", "--uts", "--propagation", "private", "setpriv", "--pdeathsig=TERM", "bash", "-ec",
             script),
            cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not self._socket.exists():
            if self._manager.poll() is not None or time.monotonic() > deadline:
                raise MachineError(f"{self.name} does not start")
            time.sleep(0.02)

    def run(self, script: str, said: str = "", limit_seconds: float = 300.0) -> str:
        """Run a script as root would type it; return what it prints. MachineError."""
        if self._manager is None:
            raise MachineError(f"{self.name} was not started")
        command = ("nsenter", f"--target={self._manager.pid}", "--mount", "--uts", f"--wd={self.checkout}")
        environment = {"PATH": _PATH, "LANG": "C.UTF-8", "HOME": "/root", **_of_pip(), **self.environment}
        environment["PATH"] = f"{self.directory / 'bin'}:{environment['PATH']}"
        done = subprocess.run(
            (*command, "bash", "-euo", "pipefail", "-c", script), env=environment,
            input=said, capture_output=True, text=True, timeout=limit_seconds, check=False,
        )  # fmt: skip
        if done.returncode:
            raise MachineError(f"{self.name}: {script}\n{done.stdout}{done.stderr}\n{self.logs()}")
        return done.stdout

    def logs(self) -> str:
        """What its services have said lately."""
        logs = sorted((self.directory / "var/log").glob("quantumd*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in logs)

    def stop(self) -> None:
        """End everything on it."""
        if self._manager is not None:
            self._manager.terminate()
            self._manager.wait(60)

    @property
    def _socket(self) -> Path:
        return self.directory / "manager.sock"

    def _make_files(self) -> None:
        for name in (*_OWN, "var/log/apt", "bin"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        shutil.copytree("/etc", self.directory / "etc", symlinks=True, ignore_dangling_symlinks=True)
        lines = "".join(f"{address} {name}\n" for name, address in self.hosts.items())
        (self.directory / "etc/hosts").write_text(f"127.0.0.1 localhost {self.name}\n{lines}")
        systemctl = self.directory / "bin/systemctl"
        systemctl.write_text(_SYSTEMCTL.format(python=sys.executable, path=str(self._socket)))
        systemctl.chmod(0o755)


def _of_pip() -> dict[str, str]:
    """Return where this machine's pip looks for packages, where the environment says so."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}

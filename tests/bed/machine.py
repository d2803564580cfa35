"""A machine for tests of what an operator types: its own files, host name and units, on the network of this one.

Needs root. ``/etc`` is a copy, ``/var/lib/quantumd*``, ``/run/quantumd``, ``/var/log`` and ``/opt/quantumd`` are its
own; the processes that it starts see no others. Where there is no systemd, tests.bed.unit_manager stands in.
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

_OWN = ("var/log", "var/lib", "run/quantumd", "opt/quantumd")
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


class MachineError(Exception):
    """A script ended badly; what it said is the message."""


@define(eq=False)
class Machine:
    """One machine, with its files in ``directory``.

    ``ovs_run_dir`` is where its Open vSwitch has its sockets; ``install`` the directory that is its ``/opt/quantumd``;
    ``environment`` is what programs of other servers are told, psql and rabbitmqctl for instance.
    """

    name: str
    directory: Path
    install: Path
    ovs_run_dir: Path | None = None
    environment: Mapping[str, str] = field(factory=dict)
    hosts: Mapping[str, str] = field(factory=dict)
    """Addresses of other machines, by name."""
    _manager: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Make its files and start its units' manager."""
        self._make_files()
        binds = {"/etc": self.directory / "etc", "/opt/quantumd": self.install}
        binds |= {f"/{name}": self.directory / name for name in _OWN[:-1]}
        if self.ovs_run_dir is not None:
            binds["/run/openvswitch"] = self.ovs_run_dir
        for place in ("/opt/quantumd", "/run/quantumd", "/run/openvswitch"):
            Path(place).mkdir(parents=True, exist_ok=True)
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
        """Run a script as root would type it, in a checkout; return what it prints. MachineError."""
        if self._manager is None:
            raise MachineError(f"{self.name} was not started")
        command = ("nsenter", f"--target={self._manager.pid}", "--mount", "--uts", "bash", "-euo", "pipefail", "-c")
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/root", **self.environment}
        environment["PATH"] = f"{self.directory / 'bin'}:{environment['PATH']}"
        done = subprocess.run(
            (*command, script), cwd=CHECKOUT, env=environment, input=said, capture_output=True, text=True,
            timeout=limit_seconds, check=False,
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
        for name in (*_OWN[:-1], "bin"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        shutil.copytree("/etc", self.directory / "etc", symlinks=True, ignore_dangling_symlinks=True)
        lines = "".join(f"{address} {name}\n" for name, address in self.hosts.items())
        (self.directory / "etc/hosts").write_text(f"127.0.0.1 localhost {self.name}\n{lines}")
        systemctl = self.directory / "bin/systemctl"
        systemctl.write_text(_SYSTEMCTL.format(python=sys.executable, path=str(self._socket)))
        systemctl.chmod(0o755)

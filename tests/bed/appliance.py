"""quantumd as a user runs it: ``twistd`` in a process of its own, over a private Open vSwitch or memory edges."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.bed.needs import CHECKOUT

_START_SECONDS = 30.0
# A process that ends at once leaves its socket, which the test holds, open: nobody would ever answer there.
_ASK_SECONDS = 2.0
_STOP_SECONDS = 15.0
_NAMESPACES = Path("/run/netns")
# Systemd's protocol: the socket is descriptor 3 and LISTEN_PID the process that execs (sd_listen_fds(3)).
_PASS_SOCKET = 'fd=$1; shift; exec 3<&$fd; [ $fd = 3 ] || eval "exec $fd<&-"; LISTEN_PID=$$ exec "$@"'


OLDER_PIPELINE = Path(__file__).with_name("older_pipeline")
"""On the path of a process, it makes it one of another version of the pipeline of br-int."""


class ApplianceError(Exception):
    """The appliance did not do what it was told; the end of its log is in the message."""


@frozen
class Answer:
    """One HTTP answer; ``body`` is parsed when it is JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


@define
class Appliance:
    """One quantumd with its state in ``directory``. ``ovs_run_dir`` None means memory edges.

    The listening socket is made here and passed as systemd does, so it outlives every restart of the process;
    ``passes_socket`` False lets the process listen for itself.
    """

    directory: Path
    ovs_run_dir: Path | None = None
    settings: Mapping[str, str] = field(factory=dict)
    """More settings, as ``section.key`` and TOML value."""
    passes_socket: bool = True
    python_path: tuple[Path, ...] = ()
    """Where else the process finds modules."""
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    """By what an https API is checked; the settings say that it is one."""
    command: str = "quantumd"
    """What of ``twistd``'s commands runs."""
    namespace: str = ""
    """The network namespace in which the process runs, unless it is that of the test."""
    routers_prefix: str = field(factory=lambda: f"qd-{uuid.uuid4().hex[:8]}-r-")
    """What the names of routers' namespaces begin with: those of other appliances on the machine are none of ours."""
    port: int = field(init=False)
    started_at: float = field(default=0.0, init=False)
    _socket: socket.socket | None = field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Take a free port."""
        bound = socket.create_server((self.host, 0), backlog=1024)
        self.port = bound.getsockname()[1]
        if self.passes_socket:
            self._socket = bound
        else:
            bound.close()

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running quantumd."""
        if self._process is None:
            raise ApplianceError("quantumd was not started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def options(self) -> tuple[str, ...]:
        """The options of the ``quantumd`` subcommand and of ``quantumctl``."""
        settings = {
            "host.name": "host-a",
            "host.state_dir": str(self.directory),
            "host.run_dir": str(self.directory),
            "host.edges": "real" if self.ovs_run_dir else "memory",
            "l3.namespace_prefix": self.routers_prefix,
            # Where a socket is passed it goes before this setting.
            "api.listen": f"tcp:{self.port}:interface={self.host}",
            **({"l2.ovs_run_dir": str(self.ovs_run_dir)} if self.ovs_run_dir else {}),
            # Tests and benches make more than a project usually may.
            **{f"quota.{name}": "-1" for name in ("network", "subnet", "port")},
            **self.settings,
        }
        return tuple(word for name, value in settings.items() for word in ("--set", f"{name}={value}"))

    def start(self, path: str = "/v2.0/networks") -> float:
        """Start the process and wait for its first 200 on ``path``; return the seconds that took."""
        self.launch()
        return self.await_answer(path)

    def launch(self) -> None:
        """Start the process and do not wait."""
        if self.is_running:
            raise ApplianceError("quantumd runs already")
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).with_name("twistd")), "--nodaemon", "--pidfile=", self.command]
        command += self.options()
        if self.namespace:
            # Not by ip netns exec, which would hide from others what the process mounts.
            command = ["nsenter", f"--net=/run/netns/{self.namespace}", *command]
        path = os.pathsep.join(str(directory) for directory in (CHECKOUT, *self.python_path))
        environment = {**os.environ, "PYTHONPATH": path}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        descriptors: tuple[int, ...] = ()
        if self._socket:
            number = self._socket.fileno()
            descriptors = (number,)
            environment |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "quantumd.socket"}
            command = ["bash", "-c", _PASS_SOCKET, "bash", str(number), *command]
        with (self.directory / "quantumd.log").open("ab") as log:
            self.started_at = time.monotonic()
            self._process = subprocess.Popen(
                command, cwd=self.directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=descriptors, start_new_session=True,
            )  # fmt: skip

    def await_answer(self, path: str = "/v2.0/networks", status: int = 200) -> float:
        """Wait until ``path`` answers ``status``; return the seconds since the start of the process."""
        deadline = self.started_at + _START_SECONDS
        while True:
            try:
                if (
                    self.request("GET", path, timeout_seconds=min(_ASK_SECONDS, deadline - time.monotonic())).status
                    == status
                ):
                    return time.monotonic() - self.started_at
            except (OSError, http.client.HTTPException):
                pass
            if not self.is_running or time.monotonic() > deadline:
                raise ApplianceError(f"no {status} from {self.url}{path}\n{self.log()[-4000:]}")
            time.sleep(0.01)

    def stop(self) -> float:
        """End the process by SIGTERM, as systemd does; return the seconds it took."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the process by SIGKILL: nothing of it gets to run again."""
        self._end(signal.SIGKILL)

    def restart(self, path: str = "/v2.0/networks") -> float:
        """Stop and start; return the seconds from the start of the new process to its first 200."""
        self.stop()
        return self.start(path)

    def close(self) -> None:
        """Kill the process if it runs, give up the port and remove the namespaces that it made."""
        if self.is_running:
            self.kill()
        for made in _NAMESPACES.glob(f"{self.routers_prefix}*"):
            subprocess.run(("ip", "netns", "del", made.name), check=True, timeout=_STOP_SECONDS)
        if self._socket:
            self._socket.close()
            self._socket = None

    def _end(self, how: signal.Signals) -> float:
        if self._process is None:
            raise ApplianceError("quantumd was not started")
        began = time.monotonic()
        if self.is_running:
            os.kill(self._process.pid, how)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
            raise ApplianceError(f"quantumd did not stop on {how.name}\n{self.log()[-4000:]}") from None
        return time.monotonic() - began

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 10.0,
    ) -> Answer:
        """Make one request on a connection of its own; a body is sent as JSON."""
        connection = self._connection(max(0.1, timeout_seconds))
        try:
            content = None if body is None else json.dumps(body)
            said = {**({"Content-Type": "application/json"} if content else {}), **(headers or {})}
            connection.request(method, path, content, said)
            response = connection.getresponse()
            raw = response.read()
            kind = response.headers.get_content_type()
            parsed = json.loads(raw) if raw and kind == "application/json" else raw.decode(errors="replace")
            return Answer(response.status, dict(response.headers.items()), parsed)
        finally:
            connection.close()

    def _connection(self, timeout_seconds: float) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout_seconds)
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout_seconds, context=self.tls)

    def create(self, resource: str, **attributes: Any) -> dict[str, Any]:
        """Create a ``network``, ``security_group`` or the like and return it; ApplianceError unless 201."""
        answer = self.request("POST", f"/v2.0/{resource.replace('_', '-')}s", {resource: attributes})
        if answer.status != 201:
            raise ApplianceError(f"creating {resource} {attributes} answered {answer.status}: {answer.body}")
        created: dict[str, Any] = answer.body[resource]
        return created

    def show(self, resource: str, resource_id: str) -> dict[str, Any]:
        """Return a resource; ApplianceError unless 200."""
        answer = self.request("GET", f"/v2.0/{resource}s/{resource_id}")
        if answer.status != 200:
            raise ApplianceError(f"{resource} {resource_id} answered {answer.status}: {answer.body}")
        shown: dict[str, Any] = answer.body[resource]
        return shown

    def await_status(self, port_id: str, status: str = "ACTIVE", limit_seconds: float = 10.0) -> float:
        """Wait until a port has a status; return the seconds waited."""
        began = time.monotonic()
        while (seen := self.show("port", port_id)["status"]) != status:
            if time.monotonic() - began > limit_seconds:
                raise ApplianceError(f"port {port_id} is {seen}, not {status}\n{self.log()[-4000:]}")
            time.sleep(0.005)
        return time.monotonic() - began

    def metrics(self) -> dict[str, float]:
        """Return what ``/metrics`` says, by name with labels as they stand there."""
        lines = str(self.request("GET", "/metrics").body).splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def pss_kib(self) -> int:
        """The memory of the process: its own pages and its share of shared ones, in KiB (proc(5), smaps_rollup)."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
        raise ApplianceError("the kernel tells no Pss")

    def cpu_seconds(self) -> float:
        """The CPU time that the process has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def log_bytes(self) -> int:
        """How long the log is at the moment."""
        return (self.directory / "quantumd.log").stat().st_size

    def log_after(self, position: int) -> str:
        """What was logged after the first ``position`` bytes."""
        with (self.directory / "quantumd.log").open("rb") as file:
            file.seek(position)
            return file.read().decode(errors="replace")

    def log(self) -> str:
        """Everything that was logged, over all starts."""
        path = self.directory / "quantumd.log"
        return path.read_text(errors="replace") if path.exists() else ""

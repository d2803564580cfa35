"""The control socket of ovs-vswitchd: JSON-RPC 1.0, one command after the other on one connection (ovs-appctl(8))."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

import orjson
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable

CALL_SECONDS: Final = 10.0
MOST_BYTES: Final = 256 * 1024 * 1024
"""How long an answer may be: some million connections."""


class CommandRefused(EdgeError):
    """ovs-vswitchd did not do what it was told; ``str()`` is what it said."""


def control_socket(run_dir: str) -> str:
    """Return the path of the control socket of the ovs-vswitchd that runs. EdgeUnavailable."""
    folder = Path(run_dir)
    try:
        pid = int((folder / "ovs-vswitchd.pid").read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise EdgeUnavailable(f"which process is ovs-vswitchd cannot be read: {error}") from None
    named = folder / f"ovs-vswitchd.{pid}.ctl"
    return str(named if named.exists() else folder / "ovs-vswitchd.ctl")


@define(eq=False)
class ControlConnection(Protocol):
    """One connection. One command at a time."""

    _answer: Deferred[str] | None = field(default=None, init=False)
    _received: bytearray = field(factory=bytearray, init=False)

    def call(self, reactor: Any, command: str, arguments: Sequence[str]) -> Deferred[str]:
        """Return what the command prints. EdgeError."""
        self._answer = answer = Deferred[str]()
        request = {"id": 0, "method": command, "params": list(arguments)}
        self.transport.write(orjson.dumps(request))  # type: ignore[union-attr] # it is connected
        answer.addTimeout(CALL_SECONDS, reactor, lambda *_: _raise(EdgeTimeout(f"{command} took too long")))
        return answer

    def dataReceived(self, data: bytes) -> None:
        """Take a part of an answer."""
        self._received += data
        if len(self._received) > MOST_BYTES:
            self._fire(Failure(CommandRefused("the answer is too long")))
        elif data.endswith((b"}", b"}\n")):
            try:
                answer = orjson.loads(self._received)
            except orjson.JSONDecodeError:
                # It only looked like the end.
                return
            self._received.clear()
            refused = answer.get("error")
            self._fire(
                str(answer.get("result") or "") if refused is None else Failure(CommandRefused(str(refused).strip()))
            )

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Fail what waits."""
        self._fire(Failure(EdgeUnavailable("ovs-vswitchd closed its control connection")))

    def close(self) -> None:
        """Disconnect."""
        self.transport.loseConnection()  # type: ignore[union-attr] # it is connected

    def _fire(self, outcome: str | Failure) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.called:
            answer.callback(outcome)


async def connect(reactor: Any, run_dir: str) -> ControlConnection:
    """Return a new connection to the ovs-vswitchd whose files are in a directory. EdgeUnavailable."""
    endpoint = UNIXClientEndpoint(reactor, control_socket(run_dir), timeout=CALL_SECONDS)
    factory = Factory.forProtocol(ControlConnection)
    factory.noisy = False
    try:
        return cast(ControlConnection, await endpoint.connect(factory))
    except ConnectError as error:
        raise EdgeUnavailable(f"ovs-vswitchd's control socket cannot be opened: {error}") from None


def _raise(error: EdgeError) -> None:
    raise error

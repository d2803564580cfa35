"""Keeps one OpenFlow connection to a bridge open, connecting again whenever it is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger

from quantumd.edge.openflow.connection import CONNECT_SECONDS, OpenFlowConnection
from quantumd.errors import EdgeError

_LONGEST_RETRY_SECONDS = 1.0
_FIRST_RETRY_SECONDS = 0.05


def retry_seconds(failures: int) -> float:
    """Return how long to wait before the next attempt: 50 ms at first, doubled each time up to one second."""
    return float(min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2 ** min(failures, 10)))


@define(eq=False)
class Link:
    """One greeted connection at a time.

    ``reactor`` gives time and Unix sockets. ``prepare`` sends what every new connection needs and returns when the
    switch has taken it; then ``ready`` is called, and ``lost`` once for each ``ready``.
    """

    reactor: Any
    path: str
    prepare: Callable[[OpenFlowConnection], Awaitable[None]]
    ready: Callable[[], None]
    lost: Callable[[], None]
    connection: OpenFlowConnection | None = None
    _running: Deferred[None] | None = None
    _open: OpenFlowConnection | None = None
    _failures: int = 0
    _log: Logger = field(factory=lambda: Logger(namespace=__name__))

    def start(self) -> None:
        """Connect, and go on connecting until ``stop``."""
        if self._running is None:
            self._running = Deferred.fromCoroutine(self._run())

    def stop(self) -> Deferred[None]:
        """Disconnect for good; fires when that is done."""
        running, self._running = self._running, None
        if running is None:
            return succeed(None)
        running.addErrback(lambda failure: failure.trap(CancelledError) and None)
        running.cancel()
        return running

    async def _run(self) -> None:
        try:
            while True:
                await self._once()
                await deferLater(self.reactor, retry_seconds(self._failures))
                self._failures += 1
        finally:
            await self._close()

    async def _once(self) -> None:
        """Connect and stay connected as long as it lasts. A listener's bug costs the connection, not the loop."""
        try:
            await self._connect_and_stay()
        except (CancelledError, ConnectingCancelledError):
            # The second is what an endpoint says when it is cancelled.
            raise CancelledError from None
        except (ConnectError, EdgeError) as error:
            if self._failures == 0:
                self._log.warn("no connection to the switch at {path} yet: {error}", path=self.path, error=error)
        except Exception:  # noqa: BLE001 - the loop
            self._log.failure("connection to the switch at {path} given up", path=self.path)
        await self._close()

    async def _connect_and_stay(self) -> None:
        endpoint = UNIXClientEndpoint(self.reactor, self.path, timeout=CONNECT_SECONDS)
        factory = Factory.forProtocol(lambda: OpenFlowConnection(self.reactor))
        factory.noisy = False
        self._open = connection = cast(OpenFlowConnection, await endpoint.connect(factory))
        await connection.greeted()
        await self.prepare(connection)
        self.connection, self._failures = connection, 0
        self._log.info("connected to the switch at {path}", path=self.path)
        self.ready()
        await connection.closed()

    async def _close(self) -> None:
        was_ready, self.connection = self.connection is not None, None
        connection, self._open = self._open, None
        if was_ready:
            self._log.info("the connection to the switch at {path} is lost", path=self.path)
            self.lost()
        if connection is not None:
            connection.drop()
            await connection.closed()

"""How many connections each network may have, so that the VMs of one cannot take what others need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from quantumd.edge.tracked.interfaces import IConnections
from quantumd.errors import EdgeError

RETRY_SECONDS: Final = 5.0


@define(eq=False)
class Limits:
    """Sets the limit of zones, one call after the other; what fails is tried again.

    ``trouble`` says why the last call failed, '' when it did not.
    """

    _connections: IConnections
    _clock: IReactorTime
    _most: int
    trouble: str = field(default="", init=False)
    _waiting: set[int] = field(factory=set, init=False)
    _is_running: bool = field(default=False, init=False)
    _log = Logger()

    def take(self, zones: Iterable[int]) -> None:
        """Limit zones soon."""
        self._waiting.update(zones)
        if self._waiting and not self._is_running:
            self._is_running = True
            setting = Deferred.fromCoroutine(self._set())
            setting.addErrback(lambda failure: self._log.failure("connections are not limited", failure))
            setting.addCallback(self._was_set)

    def _was_set(self, _: object) -> None:
        self._is_running = False

    async def _set(self) -> None:
        while self._waiting:
            zones, self._waiting = frozenset(self._waiting), set()
            try:
                await self._connections.limit(zones, self._most)
            except EdgeError as error:
                self._waiting |= zones
                self._note(str(error))
                await deferLater(self._clock, RETRY_SECONDS)
            else:
                self._note("")

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            self._log.warn("connections cannot be limited: {why}", why=trouble)
        self.trouble = trouble

"""How many ports there are in each status, looked up now and then for the metrics."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from prometheus_client import Gauge
from sqlalchemy import Connection, func, select
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.interfaces import IStore
from quantumd.store.tables import ports

LOOK_SECONDS = 15.0

_COUNTS = select(ports.c.status, func.count()).group_by(ports.c.status)


@define(eq=False)
class PortCounts(Service):
    """Keeps the gauge of ports by status."""

    _clock: IReactorTime
    _store: IStore
    _ports: Gauge
    _looking: LoopingCall | None = field(default=None, init=False)
    _log = Logger()

    def startService(self) -> None:
        """Look now, and every LOOK_SECONDS."""
        super().startService()
        self._looking = LoopingCall(self._look)
        self._looking.clock = self._clock
        self._looking.start(LOOK_SECONDS)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        if self._looking is not None and self._looking.running:
            self._looking.stop()

    def _look(self) -> Deferred[None]:
        looked: Deferred[Any] = self._store.read(_count)
        return looked.addCallbacks(self._show, self._failed)

    def _failed(self, failure: Failure) -> None:
        self._log.warn("ports cannot be counted: {why}", why=str(failure.value))

    def _show(self, counts: dict[str, int]) -> None:
        for status in counts.keys() | {"ACTIVE", "DOWN"}:
            self._ports.labels(status).set(counts.get(status, 0))


def _count(connection: Connection) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(_COUNTS)}

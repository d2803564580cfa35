"""Whether this process can hear hosts: whoever could not be heard is not silent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.api.hosts.rows import forget_silent, keep_host, last_heard
from quantumd.errors import QuantumdError
from quantumd.interfaces import IBus, IStore
from quantumd.model.host_life import Deafness
from quantumd.model.messages import HostReport
from quantumd.store.times import utc_text
from quantumd.store.transaction import Transaction
from quantumd.version import VERSION

API_ROLE: Final = "api"
"""The role of API processes among those of hosts."""

TICK_SECONDS: Final = 1.0

_MISSED: Final = timedelta(seconds=2.5 * TICK_SECONDS)
"""After how long without a tick this process was deaf: stalled, suspended, or its broker away."""

_FORGET: Final = timedelta(days=7)
"""After how long an API process that is silent is forgotten."""

_NEVER: Final = datetime(1970, 1, 2, tzinfo=UTC)


@define(eq=False)
class Hearing(Service):
    """Notes when reports could not be heard, and that this process lives, so that the next one knows since when.

    ``deafness`` may be asked on any thread.
    """

    _bus: IBus
    _store: IStore
    _clock: IReactorTime
    _host: str
    _report_seconds: float
    _now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _deafness: Deafness | None = field(default=None, init=False)
    _heard_at: datetime = field(default=_NEVER, init=False)
    _until_note: float = field(default=2 * TICK_SECONDS, init=False)
    """Seconds. A start has more urgent things to write."""
    _ticking: LoopingCall | None = field(default=None, init=False)
    _trouble: str = field(default="", init=False)
    _log = Logger()

    def deafness(self) -> Deafness | None:
        """Return the last time in which nothing was heard; while that goes on it ends now."""
        return self._deafness

    def startService(self) -> None:
        """Look how long nobody has heard anything. Until that is known, nobody is silent."""
        super().startService()
        self._heard_at = self._now()
        self._deafness = Deafness(_NEVER, self._heard_at)
        # Reports of hosts may come before it has been looked.
        before = utc_text(self._heard_at)
        heard = self._store.read(lambda connection: last_heard(connection, before))
        heard.addCallbacks(self._began, self._failed).addCallback(self._go_on)

    def stopService(self) -> None:
        """Hear nothing more."""
        super().stopService()
        if self._ticking is not None and self._ticking.running:
            self._ticking.stop()

    def _began(self, heard_at: datetime | None) -> None:
        now = self._now()
        self._deafness = None if heard_at is None else Deafness(min(heard_at, now), now)
        self._heard_at = now

    def _go_on(self, _: object) -> None:
        if self.running:
            self._ticking = LoopingCall(self._tick)
            self._ticking.clock = self._clock
            self._ticking.start(TICK_SECONDS).addErrback(self._broke)

    def _tick(self) -> None:
        now, deaf = self._now(), self._deafness
        if now - self._heard_at > _MISSED:
            # What was not over yet goes on.
            began = deaf.began if deaf is not None and deaf.ended >= self._heard_at else self._heard_at
            self._deafness = Deafness(began, now)
        if self._bus.is_connected:
            self._heard_at = now
        self._until_note -= TICK_SECONDS
        if self._until_note <= 0:
            self._until_note = self._report_seconds
            self._note()

    def _note(self) -> None:
        report = HostReport(self._host, API_ROLE, VERSION)
        silent = utc_text(self._now() - _FORGET)

        def note(tx: Transaction) -> None:
            keep_host(tx, report)
            forget_silent(tx, API_ROLE, silent)

        self._store.write(note).addCallbacks(self._noted, self._failed)

    def _noted(self, _: object) -> None:
        self._trouble = ""

    def _failed(self, failure: Failure) -> None:
        why = failure.getErrorMessage()
        if failure.check(QuantumdError) is None:
            self._log.failure("that this process lives cannot be noted", failure)
        elif why != self._trouble:
            self._log.warn("that this process lives cannot be noted: {why}", why=why)
        self._trouble = why

    def _broke(self, failure: Failure) -> None:
        self._log.failure("whether hosts can be heard is not looked at any more", failure)

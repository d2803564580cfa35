"""What is told now and then, all of it in a round."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from quantumd.errors import EdgeError

Tell = Callable[[], Coroutine[Any, Any, None]]


@define(eq=False)
class Rounds(Service):
    """Calls ``tell`` every ``period`` seconds. A round of ``what`` that fails is logged, and not repeated."""

    _clock: IReactorTime
    _period: float
    _what: str
    _tell: Tell
    _call: LoopingCall | None = field(default=None, init=False)
    _round: Deferred[None] = field(factory=lambda: succeed(None), init=False)
    _log = Logger()

    def startService(self) -> None:
        """The first round is after the first period."""
        super().startService()
        self._call = LoopingCall(self._begin)
        self._call.clock = self._clock
        self._call.start(self._period, now=False)

    def stopService(self) -> None:
        """End; a round under way is given up."""
        super().stopService()
        if self._call is not None and self._call.running:
            self._call.stop()
        self._round.cancel()

    def _begin(self) -> Deferred[None]:
        self._round = Deferred.fromCoroutine(self._tell()).addErrback(self._failed)
        return self._round

    def _failed(self, failure: Any) -> None:
        if failure.check(EdgeError):
            self._log.warn("a round of {what} was not told: {why}", what=self._what, why=str(failure.value))
        elif self.running:
            self._log.failure("a round of {what} was not told", failure, what=self._what)

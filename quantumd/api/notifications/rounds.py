"""Telling now and then what is, apart from what changed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.errors import EdgeError

Tell: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""One round: tells everything that it has to. EdgeError."""


@define(eq=False)
class Rounds(Service):
    """Calls ``tell`` every ``period_seconds``, never twice at once. ``what`` is told, as the log calls it.

    What is told is of no use later, so a round that fails is not repeated: the next one is in its turn.
    """

    _clock: IReactorTime
    _period_seconds: float
    _tell: Tell
    _what: str
    _call: LoopingCall = field(init=False)
    _round: Deferred[None] = field(factory=lambda: succeed(None), init=False)
    _log = Logger()

    @_call.default
    def _make_call(self) -> LoopingCall:
        call = LoopingCall(self._begin)
        call.clock = self._clock
        return call

    def startService(self) -> None:
        """The first round is after the first period."""
        super().startService()
        self._call.start(self._period_seconds, now=False)

    def stopService(self) -> None:
        """End; a round under way is given up."""
        super().stopService()
        if self._call.running:
            self._call.stop()
        self._round.cancel()

    def _begin(self) -> Deferred[None]:
        self._round = Deferred.fromCoroutine(self._tell()).addErrback(self._failed)
        return self._round

    def _failed(self, failure: Failure) -> None:
        if failure.check(EdgeError) is not None:
            self._log.warn("not told, {what}: {why}", what=self._what, why=str(failure.value))
        elif self.running:
            self._log.failure("not told, {what}", failure, what=self._what)

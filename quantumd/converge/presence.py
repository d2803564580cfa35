"""A role tells the server what it is, that it lives, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import define, evolve, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from quantumd.converge.client import API_ADDRESS
from quantumd.converge.loop import ConvergeService
from quantumd.converge.plan import Key
from quantumd.converge.records import Records
from quantumd.interfaces import IBus
from quantumd.model.messages import HostReply, HostReport
from quantumd.model.role_state import LONGEST_FAULT, MOST_FAULTS, Fault, RoleState

REPORT_SECONDS: Final = 60.0
"""How often a report comes where the server does not say."""

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether there is something to tell, and how soon after a report faults are told again."""

PROGRESS_SECONDS: Final = 5.0
"""How soon after a report the next one tells that more is in force: this one costs a write at the server."""

_LEAST_REPORT_SECONDS: Final = 0.2
# A call that is lost ends before the next report is due, so that it alone makes no host seem silent.
_LONGEST_CALL_SECONDS: Final = 30.0
_SHORTEST_CALL_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 0.5


@define(eq=False)
class Progress:
    """How far a role is: up to which position all that it was told is in force, and what keeps the rest."""

    _loop: ConvergeService
    _records: Records
    _more_faults: Callable[[], Mapping[Key, str]] = dict
    """What is wrong that no pass met."""
    _position: int = field(default=0, init=False)

    def state(self) -> RoleState:
        """Return how far it is now."""
        if self._loop.is_converged:
            self._position = self._records.position
        whys = sorted({**self._more_faults(), **self._loop.faults}.items())[:MOST_FAULTS]
        faults = tuple(Fault(kind, key, why[:LONGEST_FAULT]) for (kind, key), why in whys)
        return RoleState(self._position, self._loop.waiting_keys, self._loop.trouble[:LONGEST_FAULT], faults)


@define(eq=False)
class Presence(Service):
    """Sends HostReports: one at the start, one when there is something to tell, and as often as the server wants.

    What a role is, it tells at once; its faults within LOOK_SECONDS; that more is in force within PROGRESS_SECONDS.
    """

    _bus: IBus
    _clock: IReactorTime
    _describe: Callable[[], HostReport]
    _state: Callable[[], RoleState]
    _told: HostReport | None = field(default=None, init=False)
    """What the server was told last."""
    _told_at: float = field(default=0.0, init=False)
    _report_seconds: float = field(default=REPORT_SECONDS, init=False)
    _is_telling: bool = field(default=False, init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _trouble: str = field(default="", init=False)
    """What was logged last of why it cannot tell; the same again is not."""
    _log = Logger()

    def startService(self) -> None:
        """Tell at once."""
        super().startService()
        self._bus.on_lost(self.tell)
        self.tell()

    def stopService(self) -> None:
        """Tell nothing more."""
        super().stopService()
        self._look_in(None)

    def when_told(self) -> Deferred[None]:
        """Fire when the server has been told of this role once."""
        if self._told is not None:
            return succeed(None)
        told: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(told)
        return told

    def look(self) -> None:
        """Tell if there is something to tell; otherwise look again soon."""
        if self._is_telling or not self.running or self._told is None:
            return
        if self._is_due(self._now()):
            self.tell()
        else:
            self._look_in(min(LOOK_SECONDS, self._told_at + self._report_seconds - self._clock.seconds()))

    def tell(self) -> None:
        """Tell how things are; does nothing while that is under way."""
        if self.running and not self._is_telling:
            self._is_telling = True
            self._look_in(None)
            ensureDeferred(self._tell()).addBoth(self._ended)

    def _now(self) -> HostReport:
        return evolve(self._describe(), state=self._state())

    def _is_due(self, now: HostReport) -> bool:
        told, age = self._told, self._clock.seconds() - self._told_at
        if told is None or age >= self._report_seconds or evolve(now, state=told.state) != told:
            return True
        if now.state is None or told.state is None:
            return False
        if (now.state.trouble, now.state.faults) != (told.state.trouble, told.state.faults):
            return age >= LOOK_SECONDS
        return now.state.position != told.state.position and age >= PROGRESS_SECONDS

    async def _tell(self) -> None:
        now, at = self._now(), self._clock.seconds()
        limit = min(max(self._report_seconds, _SHORTEST_CALL_SECONDS), _LONGEST_CALL_SECONDS)
        reply = await self._bus.call(API_ADDRESS, now, limit)
        if isinstance(reply, HostReply):
            self._report_seconds = max(reply.report_seconds, _LEAST_REPORT_SECONDS)
        self._told, self._told_at = now, at
        waiting, self._waiting = self._waiting, []
        for told in waiting:
            told.callback(None)

    def _ended(self, result: object) -> None:
        self._is_telling = False
        why = "" if result is None else str(getattr(result, "value", result))
        if why not in ("", self._trouble):
            # It is tried twice a second, and said once.
            role = self._describe().role
            self._log.warn("{role} cannot tell the server how it is: {why}", role=role, why=why)
        self._trouble = why
        if self.running and result is None:
            self._look_in(0)
        elif self.running:
            self._look_in(_RETRY_SECONDS, self.tell)

    def _look_in(self, seconds: float | None, call: Callable[[], None] | None = None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None if seconds is None else self._clock.callLater(max(seconds, 0), call or self.look)

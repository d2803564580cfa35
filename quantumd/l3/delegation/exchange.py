"""What a client of a prefix waits for: an answer, and a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from quantumd.edge.dhcpv6.messages import MessageType6
from quantumd.l3.delegation.messages import Answer, Given

LONGEST_SECONDS: Final = 86_400.0
"""Longer times are waited for in pieces: the reactor cannot wait for centuries."""


@define
class Exchange:
    """A message about a ``prefix`` that waits for its answer; without a ``server_id`` anybody may give it."""

    kind: MessageType6
    xid: bytes
    began: float
    server_id: bytes
    prefix: str
    wait: float = 0.0
    tries: int = 0
    heard: int = 0
    """How many answers came since it was sent last."""
    best: tuple[Answer, Given] | None = None


@define(eq=False)
class Alarm:
    """Calls something after a time, of which there is one at a time."""

    _clock: IReactorTime
    _timer: IDelayedCall | None = field(default=None, init=False)

    @property
    def is_set(self) -> bool:
        """Whether anything is to be called."""
        return self._timer is not None

    def set(self, seconds: float, call: Callable[[], None]) -> None:
        """Call this after so many seconds, and nothing that was to be called."""
        self.cancel()

        def fire() -> None:
            self._timer = None
            if seconds > LONGEST_SECONDS:
                self.set(seconds - LONGEST_SECONDS, call)
            else:
                call()

        self._timer = self._clock.callLater(max(0.0, min(seconds, LONGEST_SECONDS)), fire)

    def cancel(self) -> None:
        """Call nothing."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

"""Addresses that are announced to neighbours: at once, and a few times more, as they may not hear it yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from quantumd.edge.netns.interfaces import Address, Announce

AFTER_SECONDS: Final = (0.0, 0.3, 1.0, 3.0)


@define(eq=False)
class Announcements:
    """Says when which addresses of a namespace are to be announced: ``say(name, announcements)``."""

    _clock: IReactorTime
    _say: Callable[[str, tuple[Announce, ...]], None]
    _held: dict[str, dict[Address, str]] = field(factory=dict, init=False)
    """By namespace: what may be announced, with the MAC that has it."""
    _timers: set[IDelayedCall] = field(factory=set, init=False)

    def begin(self, name: str, announcements: tuple[Announce, ...]) -> None:
        """Announce these from now on; all that are due at a time go together."""
        if announcements:
            self._held.setdefault(name, {}).update((each.address, each.mac) for each in announcements)
            for seconds in AFTER_SECONDS:
                self._later(seconds, name, announcements)

    def end(self, name: str, address: Address) -> None:
        """Announce an address no more: somebody else may have it now."""
        self._held.get(name, {}).pop(address, None)

    def forget(self, name: str) -> None:
        """Announce nothing of a namespace any more."""
        self._held.pop(name, None)

    def stop(self) -> None:
        """Announce nothing any more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._held.clear()

    def _later(self, seconds: float, name: str, announcements: tuple[Announce, ...]) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            held = self._held.get(name, {})
            due = tuple(each for each in announcements if held.get(each.address) == each.mac)
            if due:
                self._say(name, due)

        timer = self._clock.callLater(seconds, fire)
        self._timers.add(timer)

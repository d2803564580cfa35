"""What one turn of the reactor asks of the database threads goes to them together, when the turn ends.

Threads of one interpreter take turns at its lock, and a thread that is woken while the reactor goes on computing fights
it for every statement: a request cost half as much CPU again (docs/decisions/reactor-turns.md).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from quantumd.store.delivery import Reactor

T = TypeVar("T")


class Turn(Generic[T]):
    """Holds what is asked during a turn of the reactor; ``hand_over`` gets it at the end. Of the reactor thread."""

    def __init__(self, reactor: Reactor, hand_over: Callable[[list[T]], None]) -> None:
        self._reactor = reactor
        self._hand_over = hand_over
        self._held: list[T] = []

    def __len__(self) -> int:
        return len(self._held)

    def add(self, item: T) -> None:
        """Hold an item until the turn ends."""
        if not self._held:
            # The reactor runs what is due at once before it polls again, but after all that this poll brought.
            self._reactor.callLater(0, self.end)
        self._held.append(item)

    def end(self) -> None:
        """Hand over what is held, if anything is."""
        held, self._held = self._held, []
        if held:
            self._hand_over(held)


class Tally:
    """A number that several threads change."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = Lock()

    def add(self, more: int) -> None:
        """Add to the number."""
        with self._lock:
            self.count += more

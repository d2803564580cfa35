"""The way from the database threads back to the reactor thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

SLICE_SECONDS = 0.010
"""How long one turn of the reactor may spend on firing Deferreds."""

Call: TypeAlias = tuple[Callable[[Any], Any], Any]
"""A function and its argument."""


class Reactor(Protocol):
    """What the store needs of a reactor."""

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> Any:  # noqa: A002
        """Run something on the reactor thread."""

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kw: object) -> IDelayedCall:  # noqa: A002
        """Run something after ``delay`` seconds."""

    def seconds(self) -> float:
        """The time in seconds since a fixed point."""


def outcome_call(deferred: Deferred[Any], outcome: object) -> Call:
    """Return the call that fires a Deferred with a result or a Failure."""
    return (deferred.errback if isinstance(outcome, Failure) else deferred.callback, outcome)


class Delivery:
    """Runs calls on the reactor thread in order, for at most 10 ms a turn, so that a big commit causes no stall."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self._due: deque[Call] = deque()
        self._goes_on = False

    def send(self, calls: Iterable[Call]) -> None:
        """Take calls from any thread."""
        self._due.extend(calls)
        self.reactor.callFromThread(self._wake)

    def _wake(self) -> None:
        # Several wakes may arrive in one turn; together they get one slice.
        if not self._goes_on:
            self._run()

    def _run(self) -> None:
        self._goes_on = False
        until = self.reactor.seconds() + SLICE_SECONDS
        try:
            while self._due:
                call, argument = self._due.popleft()
                call(argument)
                if self.reactor.seconds() >= until:
                    break
        finally:
            # Also after a call that raised: the reactor logs it, the others are run nevertheless.
            if self._due:
                self._goes_on = True
                self.reactor.callLater(0, self._run)

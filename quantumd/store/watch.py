"""Sees what other processes have written to the database that they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.errors import QuantumdError
from quantumd.store.journal import last_position

log = Logger()


class JournalWatch:
    """Looks at the journal's end every ``seconds`` and tells where it is.

    The databases have no common way to be told of a commit, and a question costs a fraction of a millisecond. While
    the database is away nothing is told; what waits for commits hears of the next one that is seen.

    :param clock: IReactorTime.
    :param read: runs the question: IStore.read.
    :param tell: is called with the position of the end, whether it grew or not.
    """

    def __init__(
        self,
        clock: Any,
        seconds: float,
        read: Callable[[Callable[[Connection], int]], Deferred[int]],
        tell: Callable[[int], None],
    ) -> None:
        self._seconds = seconds
        self._read = read
        self._tell = tell
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock

    def start(self) -> None:
        """Begin."""
        self._looking.start(self._seconds, now=False)

    def stop(self) -> None:
        """End; what is under way is not told."""
        if self._looking.running:
            self._looking.stop()

    def _look(self) -> Deferred[None]:
        return self._read(last_position).addCallback(self._found).addErrback(_not_answered)

    def _found(self, position: int) -> None:
        if self._looking.running:
            self._tell(position)


def _not_answered(failure: Failure) -> None:
    """The database is away or busy, which others tell: the next look asks again."""
    if not failure.check(QuantumdError):
        log.failure("the journal's end could not be read", failure)

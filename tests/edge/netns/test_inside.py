"""Work on threads of its own: what it returns, what goes wrong, and that nobody waits for ever."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from queue import Queue

from attrs import define, field
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netns.inside import LIMIT_SECONDS, on_thread
from quantumd.errors import EdgeError, EdgeTimeout

_PATIENCE_SECONDS = 5.0


@define(eq=False)
class Reactor(Clock):
    """A clock in the test's hand, which threads speak to."""

    said: Queue[tuple[Callable[..., None], tuple[object, ...]]] = field(factory=Queue)

    def __attrs_pre_init__(self) -> None:
        """Begin at 0."""
        super().__init__()

    def callFromThread(self, call: Callable[..., None], *arguments: object) -> None:
        """See IReactorFromThreads."""
        self.said.put((call, arguments))

    def hear(self) -> None:
        """Take what the next thread says."""
        call, arguments = self.said.get(timeout=_PATIENCE_SECONDS)
        call(*arguments)


class ThreadTests(SynchronousTestCase):
    """One piece of work."""

    def setUp(self) -> None:
        """Nothing is done yet."""
        self.reactor = Reactor()

    def test_it_is_done_elsewhere_and_what_it_returns_comes_back(self) -> None:
        """On a thread that does nothing else."""
        done = on_thread(self.reactor, threading.get_ident)
        self.assertNoResult(done)
        self.reactor.hear()
        self.assertNotEqual(self.successResultOf(done), threading.get_ident())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_what_the_system_refuses_is_an_error_of_the_edge(self) -> None:
        """A bug stays what it is."""
        for error, expected in ((OSError(errno.EPERM, "no"), EdgeError), (KeyError("x"), KeyError)):
            done = on_thread(self.reactor, lambda error=error: _raise(error))  # type: ignore[misc]
            self.reactor.hear()
            self.failureResultOf(done, expected)

    def test_nobody_waits_for_ever(self) -> None:
        """What comes too late is nobody's any more."""
        held = threading.Event()
        self.addCleanup(held.set)
        done = on_thread(self.reactor, lambda: held.wait(_PATIENCE_SECONDS))
        self.reactor.advance(LIMIT_SECONDS)
        self.failureResultOf(done, EdgeTimeout)
        held.set()
        self.reactor.hear()


def _raise(error: Exception) -> None:
    raise error

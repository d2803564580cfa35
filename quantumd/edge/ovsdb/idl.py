"""The switch's database through a python-ovs Idl that the reactor drives."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from quantumd.edge.ovsdb.acting import switch_acted
from quantumd.edge.ovsdb.interfaces import BridgeRow, InterfaceChange, InterfaceRow, IOvsdb, Operation
from quantumd.edge.ovsdb.news import Mark, News
from quantumd.edge.ovsdb.replica import Fact, Loaded, Replica
from quantumd.edge.ovsdb.requests import Requests
from quantumd.edge.ovsdb.statistics import Statistics, read_statistics
from quantumd.edge.ovsdb.watch import Watch, Wishes
from quantumd.errors import EdgeUnavailable

# What is worked on in one turn of the reactor; when more has come, the worker does it. See bench/ovsdb.py.
SMALL_BYTES = 16 * 1024
STATISTICS_SECONDS = 5.0
"""How long reading the counters may take."""

ACTING_SECONDS = 5.0
"""How long the switch may take to act; with thousands of ports it takes a second."""

TIME_LIMIT_SECONDS = 10.0
_RETRY_SECONDS = 0.02
_RESTART_SECONDS = 0.2


@implementer(IOvsdb)
class OvsIdl(Service):
    """Open vSwitch's database at a unix socket, while the service runs.

    Small messages are worked on in the reactor's thread. When much has come (a first load, a restart of the switch),
    the Idl is lent to a worker thread, and nothing else touches it until it comes back with the facts.

    :param reactor: time, descriptors and threads.
    :param remote: ``unix:`` and the path of the database's socket, which need not exist yet.
    :param time_limit_seconds: of a transaction, from when it is asked for.
    """

    _log = Logger()

    def __init__(self, reactor: Any, remote: str, time_limit_seconds: float = TIME_LIMIT_SECONDS) -> None:
        self._reactor = reactor
        self._remote = remote
        self._news = News()
        self._requests = Requests(reactor, time_limit_seconds)
        self._watch = Watch(reactor, reactor, self._look)
        self._replica: Replica | None = None
        self._worker: ThreadPool | None = None
        self._loan: Deferred[None] | None = None
        self._due: dict[Callable[[], None], IDelayedCall] = {}
        self._was_current = False
        self.is_connected = False

    def startService(self) -> None:
        """Connect, now and whenever the connection is lost."""
        super().startService()
        self._open()

    def stopService(self) -> Deferred[None] | None:
        """Disconnect; fires when the worker has let go."""
        super().stopService()
        self.is_connected = self._was_current = False
        self._watch.stop()
        for call in self._due.values():
            call.cancel()
        self._due.clear()
        self._requests.fail_all(lambda: EdgeUnavailable("The connection to the switch's database was closed."))
        if self._loan is not None:
            return self._loan.addCallback(lambda _: self._close())
        self._close()
        return None

    def on_connected(self, listener: Callable[[], None]) -> None:
        """See IOvsdb."""
        self._news.listeners.on_connected(listener)

    def on_interfaces(self, listener: Callable[[tuple[InterfaceChange, ...]], None]) -> None:
        """See IOvsdb. At most a few hundred changes in one turn of the reactor."""
        self._news.listeners.on_interfaces(listener)

    def on_bridge(self, listener: Callable[[str], None]) -> None:
        """See IOvsdb. A port more or less does not change a bridge."""
        self._news.listeners.on_bridge(listener)

    def interfaces(self) -> Mapping[str, InterfaceRow]:
        """See IOvsdb. A view: it agrees with the changes told so far, and follows them."""
        return self._news.content.interfaces()

    def bridge(self, name: str) -> BridgeRow | None:
        """See IOvsdb."""
        return self._news.content.bridge(name)

    def ports_of(self, bridge: str) -> frozenset[str]:
        """See IOvsdb."""
        return self._news.content.ports_of(bridge)

    def acted(self) -> Deferred[None]:
        """See IOvsdb."""
        if not self.is_connected:
            return fail(EdgeUnavailable("The switch's database is not connected."))
        path = self._remote.removeprefix("unix:")
        return Deferred.fromCoroutine(switch_acted(self._reactor, path, ACTING_SECONDS))

    def statistics(self) -> Deferred[Statistics]:
        """See IOvsdb."""
        if not self.is_connected:
            return fail(EdgeUnavailable("The switch's database is not connected."))
        path = self._remote.removeprefix("unix:")
        return Deferred.fromCoroutine(read_statistics(self._reactor, path, STATISTICS_SECONDS))

    def transact(self, operations: tuple[Operation, ...]) -> Deferred[None]:
        """See IOvsdb. One is on its way at a time; an interrupted one is sent again within the time limit."""
        if not self.is_connected:
            return fail(EdgeUnavailable("The switch's database is not connected."))
        done = self._requests.ask(operations)
        self._advance()
        return done

    # The connection.

    def _open(self) -> None:
        self._replica = Replica(self._remote)
        self._look()

    def _close(self) -> None:
        self._news.clear()
        if self._replica is not None:
            self._replica.close()
            self._replica = None
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def _start_afresh(self, failure: Failure) -> None:
        self._log.failure("The connection to the switch's database failed", failure)
        self.is_connected = self._was_current = False
        self._watch.stop()
        self._requests.interrupt()
        if self._replica is not None:
            self._replica.close()
            self._replica = None
        self._later(_RESTART_SECONDS, self._open)

    # Reading, here or on the worker.

    def _look(self) -> None:
        """Have the Idl do what there is to do: here if it is little, on the worker if it is much."""
        if self._replica is None or self._loan is not None:
            return
        if self._replica.session.backlog_bytes() > SMALL_BYTES:
            self._lend(self._replica)
            return
        try:
            facts = self._replica.read(SMALL_BYTES)
        except Exception:  # noqa: BLE001 - a root: whatever came, and whatever the Idl made of it, a new connection helps.
            self._start_afresh(Failure())
        else:
            self._take(self._replica, facts)

    def _lend(self, replica: Replica) -> None:
        self._watch.pause()
        if self._worker is None:
            self._worker = ThreadPool(0, 1, "ovsdb")
            self._worker.start()
        self._loan = Deferred()
        reading = deferToThreadPool(self._reactor, self._worker, _read_much, replica)
        reading.addBoth(self._end_loan, replica)

    def _end_loan(self, outcome: list[Fact] | Failure, replica: Replica) -> None:
        loan, self._loan = self._loan, None
        if self.running and isinstance(outcome, Failure):
            self._start_afresh(outcome)
        elif self.running and not isinstance(outcome, Failure):
            self._take(replica, outcome)
        if loan is not None:
            loan.callback(None)

    def _take(self, replica: Replica, facts: list[Fact]) -> None:
        self._was_current = replica.is_current
        if self.is_connected and not self._was_current:
            self.is_connected = False
            self._log.warn("Connection to the switch's database at {remote} lost", remote=self._remote)
        self._news.add(facts)
        self._take_answer()
        if self._tell not in self._due:
            self._tell()
        self._follow()

    def _follow(self) -> None:
        if self._replica is not None and self._loan is None:
            wishes = Wishes()
            self._replica.wait(wishes)
            self._watch.follow(wishes)

    # Telling, and transactions.

    def _tell(self) -> None:
        """Tell the next few news; the rest in another turn."""
        self._reach(self._news.tell_some())
        if self._news.is_all_told:
            self._advance()
        else:
            self._later(0, self._tell)

    def _reach(self, mark: Mark | None) -> None:
        if isinstance(mark, Loaded):
            self._complete(mark)
        elif mark is not None:
            self._requests.settle(mark)
            if not mark.is_final:
                # Somebody changed what it relies on, or the connection was lost; do not hurry.
                self._later(_RETRY_SECONDS, self._advance)

    def _complete(self, loaded: Loaded) -> None:
        vanished = self._news.content.vanished(loaded)
        if vanished:
            self._news.add_first((*vanished, loaded))
        elif self._was_current:
            self.is_connected = True
            count = len(self._news.content.interfaces())
            self._log.info("Switch's database at {remote} known: {count} interfaces", remote=self._remote, count=count)
            self._news.listeners.tell_connected()

    def _advance(self) -> None:
        """Send the next transaction, once everything known is told: it is composed from what was told."""
        is_free = self._loan is None and self._advance not in self._due and self._news.is_all_told
        if self._replica is None or not self.is_connected or not is_free:
            return
        self._requests.send(self._replica, self._news.content)
        self._take_answer()
        if not self._news.is_all_told:
            self._later(0, self._tell)
        self._follow()

    def _take_answer(self) -> None:
        answer = self._requests.answer()
        if answer is not None:
            self._news.add((answer,))

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        """Do some work later, unless it is due already or the service stops."""
        if self.running and work not in self._due:
            self._due[work] = self._reactor.callLater(seconds, self._work, work)

    def _work(self, work: Callable[[], None]) -> None:
        del self._due[work]
        work()


def _read_much(replica: Replica) -> list[Fact]:
    """Read all that has come; runs on the worker.

    A collection of garbage stops every thread, for 40 ms with 1,000 ports. While rows are made nothing of them is
    garbage; and once the whole content is there, collections need not look at it again (rows form no cycles).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        facts = replica.read(None, breathes=True)
        if any(isinstance(fact, Loaded) for fact in facts):
            gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
    return facts

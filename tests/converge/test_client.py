"""A role's side of the bus when the other side is away."""

from __future__ import annotations

from functools import partial

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from quantumd.bus.errors import AskedFailed
from quantumd.bus.memory import MemoryBus
from quantumd.compile.digest import bucket_of
from quantumd.converge.client import API_ADDRESS, RecordsClient, Reporter
from quantumd.converge.records import Records
from quantumd.errors import EdgeUnavailable
from quantumd.model.messages import Ack, CompareReply, FetchReply, FetchRequest, Message, PortReport, Update
from quantumd.model.records import NetworkRecord, RecordKey, key_of


class Loop:
    """Takes what changes."""

    def records_changed(self, changed: frozenset[RecordKey], is_complete: bool) -> None:
        """See TakesRecords."""


def answer(message: Message) -> Message:
    """Answer as a server does that has nothing for the host."""
    return CompareReply(())


class AwayTests(SynchronousTestCase):
    """Nobody answers at first."""

    def setUp(self) -> None:
        """A bus without a server."""
        self.clock = Clock()
        self.bus = MemoryBus(self.clock)
        self.warnings: list[str] = []
        globalLogPublisher.addObserver(self.note)  # type: ignore[arg-type]
        self.addCleanup(globalLogPublisher.removeObserver, self.note)  # type: ignore[arg-type]

    def note(self, event: dict[str, object]) -> None:
        """Keep what warns."""
        if event["log_level"].name == "warn":  # type: ignore[attr-defined]
            self.warnings.append(str(event["log_format"]))

    def let_pass(self, seconds: float) -> None:
        """Let time pass in small steps."""
        self.clock.pump([0.1] * int(seconds * 10))

    def test_it_compares_until_it_can_and_says_once_that_it_cannot(self) -> None:
        """And again when it cannot once more."""
        client = RecordsClient(self.bus, self.clock, "host-a", "l2", Records(), Loop())
        client.startService()
        self.let_pass(60)
        self.assertEqual((client.is_complete, len(self.warnings)), (False, 1))
        self.bus.consume(API_ADDRESS, answer)
        self.let_pass(1)
        self.assertTrue(client.is_complete)
        del self.bus._consumers[API_ADDRESS]
        self.bus.lose()
        self.let_pass(10)
        self.assertEqual(len(self.warnings), 2)

    def test_what_is_lost_while_it_compares_is_looked_for_afterwards(self) -> None:
        """At once: what the server said may be older than the loss."""
        asked: list[Message] = []
        held: list[Deferred[Message]] = []

        def hold(message: Message) -> Message | Deferred[Message]:
            asked.append(message)
            held.append(Deferred())
            return held[-1]

        self.bus.consume(API_ADDRESS, hold)
        client = RecordsClient(self.bus, self.clock, "host-a", "l2", Records(), Loop())
        client.startService()
        self.let_pass(1)
        self.bus.lose()
        held[0].callback(CompareReply(()))
        self.let_pass(1)
        self.assertEqual(len(held), 2)
        held[1].callback(CompareReply(()))
        self.let_pass(30)
        self.assertEqual(len(held), 2)

    def test_hosts_that_began_together_do_not_go_on_together(self) -> None:
        """After an outage all compare at once; a minute later each by itself, not all at once again."""
        asked: list[float] = []

        def note(message: Message) -> Message:
            asked.append(self.clock.seconds())
            return answer(message)

        self.bus.consume(API_ADDRESS, note)
        for chance in (0.0, 1.0):
            client = RecordsClient(
                self.bus, self.clock, "host-a", "l2", Records(), Loop(), chance=partial(float, chance)
            )
            client.startService()
        self.let_pass(70)
        self.assertEqual([round(each / 15) * 15 for each in asked], [0, 0, 45, 60])

    def test_an_older_server_is_asked_as_it_understands(self) -> None:
        """It refuses a request that says what is known; then it is asked for everything."""
        record = NetworkRecord("n1", 3, "local", None, None, 1500, True, None, ())
        known = evolve(record, id="n2", version=2)
        asked: list[tuple[str, ...]] = []

        def old(message: Message) -> Message:
            if not isinstance(message, FetchRequest):
                return CompareReply((bucket_of(key_of(record)), bucket_of(key_of(known))))
            asked.append(message.known)
            if message.known:
                raise AskedFailed("message of kind 'fetch' version 2 is unknown here")
            return FetchReply(9, (record,))

        self.bus.consume(API_ADDRESS, old)
        records = Records()
        records.apply(Update("host-a", "l2", (known,)))
        RecordsClient(self.bus, self.clock, "host-a", "l2", records, Loop()).startService()
        self.let_pass(1)
        self.assertEqual((list(records), [len(each) for each in asked]), ([record], [1, 0]))

    def test_a_loss_that_lasts_is_no_reason_to_hurry(self) -> None:
        """While every try is lost it is tried twice a second."""
        tries: list[Message] = []

        def lose(message: Message) -> Message:
            tries.append(message)
            self.bus.lose()
            raise EdgeUnavailable("the broker went")

        self.bus.consume(API_ADDRESS, lose)
        RecordsClient(self.bus, self.clock, "host-a", "l2", Records(), Loop()).startService()
        self.let_pass(10)
        self.assertLess(len(tries), 22)

    def test_it_reports_until_it_can_and_says_once_that_it_cannot(self) -> None:
        """What is reported waits."""
        reporter = Reporter(self.bus, self.clock, "host-a", "l2")
        reporter.tell((PortReport("p1", 3, True, None),), False)
        self.let_pass(60)
        self.assertEqual((reporter.waiting, len(self.warnings)), (1, 1))
        self.bus.consume(API_ADDRESS, lambda message: Ack())
        self.let_pass(1)
        self.assertEqual((reporter.waiting, len(self.warnings)), (0, 1))

    def test_a_reporter_that_is_stopped_tries_no_more(self) -> None:
        """Nor when what it tries at that moment fails afterwards."""
        held: Deferred[Message] = Deferred()
        self.bus.consume(API_ADDRESS, lambda message: held)
        reporter = Reporter(self.bus, self.clock, "host-a", "l2")
        reporter.startService()
        reporter.tell((PortReport("p1", 3, True, None),), False)
        self.let_pass(1)
        reporter.stopService()
        held.errback(EdgeUnavailable("the broker went"))
        self.let_pass(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

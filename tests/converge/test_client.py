"""A role's side of the bus when the other side is away."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from quantumd.bus.memory import MemoryBus
from quantumd.converge.client import API_ADDRESS, RecordsClient, Reporter
from quantumd.converge.records import Records
from quantumd.model.records import Ack, CompareReply, HostReport, Message, PortReport, RecordKey

ME = HostReport("host-a", "l2", "1")


class Loop:
    """Takes what changes."""

    def records_changed(self, changed: frozenset[RecordKey], is_complete: bool) -> None:
        """See TakesRecords."""


def answer(message: Message) -> Message:
    """Answer as a server does that has nothing for the host."""
    return Ack() if isinstance(message, HostReport) else CompareReply(())


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

    def test_it_reports_until_it_can_and_says_once_that_it_cannot(self) -> None:
        """What is reported waits."""
        reporter = Reporter(self.bus, self.clock, "host-a", "l2")
        reporter.tell((PortReport("p1", 3, True, None),), False)
        self.let_pass(60)
        self.assertEqual((reporter.waiting, len(self.warnings)), (1, 1))
        self.bus.consume(API_ADDRESS, lambda message: Ack())
        self.let_pass(1)
        self.assertEqual((reporter.waiting, len(self.warnings)), (0, 1))

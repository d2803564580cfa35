"""What a role tells the server of itself, and when."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from quantumd.bus.memory import MemoryBus
from quantumd.converge.client import API_ADDRESS
from quantumd.converge.presence import LOOK_SECONDS, PROGRESS_SECONDS, REPORT_SECONDS, Presence
from quantumd.model.messages import Ack, HostReply, HostReport, Message
from quantumd.model.role_state import Fault, RoleState

ME = HostReport("host-a", "l2", "1")
BROKEN = (Fault("bridge", "br-ex", "it is gone"),)


class PresenceTests(SynchronousTestCase):
    """A role whose server keeps what it hears."""

    def setUp(self) -> None:
        """Have both; the server wants a report every 20 seconds."""
        self.clock = Clock()
        self.bus = MemoryBus(self.clock)
        self.me, self.state = ME, RoleState(0, 0)
        self.answer: Message = HostReply(20.0)
        self.heard: list[Message] = []
        self.presence = Presence(self.bus, self.clock, lambda: self.me, lambda: self.state)
        self.addCleanup(self.presence.stopService)
        self.warnings = 0

    def take(self, message: Message) -> Message:
        """Take what a role says."""
        self.heard.append(message)
        return self.answer

    def listen(self) -> None:
        """Have the server answer."""
        self.bus.consume(API_ADDRESS, self.take)

    def start(self) -> None:
        """Start both; the first report is heard and forgotten."""
        self.listen()
        self.presence.startService()
        self.let_pass(0.1)
        self.assertEqual(self.heard, [evolve(ME, state=self.state)])
        self.heard.clear()

    def let_pass(self, seconds: float) -> None:
        """Let time pass in small steps."""
        self.clock.pump([0.1] * round(seconds * 10))

    def test_it_reports_as_often_as_the_server_wants(self) -> None:
        """So that its host does not seem silent."""
        self.start()
        self.let_pass(61)
        self.assertEqual(len(self.heard), 3)

    def test_a_report_that_is_lost_is_made_again_in_time(self) -> None:
        """Two in a row may be, and its host does not seem silent."""
        self.answer = HostReply(1.0)
        self.start()
        lost: list[Deferred[Message]] = [Deferred(), Deferred()]
        self.bus.consume(API_ADDRESS, lambda message: lost.pop() if lost else self.take(message))
        self.let_pass(4.0)
        self.assertEqual((len(lost), len(self.heard)), (0, 1))

    def test_a_server_of_before_hears_it_once_a_minute(self) -> None:
        """It does not say how often it wants."""
        self.answer = Ack()
        self.start()
        self.let_pass(2 * REPORT_SECONDS + 1)
        self.assertEqual(len(self.heard), 2)

    def test_what_it_is_it_tells_at_once(self) -> None:
        """A bridge's datapath, for instance."""
        self.start()
        self.me = evolve(ME, vif_type="ovs")
        self.presence.look()
        self.let_pass(0.1)
        self.assertEqual(self.heard, [evolve(self.me, state=self.state)])

    def test_a_fault_is_told_soon(self) -> None:
        """Whether a pass was made or the world could not even be seen."""
        self.start()
        self.state = RoleState(0, 1, "", BROKEN)
        self.let_pass(LOOK_SECONDS + 0.3)
        self.assertEqual(self.heard, [evolve(ME, state=self.state)])

    def test_progress_costs_no_report_a_pass(self) -> None:
        """Passes come hundreds a second, and the server writes each report."""
        self.start()
        for position in range(100):
            self.state = RoleState(position, 0)
            self.presence.look()
            self.let_pass(0.1)
        self.assertEqual(len(self.heard), 10 / PROGRESS_SECONDS - 1)
        self.let_pass(PROGRESS_SECONDS)
        self.assertEqual(self.heard[-1], evolve(ME, state=self.state))

    def test_what_only_waits_is_told_with_the_next_report(self) -> None:
        """Keys that wait come and go with every change."""
        self.start()
        self.state = RoleState(0, 5)
        self.let_pass(19)
        self.assertEqual(self.heard, [])

    def test_it_is_told_when_somebody_listens(self) -> None:
        """Until then it is tried again; that it cannot is said once."""
        globalLogPublisher.addObserver(self.note)  # type: ignore[arg-type]
        self.addCleanup(globalLogPublisher.removeObserver, self.note)  # type: ignore[arg-type]
        self.presence.startService()
        told = self.presence.when_told()
        self.let_pass(30)
        self.assertNoResult(told)
        self.assertEqual(self.warnings, 1)
        self.listen()
        self.let_pass(1)
        self.successResultOf(told)
        self.successResultOf(self.presence.when_told())
        self.assertEqual(len(self.heard), 1)

    def note(self, event: dict[str, object]) -> None:
        """Count what warns."""
        self.warnings += event["log_level"].name == "warn"  # type: ignore[attr-defined]

    def test_it_is_told_again_when_something_may_be_lost(self) -> None:
        """A broker that is back has a server behind it that may have missed a report."""
        self.start()
        self.bus.lose()
        self.let_pass(0.1)
        self.assertEqual(len(self.heard), 1)

"""Changes that are asked for together are one for the switch, and each has its own outcome."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.openflow.interfaces import Flow, SwitchChange
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.edge.openflow.refusal import SwitchRefused
from quantumd.errors import EdgeUnavailable
from quantumd.l2.drivers.ovs.plan import Held
from quantumd.l2.drivers.ovs.writing import FlowWriter, together

ONE, OTHER = (Flow(1, 1, match(in_port=number), 1, b"") for number in (1, 2))
BAD = Flow(1, 1, match(ipv4_dst=1), 1, b"")


class WritingTests(SynchronousTestCase):
    """On a switch in memory."""

    def setUp(self) -> None:
        """Connect it."""
        self.clock, self.switch, self.held = Clock(), MemorySwitch(), Held()
        self.switch.start()
        self.writer = FlowWriter(self.switch, self.clock)

    def test_what_is_asked_for_in_one_turn_is_one_change(self) -> None:
        """And what is held is what the switch holds."""
        asked = [self.writer.write(SwitchChange(put_flows=(flow,)), self.held) for flow in (ONE, OTHER)]
        self.clock.advance(0)
        self.assertEqual([self.successResultOf(each) for each in asked], [None, None])
        self.assertEqual(len(self.switch.changes), 1)
        self.assertEqual(self.held.flows, self.switch.flows)

    def test_a_refused_change_fails_alone(self) -> None:
        """Others are made."""
        asked = [self.writer.write(SwitchChange(put_flows=(flow,)), self.held) for flow in (ONE, BAD, OTHER)]
        self.clock.advance(0)
        self.failureResultOf(asked[1], SwitchRefused)
        self.assertEqual(set(self.switch.flows.values()), {ONE, OTHER})
        self.assertEqual(self.held.flows, self.switch.flows)

    def test_without_a_switch_all_fail(self) -> None:
        """As edges do."""
        self.switch.disconnect()
        asked = [self.writer.write(SwitchChange(put_flows=(flow,)), self.held) for flow in (ONE, OTHER)]
        self.clock.advance(0)
        for each in asked:
            self.failureResultOf(each, EdgeUnavailable)
        self.assertEqual(self.held.flows, {})

    def test_what_one_removes_and_another_puts_is_put(self) -> None:
        """In whatever order they come: a port's number was given to another port."""
        changes = [SwitchChange(put_flows=(ONE,)), SwitchChange(remove_flows=(ONE, OTHER))]
        for order in (changes, changes[::-1]):
            self.assertEqual(together(order), SwitchChange(put_flows=(ONE,), remove_flows=(OTHER,)))

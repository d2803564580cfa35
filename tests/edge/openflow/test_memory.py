"""The bridge in memory keeps the contract of a switch, and its world can be moved."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from quantumd.edge.openflow.actions import DROP, instructions, output
from quantumd.edge.openflow.interfaces import Flow, SwitchChange
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.edge.openflow.memory_channel import MemoryPacketChannel
from quantumd.edge.openflow.refusal import SwitchRefused
from quantumd.errors import EdgeUnavailable
from tests.contracts.switch import CONTROLLER_ID, DROP_FLOW, IP_FLOW, PADDED, SwitchContract


class MemorySwitchContractTests(SwitchContract, TestCase):
    """The contract, kept by MemorySwitch and MemoryPacketChannel."""

    def setUp(self) -> None:
        self.switch = MemorySwitch()
        self.channel = MemoryPacketChannel(self.switch, CONTROLLER_ID)
        self.switch.start()
        self.channel.start()

    def add_port(self, name: str) -> int:
        """Plug a port."""
        return self.switch.add_port(len(self.switch.ports) + 1, name).ofport

    def remove_port(self, name: str) -> None:
        """Unplug a port."""
        self.switch.remove_port(self._number(name))

    def inject(self, ofport: int, frame: bytes) -> None:
        """Let a frame come in by a port."""
        self.switch.inject(ofport, frame)

    def frames_of(self, name: str) -> list[bytes]:
        """Return the list to which frames that leave by a port will be added."""
        frames: list[bytes] = []
        self.switch.on_output(self._number(name), frames.append)
        return frames

    def restart(self) -> None:
        """Restart the switch."""
        self.switch.restart()

    def change_by_others(self, flow: Flow) -> None:
        """Put a flow."""
        self.switch.change_by_others(SwitchChange(put_flows=(flow,)))

    def until(self, is_so: Callable[[], bool]) -> Deferred[None]:
        """Everything is done at once here."""
        self.assertTrue(is_so())
        return succeed(None)

    def _number(self, name: str) -> int:
        return next(port.ofport for port in self.switch.ports.values() if port.name == name)


class TurnTests(SynchronousTestCase):
    """Large changes, where there is a clock."""

    def setUp(self) -> None:
        """Connect a switch, and ask for many flows and for one of them to go."""
        self.clock = Clock()
        self.switch = MemorySwitch(self.clock)
        self.switch.start()
        self.flows = tuple(Flow(1, 1, match(in_port=number), 1, b"") for number in range(1, 2502))

    def test_they_take_turns_and_keep_their_order(self) -> None:
        """Nothing of a change is there before all of it; what is asked for next waits."""
        many = self.switch.change(SwitchChange(put_flows=self.flows))
        less = self.switch.change(SwitchChange(remove_flows=self.flows[:1]))
        self.assertNoResult(many)
        self.assertNoResult(less)
        self.assertEqual(self.switch.flows, {})
        self.clock.advance(0)
        self.assertEqual((self.successResultOf(many), self.successResultOf(less)), (None, None))
        self.assertEqual(len(self.switch.flows), 2500)

    def test_a_lost_connection_ends_them(self) -> None:
        """As on a real switch nothing of them is done."""
        many = self.switch.change(SwitchChange(put_flows=self.flows))
        self.switch.disconnect()
        self.clock.advance(0)
        self.failureResultOf(many, EdgeUnavailable)
        self.assertEqual(self.switch.flows, {})


class MemorySwitchTests(SynchronousTestCase):
    """What only the bridge in memory can be told to do."""

    def setUp(self) -> None:
        self.switch = MemorySwitch()
        self.switch.start()

    def test_refuses_when_told(self) -> None:
        """The next change is refused and changes nothing; the one after it is made."""
        self.switch.refuse_next("no more room")
        refused = self.failureResultOf(self.switch.change(SwitchChange(put_flows=(IP_FLOW,))), SwitchRefused)
        self.assertEqual(refused.value.reason, "no more room")
        self.assertEqual(self.switch.state().flows, ())
        self.successResultOf(self.switch.change(SwitchChange(put_flows=(IP_FLOW,))))
        self.assertEqual(self.switch.state().flows, (IP_FLOW,))

    def test_disconnected_keeps_what_it_holds(self) -> None:
        """Flows outlive the connection, changes fail without it."""
        self.successResultOf(self.switch.change(SwitchChange(put_flows=(IP_FLOW,))))
        self.switch.disconnect()
        self.failureResultOf(self.switch.change(SwitchChange(put_flows=(DROP_FLOW,))), EdgeUnavailable)
        self.switch.connect()
        self.assertEqual(self.successResultOf(self.switch.read()).flows, (IP_FLOW,))

    def test_delivers_between_ports(self) -> None:
        """A frame that comes in by one port is heard at the other."""
        heard: list[bytes] = []
        self.switch.add_port(1, "one")
        self.switch.add_port(2, "two")
        self.switch.on_output(2, heard.append)
        flow = Flow(0, 1, match(in_port=1), 1, instructions(output(2)))
        self.successResultOf(self.switch.change(SwitchChange(put_flows=(flow,))))
        self.switch.inject(1, PADDED)
        self.assertEqual(heard, [PADDED])

    def test_walk_delivers_nothing(self) -> None:
        """To ask where a frame would go does not send it."""
        heard: list[bytes] = []
        self.switch.add_port(1, "one")
        self.switch.on_output(1, heard.append)
        flow = Flow(0, 1, match(), 1, instructions(output(1)))
        self.successResultOf(self.switch.change(SwitchChange(put_flows=(flow,))))
        done = self.switch.walk(2, PADDED)
        self.assertEqual(([out.ofport for out in done.outputs], heard), ([1], []))

    def test_walk_sees_every_change(self) -> None:
        """Flows put, replaced and removed between walks count at once."""
        self.switch.add_port(1, "one")
        put = Flow(0, 1, match(in_port=2), 1, instructions(output(1)))
        self.successResultOf(self.switch.change(SwitchChange(put_flows=(put,))))
        first = self.switch.walk(2, PADDED)
        self.successResultOf(self.switch.change(SwitchChange(put_flows=(Flow(0, 1, match(in_port=2), 1, DROP),))))
        second = self.switch.walk(2, PADDED)
        self.successResultOf(self.switch.change(SwitchChange(remove_flows=(put,))))
        third = self.switch.walk(2, PADDED)
        self.assertEqual([len(walk.outputs) for walk in (first, second, third)], [1, 0, 0])
        self.assertEqual([walk.hops[0].flow is None for walk in (first, second, third)], [False, False, True])

"""Ports of devices that go and come: the switch has let go of one before it hears of the next of its name."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.ovsdb.memory import MemoryOvsdb
from quantumd.errors import EdgeTimeout
from quantumd.l2.drivers.ovs.device_ports import LEAVES_SECONDS, DevicePorts
from tests.l2.drivers.ovs.test_plugs import BRIDGE


class Busy(MemoryOvsdb):
    """A database whose switch acts when the test says so; ``asked`` are those who wait for it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, lambda _bridge, _name: 7)
        self.asked: list[Deferred[None]] = []
        self.is_late = False

    def acted(self) -> Deferred[None]:
        """See IOvsdb."""
        if self.is_late:
            return fail(EdgeTimeout("The switch did not act."))
        self.asked.append(Deferred())
        return self.asked[-1]


class DevicePortsTests(SynchronousTestCase):
    """A bridge."""

    def setUp(self) -> None:
        """Connect."""
        self.clock = Clock()
        self.ovsdb = Busy(self.clock)
        self.ovsdb.put_bridge_row(BRIDGE)
        self.ovsdb.startService()
        self.turn()
        self.ports = DevicePorts(self.ovsdb, "br-int", self.clock)

    def turn(self) -> None:
        """Let happen what is due."""
        self.clock.pump([0.0] * 8)

    def there(self) -> bool:
        """Whether the port is in the database."""
        self.turn()
        return "tap1" in self.ovsdb.interfaces()

    def test_nothing_is_waited_for_at_first(self) -> None:
        """Nor for another device."""
        self.ports.remove("tap2")
        self.ports.put("tap1", {})
        self.assertTrue(self.there())
        self.assertEqual(self.ovsdb.asked, [])

    def test_one_that_comes_again(self) -> None:
        """When the switch has acted, and then at once."""
        self.ports.put("tap1", {})
        self.ports.remove("tap1")
        put = self.ports.put("tap1", {"iface-id": "1"})
        self.assertFalse(self.there())
        self.ovsdb.asked.pop().callback(None)
        self.assertTrue(self.there())
        self.successResultOf(put)
        self.ports.put("tap1", {"iface-id": "2"})
        self.assertEqual(self.ovsdb.asked, [])

    def test_a_switch_that_does_not_act(self) -> None:
        """It is not told of the next one, however often that is tried."""
        self.ports.put("tap1", {})
        self.ports.remove("tap1")
        self.ovsdb.is_late = True
        for _ in range(2):
            self.failureResultOf(self.ports.put("tap1", {}), EdgeTimeout)
            self.assertFalse(self.there())

    def test_it_is_not_remembered_for_ever(self) -> None:
        """What never comes again is forgotten when others go."""
        self.ports.remove("tap1")
        self.clock.advance(LEAVES_SECONDS + 1)
        self.ports.remove("tap2")
        self.ports.put("tap1", {})
        self.assertTrue(self.there())

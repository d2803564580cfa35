"""``quantumctl cleanup``: what it would do, from what is there."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.ctl.cleanup import OUR_COOKIES, OWNER_KEY, Row, commands_for, namespace_commands
from quantumd.l2.drivers.ovs.bridges import OWNED
from quantumd.l2.drivers.ovs.pipeline import Feature, cookie
from quantumd.l2.drivers.ovs.plugs import OWNER

OURS = {"quantumd-owned": "true"}


def purposes(*rows: Row, flows: tuple[str, ...] = ()) -> list[str]:
    """Return what would be done, in order."""
    return [command.purpose for command in commands_for(rows, flows, "br-int", "/run/ovs")]


class CleanupTests(SynchronousTestCase):
    """Marked things go, others stay."""

    def test_nothing_of_ours_means_nothing_to_do(self) -> None:
        """Strangers' bridges and ports are not touched."""
        rows = (Row("Bridge", "1", "br-ex", {}), Row("Port", "2", "tap1", {"iface-id": "x"}))
        self.assertEqual(purposes(*rows), [])

    def test_a_bridge_of_ours_is_removed_whole(self) -> None:
        """Its flows, groups and its own port go with it."""
        rows = (Row("Bridge", "1", "br-int", OURS), Row("Port", "2", "br-int", OURS))
        self.assertEqual(purposes(*rows, flows=("br-int",)), ["remove bridge br-int"])

    def test_an_integration_bridge_of_somebody_else_stays_without_our_flows(self) -> None:
        """It was there before quantumd and is there after; notes on it go."""
        row = Row("Bridge", "1", "br-int", {"quantumd-network-a": "7", "theirs": "x"})
        self.assertEqual(
            purposes(row, flows=("br-int",)),
            [
                "remove flows of quantumd from br-int",
                "remove groups from br-int",
                "remove meters from br-int",
                "remove 1 marks from Bridge br-int",
            ],
        )

    def test_groups_of_a_physical_bridge_are_not_ours(self) -> None:
        """Groups carry no cookie, so only those of the integration bridge can be told to be quantumd's."""
        self.assertEqual(
            purposes(Row("Bridge", "1", "br-ex", {}), flows=("br-ex",)), ["remove flows of quantumd from br-ex"]
        )

    def test_devices_of_routers_go_and_their_namespaces(self) -> None:
        """By the mark of their owner, and by their names; those of others stay."""
        rows = (Row("Port", "1", "tap1", {}), Row("Interface", "2", "tap1", {OWNER_KEY: "r", "iface-id": "p"}))
        self.assertEqual(purposes(*rows), ["remove port tap1"])
        ours, others = (f"{prefix}0a000000-0000-4000-8000-000000000001" for prefix in ("quantumd-", "other-"))
        names = ("qrouter-1", "quantumd-b", ours, others, "vm")
        self.assertEqual([each.purpose for each in namespace_commands(names)], [f"remove namespace {ours}"])
        found = [each.purpose for each in namespace_commands(names, "other-")]
        self.assertEqual(found, [f"remove namespace {others}"])

    def test_ports_go_before_bridges(self) -> None:
        """The patch port on a physical bridge first."""
        rows = (Row("Bridge", "1", "br-int", OURS), Row("Port", "2", "phy-br-ex", OURS))
        self.assertEqual(purposes(*rows), ["remove port phy-br-ex", "remove bridge br-int"])

    def test_the_marks_are_those_that_the_driver_sets(self) -> None:
        """cleanup is a program of its own and must know the driver's marks."""
        self.assertEqual(OWNED, OURS)
        self.assertEqual(OWNER_KEY, OWNER)
        self.assertEqual(OUR_COOKIES, f"cookie={cookie(Feature(0), 0):#x}/0xff00000000000000")

"""Bridges of physical networks that do not carry them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.ovsdb.interfaces import InterfaceRow
from quantumd.l2.drivers.ovs.bridges import BridgePlan, broken_mappings

PLAN = BridgePlan("br-int", {"physnet1": "br-ex", "physnet2": "br-b"}, "system")


def patches(**ofports: int | None) -> dict[str, InterfaceRow]:
    """Return patch ports of both bridges with number 1, but for those that are given."""
    names = ("int-br-ex", "phy-br-ex", "int-br-b", "phy-br-b")
    numbers = dict.fromkeys(names, 1) | {name.replace("_", "-"): number for name, number in ofports.items()}
    return {
        name: InterfaceRow(name, {}, number, "no such bridge" if number == -1 else None)
        for name, number in numbers.items()
    }


class BrokenMappingTests(SynchronousTestCase):
    """Two physical networks."""

    def broken(self, interfaces: dict[str, InterfaceRow]) -> dict[str, str]:
        """Return what is broken."""
        return broken_mappings(PLAN, interfaces)

    def test_open_patches_carry_it(self) -> None:
        """Then nothing is broken."""
        self.assertEqual(self.broken(patches()), {})

    def test_a_patch_without_a_number_is_named(self) -> None:
        """A bridge that Open vSwitch does not make, for instance; the other network is as it was."""
        why = "physnet1 is cut off: Open vSwitch does not open phy-br-ex"
        self.assertEqual(self.broken(patches(phy_br_ex=None)), {"physnet1": why})

    def test_its_reason_is_said_where_there_is_one(self) -> None:
        """As Open vSwitch says it."""
        why = "physnet2 is cut off: Open vSwitch does not open int-br-b (no such bridge) and phy-br-b (no such bridge)"
        self.assertEqual(self.broken(patches(int_br_b=-1, phy_br_b=-1)), {"physnet2": why})

    def test_a_patch_that_somebody_removed_is_named(self) -> None:
        """Until it is put back."""
        interfaces = patches()
        del interfaces["int-br-b"]
        self.assertEqual([*self.broken(interfaces)], ["physnet2"])

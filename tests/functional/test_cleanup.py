"""``quantumctl cleanup`` on a real Open vSwitch."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import L2Settings
from quantumd.ctl.cleanup import clean
from quantumd.l2.drivers.ovs.pipeline import Feature, cookie
from tests.bed.needs import OVS, missing
from tests.bed.openvswitch import PrivateOvs

STRANGERS_FLOW = "cookie=0x77,priority=7,actions=drop"


class CleanupTests(SynchronousTestCase):
    """Our things go, strangers' stay."""

    skip = missing(*OVS)

    def setUp(self) -> None:
        """A switch with a physical bridge of the operator's and an integration bridge that was there before us."""
        self.ovs = PrivateOvs(Path(self.mktemp()).resolve())
        self.addCleanup(self.ovs.stop)
        self.ovs.start()
        for bridge in ("br-int", "br-ex"):
            self.ovs.add_bridge(bridge)
            self.ovs.ofctl("add-flow", STRANGERS_FLOW, bridge=bridge)
            self.ovs.ofctl("add-flow", f"cookie={cookie(Feature.BASE, 3):#x},priority=9,actions=drop", bridge=bridge)
        self.ovs.vsctl("set", "bridge", "br-int", "external_ids:quantumd-network-a=7", "external_ids:theirs=x")
        self.ovs.vsctl(
            "add-port", "br-ex", "phy-br-ex", "--", "set", "interface", "phy-br-ex", "type=patch", "options:peer=none",
            "--", "set", "interface", "phy-br-ex", "external_ids:quantumd-owned=true",
        )  # fmt: skip
        self.settings = L2Settings(ovs_run_dir=str(self.ovs.directory))
        # Not the machine's own: others run routers on it.
        self.namespaces = self.ovs.directory / "netns"

    def state(self) -> tuple[str, str]:
        """Return bridges with their ports and notes, and the flows."""
        shown = [self.ovs.vsctl("list-ports", bridge) for bridge in ("br-int", "br-ex")]
        shown.append(self.ovs.vsctl("get", "bridge", "br-int", "external_ids"))
        flows = [self.ovs.ofctl("dump-flows", "--no-stats", bridge=bridge) for bridge in ("br-int", "br-ex")]
        return "|".join(shown), "|".join(flows)

    def test_our_flows_ports_and_notes_go_and_strangers_stay(self) -> None:
        """The bridges are not quantumd's, so they stay."""
        self.assertEqual(clean(self.settings, is_real=True, namespaces=self.namespaces), 0)
        rows, flows = self.state()
        self.assertEqual(rows, "||{theirs=x}\n")
        self.assertEqual((flows.count("0x77"), flows.count("cookie=")), (2, 2))

    def test_a_dry_run_changes_nothing(self) -> None:
        """It prints."""
        before = self.state()
        self.assertEqual(clean(self.settings, is_real=False, namespaces=self.namespaces), 0)
        self.assertEqual(self.state(), before)

    def test_a_bridge_that_quantumd_made_is_removed(self) -> None:
        """By its mark."""
        self.ovs.vsctl("set", "bridge", "br-int", "external_ids:quantumd-owned=true")
        self.assertEqual(clean(self.settings, is_real=True, namespaces=self.namespaces), 0)
        self.assertEqual(self.ovs.vsctl("list-br"), "br-ex\n")

"""What a host says counts for the next port of the same commit, though a host is read once a commit."""

from __future__ import annotations

from quantumd.api.hosts.rows import forget_silent
from quantumd.model.messages import HostReport
from quantumd.model.status import DHCP, L2
from tests.api.resources.case import ResourceCase

_LATER = "2026-11-20T10:05:05Z"


class HostAnewTests(ResourceCase):
    """Ports are created on a host before and after something is written of it."""

    def setUp(self) -> None:
        """Make a network."""
        super().setUp()
        self.network_id, _ = self.bed.network_with_subnet()

    def bound(self) -> tuple[str, object]:
        """Create a port on the host and return how that plugs it."""
        port = self.bed.create("port", network_id=self.network_id, binding__host_id="host")
        return port["binding:vif_type"], port["binding:vif_details"].get("bridge_name")

    def report(self, bridge: str) -> None:
        """Let the host say how it plugs."""
        self.bed.hear(HostReport("host", L2, "1", "ovs", f'{{"bridge_name": "{bridge}"}}'))

    def test_a_first_report_is_seen(self) -> None:
        """The host was not known to the port before."""
        self.assertEqual(self.bound(), ("binding_failed", None))
        self.report("br-int")
        self.assertEqual(self.bound(), ("ovs", "br-int"))

    def test_a_changed_report_is_seen(self) -> None:
        """The host plugs otherwise since it was started anew."""
        self.report("br-int")
        self.assertEqual(self.bound(), ("ovs", "br-int"))
        self.report("br-new")
        self.assertEqual(self.bound(), ("ovs", "br-new"))

    def test_a_report_brings_a_silent_host_back(self) -> None:
        """It was read when it was silent already."""
        self.report("br-int")
        self.bed.now = _LATER
        self.assertEqual(self.bound(), ("binding_failed", None))
        self.report("br-int")
        self.assertEqual(self.bound(), ("ovs", "br-int"))

    def test_a_forgotten_host_is_not_bound_to(self) -> None:
        """What is not written any more is not remembered either."""
        self.report("br-int")
        self.assertEqual(self.bound(), ("ovs", "br-int"))
        forget_silent(self.bed.tx(), L2, _LATER)
        self.assertEqual(self.bound(), ("binding_failed", None))

    def test_other_roles_take_nothing_away(self) -> None:
        """Only the l2 role says how ports are plugged."""
        self.report("br-int")
        self.bed.hear(HostReport("host", DHCP, "1"))
        forget_silent(self.bed.tx(), DHCP, _LATER)
        self.assertEqual(self.bound(), ("ovs", "br-int"))

"""Subnets of a routed network lead their hosts to those of other segments."""

from __future__ import annotations

from typing import Any

from tests.api.extensions.test_segments_resource import SegmentCase
from tests.api.resources.bed import View

_SUPERNET = {"destination": "10.0.0.0/8", "nexthop": "10.1.0.254"}


class PeerRouteTests(SegmentCase):
    """A network of two segments."""

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        self.network_id = self.bed.create("network")["id"]
        self.segment(self.network_id, physical_network="physnet2")
        self.segment_ids = [each["id"] for each in self.bed.listed("segment", network_id=(self.network_id,))]

    def subnet(self, number: int, at: int, **body: Any) -> View:
        """Make the subnet 10.number.0.0/24 on the first or second segment."""
        body = {"cidr": f"10.{number}.0.0/24", "ip_version": 4, **body}
        return self.bed.create("subnet", network_id=self.network_id, segment_id=self.segment_ids[at], **body)

    def routes(self, subnet: View) -> list[tuple[str, str]]:
        """Return what a subnet's routes are now."""
        shown = self.bed.show("subnet", subnet["id"])["host_routes"]
        return [(each["destination"], each["nexthop"]) for each in shown]

    def test_each_leads_to_the_other(self) -> None:
        """By its own gateway; the one that was there before has a revision more."""
        first, second = self.subnet(1, 0), self.subnet(2, 1)
        self.assertEqual(second["host_routes"], [{"destination": "10.1.0.0/24", "nexthop": "10.2.0.1"}])
        self.assertEqual(self.routes(first), [("10.2.0.0/24", "10.1.0.1")])
        self.assertEqual(self.bed.show("subnet", first["id"])["revision_number"], first["revision_number"] + 1)

    def test_hosts_are_told(self) -> None:
        """The network's record is as new as the last of its subnets."""
        self.subnet(1, 0, enable_dhcp=False)
        self.subnet(2, 1, enable_dhcp=False)
        self.assertEqual(self.network_version(self.network_id), self.position())
        self.assertEqual(self.journalled()[-2:], [("subnet", "create"), ("subnet", "update")])

    def test_of_one_segment_need_none(self) -> None:
        """They reach each other directly; and IPv6 is not led to IPv4."""
        first, second = self.subnet(1, 0), self.subnet(2, 0)
        sixth = self.subnet(6, 1, cidr="fd00::/64", ip_version=6)
        self.assertEqual([self.routes(first), self.routes(second), self.routes(sixth)], [[], [], []])

    def test_without_a_gateway_there_is_no_way(self) -> None:
        """Others still lead to it."""
        first, second = self.subnet(1, 0), self.subnet(2, 1, gateway_ip=None)
        self.assertEqual((self.routes(first), self.routes(second)), ([("10.2.0.0/24", "10.1.0.1")], []))

    def test_own_routes_that_lead_there_are_enough(self) -> None:
        """With a shorter prefix too."""
        first = self.subnet(1, 0, host_routes=[_SUPERNET])
        self.subnet(2, 1)
        self.assertEqual(self.routes(first), [("10.0.0.0/8", "10.1.0.254")])

    def test_another_gateway_is_another_way(self) -> None:
        """What led by the old one is replaced."""
        first = self.subnet(1, 0, allocation_pools=[{"start": "10.1.0.9", "end": "10.1.0.99"}])
        self.subnet(2, 1)
        changed = self.bed.update("subnet", first["id"], gateway_ip="10.1.0.5")
        self.assertEqual(changed["host_routes"], [{"destination": "10.2.0.0/24", "nexthop": "10.1.0.5"}])
        self.assertEqual(self.bed.update("subnet", first["id"], gateway_ip=None)["host_routes"], [])

    def test_they_cannot_be_taken_away(self) -> None:
        """A request without them leaves them, and is no revision when it changes nothing else."""
        first = self.subnet(1, 0)
        self.subnet(2, 1)
        before = self.bed.show("subnet", first["id"])
        self.assertEqual(self.bed.update("subnet", first["id"], host_routes=[]), before)
        added = self.bed.update(
            "subnet", first["id"], host_routes=[{"destination": "9.9.9.0/24", "nexthop": "10.1.0.9"}]
        )
        self.assertEqual([each["destination"] for each in added["host_routes"]], ["9.9.9.0/24", "10.2.0.0/24"])

    def test_they_go_with_the_subnet(self) -> None:
        """Those that a user made stay."""
        first, second = self.subnet(1, 0), self.subnet(2, 1)
        self.bed.update("subnet", first["id"], host_routes=[{"destination": "10.2.0.0/16", "nexthop": "10.1.0.9"}])
        third = self.subnet(3, 0)
        self.bed.delete("subnet", second["id"])
        self.assertEqual((self.routes(first), self.routes(third)), ([("10.2.0.0/16", "10.1.0.9")], []))

    def test_computed_ones_do_not_count(self) -> None:
        """A network may have more segments than the 20 routes that a request may name."""
        first = self.subnet(1, 0)
        for number in range(2, 25):
            self.subnet(number, 1)
        self.assertEqual(len(self.routes(first)), 23)
        self.assertEqual(self.bed.update("subnet", first["id"], name="x")["name"], "x")

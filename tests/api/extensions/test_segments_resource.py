"""Segments of networks as resources, and networks of several segments."""

from __future__ import annotations

from typing import Any

from quantumd.api.extensions.segments.hosts import (
    keep_physical_networks,
    segment_ids_of_network_on,
)
from quantumd.config import NetworkSettings
from tests.api.resources.bed import ALICE, View
from tests.api.resources.case import ResourceCase

NOWHERE = "00000000-0000-0000-0000-000000000000"


class SegmentCase(ResourceCase):
    """VLANs on two physical networks, and VNIs."""

    settings = NetworkSettings(
        tenant_network_types=("vlan",),
        vlan_ranges=("physnet1:100:109", "physnet2:100:109"),
        vxlan_ranges=("1:1000",),
    )
    physical_networks = ("physnet1", "physnet2")

    def segment(self, network_id: str, network_type: str = "vlan", **body: Any) -> View:
        """Make a segment."""
        return self.bed.create("segment", network_id=network_id, network_type=network_type, **body)


class SegmentTests(SegmentCase):
    """Life of a segment."""

    def test_every_network_has_one(self) -> None:
        """It shows what the provider attributes show."""
        network = self.bed.create("network")
        (segment,) = self.bed.listed("segment", network_id=(network["id"],))
        self.assertEqual(
            (segment["network_type"], segment["physical_network"], segment["segmentation_id"]),
            ("vlan", "physnet1", 100),
        )
        self.assertEqual(self.bed.show("segment", segment["id"]), segment)

    def test_flat_and_local_have_no_number(self) -> None:
        """And a tunnel has no physical network."""
        for body, expected in (
            ({"provider__network_type": "flat", "provider__physical_network": "physnet1"}, ("physnet1", None)),
            ({"provider__network_type": "local"}, (None, None)),
            ({"provider__network_type": "vxlan", "provider__segmentation_id": 7}, (None, 7)),
        ):
            network = self.bed.create("network", **body)
            (segment,) = self.bed.listed("segment", network_id=(network["id"],))
            self.assertEqual((segment["physical_network"], segment["segmentation_id"]), expected)

    def test_second_segment_is_shown_with_the_first(self) -> None:
        """In the network's list of segments, instead of its provider attributes; hosts are told of it."""
        network = self.bed.create("network")
        version = self.network_version(network["id"])
        segment = self.segment(network["id"], physical_network="physnet2", segmentation_id=5, name="s")
        self.assertEqual((segment["name"], segment["revision_number"]), ("s", 1))
        seen = self.bed.show("network", network["id"])
        self.assertIsNone(seen["provider:network_type"])
        self.assertEqual([each["provider:segmentation_id"] for each in seen["segments"]], [100, 5])
        self.assertEqual(seen["revision_number"], 2)
        self.assertGreater(self.network_version(network["id"]), version)

    def test_number_is_chosen(self) -> None:
        """When none is named."""
        network = self.bed.create("network")
        self.assertEqual(self.segment(network["id"], physical_network="physnet2")["segmentation_id"], 100)

    def test_held_segment_is_refused(self) -> None:
        """As that of another network is."""
        network = self.bed.create("network")
        held = {"physical_network": "physnet1", "segmentation_id": 100}
        self.assert_refused(409, "VlanIdInUse", self.segment, network["id"], **held)
        self.assert_refused(400, "InvalidInput", self.segment, network["id"], "nope")
        self.assert_refused(404, "NetworkNotFound", self.segment, NOWHERE)

    def test_name_and_description_change(self) -> None:
        """Nothing else does."""
        network = self.bed.create("network")
        (segment,) = self.bed.listed("segment", network_id=(network["id"],))
        changed = self.bed.update("segment", segment["id"], name="x", description="d")
        self.assertEqual((changed["name"], changed["description"]), ("x", "d"))
        self.assertEqual(self.bed.listed("segment", name=("x",)), [changed])

    def test_first_segment_goes(self) -> None:
        """Hosts are told of the next one, and the network shows that."""
        network = self.bed.create("network")
        (first,) = self.bed.listed("segment", network_id=(network["id"],))
        self.segment(network["id"], physical_network="physnet2", segmentation_id=5)
        self.bed.delete("segment", first["id"])
        seen = self.bed.show("network", network["id"])
        self.assertNotIn("segments", seen)
        self.assertEqual((seen["provider:physical_network"], seen["provider:segmentation_id"]), ("physnet2", 5))
        self.assertEqual(self.network_version(network["id"]), self.position())
        self.assertEqual(self.bed.create("network")["provider:segmentation_id"], 100)

    def test_needed_segments_stay(self) -> None:
        """The only one of a network, and that of a subnet."""
        network = self.bed.create("network")
        (first,) = self.bed.listed("segment", network_id=(network["id"],))
        message = self.assert_refused(409, "SegmentInUse", self.bed.delete, "segment", first["id"])
        self.assertIn("It is the only segment of its network", message)
        second = self.segment(network["id"], physical_network="physnet2")
        subnet = self.bed.create(
            "subnet", network_id=network["id"], cidr="10.9.0.0/24", ip_version=4, segment_id=second["id"]
        )
        message = self.assert_refused(409, "SegmentInUse", self.bed.delete, "segment", second["id"])
        self.assertEqual(
            message,
            f"Segment '{second['id']}' cannot be deleted: "
            f"The segment is still associated with subnet(s) {subnet['id']}.",
        )

    def test_network_that_is_routed_is_not_adjacent(self) -> None:
        """Its subnets belong to segments."""
        network = self.bed.create("network")
        self.assertTrue(network["l2_adjacency"])
        (segment,) = self.bed.listed("segment", network_id=(network["id"],))
        self.bed.create("subnet", network_id=network["id"], cidr="10.9.0.0/24", ip_version=4, segment_id=segment["id"])
        self.assertFalse(self.bed.show("network", network["id"])["l2_adjacency"])

    def test_networks_take_their_segments_along(self) -> None:
        """Deleted, they hold nothing."""
        network = self.bed.create("network")
        self.segment(network["id"], physical_network="physnet2")
        self.bed.delete("network", network["id"])
        self.assertEqual(self.bed.listed("segment"), [])


class HostTests(SegmentCase):
    """Which segments reach a host."""

    def test_hosts_have_the_segments_of_their_physical_networks(self) -> None:
        """As they said last; every tunnel reaches them."""
        network = self.bed.create("network")
        (first,) = self.bed.listed("segment", network_id=(network["id"],))
        second = self.segment(network["id"], physical_network="physnet2")
        tunnel = self.segment(network["id"], "vxlan")
        tx = self.bed.tx()
        self.assertTrue(keep_physical_networks(tx, "h1", ("physnet1",)))
        self.assertEqual(segment_ids_of_network_on(tx.connection, network["id"], "h1"), {first["id"], tunnel["id"]})
        self.assertTrue(keep_physical_networks(tx, "h1", ("physnet2",)))
        self.assertFalse(keep_physical_networks(tx, "h1", ("physnet2",)))
        self.assertEqual(segment_ids_of_network_on(tx.connection, network["id"], "h1"), {second["id"], tunnel["id"]})


class MultiProviderTests(SegmentCase):
    """Networks that are made of several segments."""

    def several(self, *segments: tuple[str, str | None, int | None]) -> View:
        """Make a network of these."""
        names = ("provider:network_type", "provider:physical_network", "provider:segmentation_id")
        given = [{name: value for name, value in zip(names, each, strict=True) if value} for each in segments]
        return self.bed.create("network", segments=given)

    def test_network_of_several_segments(self) -> None:
        """All are held, and the smallest MTU is the network's."""
        network = self.several(("vlan", "physnet1", 5), ("vxlan", None, None))
        self.assertEqual(self.bed.show("network", network["id"]), network)
        self.assertEqual(network["segments"][0]["provider:segmentation_id"], 5)
        self.assertEqual(network["mtu"], 1450)
        self.assert_refused(409, "VlanIdInUse", self.several, ("vlan", "physnet1", 5))

    def test_found_by_any_segment(self) -> None:
        """Filters of the provider attributes look at all of them."""
        network = self.several(("vlan", "physnet1", 5), ("vlan", "physnet2", 6))
        self.bed.create("network")
        for number in ("5", "6"):
            found = self.bed.listed("network", provider__segmentation_id=(number,))
            self.assertEqual([each["id"] for each in found], [network["id"]])

    def test_two_partial_segments_are_different(self) -> None:
        """Each gets a number of its own."""
        network = self.several(("vlan", "physnet1", None), ("vlan", "physnet1", None))
        self.assertEqual([each["provider:segmentation_id"] for each in network["segments"]], [100, 101])

    def test_wrong_lists(self) -> None:
        """Both ways at once, twice the same, unknown keys."""
        message = self.assert_refused(
            400,
            "SegmentsSetInConjunctionWithProviders",
            self.bed.create,
            "network",
            provider__network_type="vlan",
            segments=[{"provider:network_type": "vlan"}],
        )
        self.assertEqual(message, "Segments and provider values cannot both be set.")
        twice = (("vlan", "physnet1", 5), ("vlan", "physnet1", 5))
        self.assert_refused(400, "SegmentsContainDuplicateEntry", self.several, *twice)
        self.assert_refused(400, "HTTPBadRequest", self.bed.create, "network", segments=[{"x": 1}])

    def test_members_may_not_name_them(self) -> None:
        """Nor the provider attributes."""
        body = [{"provider:network_type": "vlan"}]
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.create, "network", ALICE, segments=body)

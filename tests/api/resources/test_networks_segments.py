"""Segments that networks are given and named: tunnels, other processes, changes, MTUs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from quantumd.api.extensions.features import serve
from quantumd.api.resources.segment_settings import segment_rules
from quantumd.api.resources.segments import Segments, segment_row
from quantumd.config import NetworkSettings, Settings, apply_document
from quantumd.errors import SettingsError
from quantumd.model.network import Segment
from quantumd.store.tables import segments
from tests.api.resources.bed import seeded_chance
from tests.api.resources.case import ResourceCase

TYPE, PHYSICAL, NUMBER = "provider:network_type", "provider:physical_network", "provider:segmentation_id"


class TunnelTests(ResourceCase):
    """VNIs and GRE keys."""

    settings = NetworkSettings(
        tenant_network_types=("geneve",),
        gre_ranges=("1:4294967295",),
        geneve_ranges=("1:3",),
        vxlan_ranges=("1:10000",),
    )

    def number(self, **body: Any) -> int:
        """Make a network and return its number."""
        made: int = self.bed.create("network", **body)[NUMBER]
        return made

    def test_small_range_is_given_from_below(self) -> None:
        """Until none is left; what is released is given again."""
        self.assertEqual([self.number() for _ in range(3)], [1, 2, 3])
        self.assert_refused(503, "NoNetworkAvailable", self.bed.create, "network")
        self.bed.delete("network", self.bed.listed("network", provider__segmentation_id=("2",))[0]["id"])
        self.assertEqual(self.number(), 2)

    def test_large_range_needs_no_rows(self) -> None:
        """Any key of 32 bits; a row for each network and no other."""
        numbers = {self.number(provider__network_type="gre") for _ in range(20)}
        self.assertEqual(len(numbers), 20)
        self.assertTrue(all(1 <= each < 2**32 for each in numbers))
        self.assertEqual(len(self.bed.connection.execute(select(segments)).all()), 20)

    def test_large_range_is_used_up_to_the_last(self) -> None:
        """When luck finds nothing free, the gap is searched."""
        network_id = self.bed.create("network")["id"]
        rows = [
            segment_row(f"s{each}", network_id, Segment("vxlan", None, each), each, self.bed.now)
            for each in range(1, 10_001)
            if each not in (1, 7000, 10_000)
        ]
        self.bed.connection.execute(insert(segments), rows)
        found = {self.number(provider__network_type="vxlan") for _ in range(3)}
        self.assertEqual(found, {1, 7000, 10_000})
        self.assert_refused(503, "NoNetworkAvailable", self.number, provider__network_type="vxlan")

    def test_named_number_is_held_outside_the_ranges(self) -> None:
        """Once; the same number of another type is another one."""
        self.number(provider__network_type="geneve", provider__segmentation_id=900)
        self.number(provider__network_type="vxlan", provider__segmentation_id=900)
        message = self.assert_refused(
            409, "TunnelIdInUse", self.number, provider__network_type="geneve", provider__segmentation_id=900
        )
        self.assertEqual(message, "Unable to create the network. The tunnel ID 900 is in use.")

    def test_tunnels_wait_for_drivers(self) -> None:
        """Without preview and a driver that declares them, they cannot be made, nor be what tenants get."""
        vxlan = NetworkSettings(tenant_network_types=("vxlan",))
        self.assertRaises(SettingsError, serve, vxlan, (), ())
        self.assertTrue(serve(vxlan, (), ("vxlan",)).resources)

    def test_wrong_settings_are_named(self) -> None:
        """By their names."""
        for name, value in (("vxlan_ranges", "0:5"), ("gre_ranges", "x"), ("physical_network_mtus", "physnet1")):
            settings = apply_document(Settings(), {"network": {name: [value]}}, "").network
            error = self.assertRaises(SettingsError, serve, settings, (), ())
            self.assertIn(f"network.{name}", str(error))


class RaceTests(ResourceCase):
    """Another process takes what was chosen."""

    settings = NetworkSettings(tenant_network_types=("vlan",), vlan_ranges=("physnet1:100:109",))

    def chosen(self, asked: Segment | None, failures: int) -> list[Segment]:
        """Return what is chosen while so many attempts find their segment taken."""
        found: list[Segment] = []

        def work(given: tuple[Segment, ...]) -> None:
            found.extend(given)
            if len(found) <= failures:
                raise IntegrityError("", None, Exception())

        rules = segment_rules(self.settings, self.physical_networks)
        Segments(rules, seeded_chance()).held(self.bed.tx(), "alice", (asked,), work)
        return found

    def test_another_is_tried(self) -> None:
        """Never the same again."""
        found = self.chosen(None, 5)
        self.assertEqual((found[0], len(found), len(set(found))), (Segment("vlan", "physnet1", 100), 6, 6))

    def test_all_are_tried(self) -> None:
        """Then there is none."""
        self.assert_refused(503, "NoNetworkAvailable", self.chosen, None, 10)

    def test_named_one_is_in_use(self) -> None:
        """Also when the row that holds it cannot be seen yet."""
        self.assert_refused(409, "VlanIdInUse", self.chosen, Segment("vlan", "physnet1", 7), 99)


class ChangeTests(ResourceCase):
    """What of a segment can change."""

    settings = NetworkSettings(tenant_network_types=("vlan",), vlan_ranges=("physnet1:100:109",))

    def test_vlan_changes(self) -> None:
        """Hosts hear of it; the old one is free."""
        network = self.bed.create("network")
        changed = self.bed.update("network", network["id"], provider__segmentation_id=7)
        self.assertEqual((changed[NUMBER], changed["revision_number"]), (7, 2))
        self.assertEqual(self.network_version(network["id"]), self.position())
        self.assertEqual(self.bed.show("network", network["id"])[NUMBER], 7)
        self.assertEqual(self.bed.create("network")[NUMBER], 100)

    def test_vlan_of_another_network_is_refused(self) -> None:
        """And one that does not exist."""
        self.bed.create("network")
        network = self.bed.create("network")
        change = self.bed.update
        self.assert_refused(409, "VlanIdInUse", change, "network", network["id"], provider__segmentation_id=100)
        self.assert_refused(400, "InvalidInput", change, "network", network["id"], provider__segmentation_id=4095)

    def test_nothing_else_changes(self) -> None:
        """Neither type nor physical network; what is the same is no change."""
        network = self.bed.create("network")
        same = self.bed.update("network", network["id"], provider__network_type="vlan")
        self.assertEqual(same["revision_number"], 1)
        message = self.assert_refused(
            400, "InvalidInput", self.bed.update, "network", network["id"], provider__network_type="local"
        )
        self.assertEqual(
            message,
            "Invalid input for operation: Plugin does not support updating the following provider network "
            "attributes: provider:network_type, provider:physical_network.",
        )
        local = self.bed.create("network", provider__network_type="local")
        self.assert_refused(400, "InvalidInput", self.bed.update, "network", local["id"], provider__segmentation_id=5)


class MtuTests(ResourceCase):
    """MTUs of networks."""

    settings = NetworkSettings(mtu_bytes=9000, physical_network_mtus=("physnet1:1500",), vxlan_ranges=("1:9",))

    def mtu(self, **body: Any) -> int:
        """Make a network and return its MTU."""
        made: int = self.bed.create("network", **body)["mtu"]
        return made

    def test_largest_by_type(self) -> None:
        """What the segment carries."""
        flat: dict[str, Any] = {"provider__network_type": "flat", "provider__physical_network": "physnet1"}
        self.assertEqual((self.mtu(), self.mtu(**flat), self.mtu(provider__network_type="vxlan")), (9000, 1500, 8950))

    def test_smaller_one_is_taken(self) -> None:
        """A larger one is not."""
        self.assertEqual(self.mtu(mtu=1400), 1400)
        message = self.assert_refused(400, "InvalidInput", self.mtu, mtu=9001)
        self.assertEqual(message, "Invalid input for operation: Requested MTU is too big, maximum is 9000.")

    def test_change(self) -> None:
        """Hosts hear of it; 0 is the largest again."""
        network = self.bed.create("network")
        self.assertEqual(self.bed.update("network", network["id"], mtu=1400)["mtu"], 1400)
        self.assertEqual(self.network_version(network["id"]), self.position())
        self.assertEqual(self.bed.update("network", network["id"], mtu=0)["mtu"], 9000)
        self.assertEqual(self.bed.update("network", network["id"], mtu=0)["revision_number"], 3)
        self.assert_refused(400, "InvalidInput", self.bed.update, "network", network["id"], mtu=9001)

    def test_subnets_need_their_least(self) -> None:
        """IPv6 does not work with less than 1280 bytes."""
        network_id, _ = self.bed.network_with_subnet("2001:db8::/64", enable_dhcp=False)
        message = self.assert_refused(409, "NetworkMTUSubnetConflict", self.bed.update, "network", network_id, mtu=1279)
        self.assertEqual(message, f"MTU of {network_id} is not valid, subnet requires a minimum of 1280")


class TagsOfGuestsTests(ResourceCase):
    """Networks that are to pass the tags of guests, where projects get VLANs first."""

    settings = NetworkSettings(
        tenant_network_types=("flat", "vlan", "vxlan"), vlan_ranges=("physnet1:100:109",), vxlan_ranges=("1:9",)
    )
    message = "Backend does not support VLAN Transparency on networks of type vlan."

    def test_a_type_that_can_is_chosen(self) -> None:
        """The first of those that projects get; the MTU leaves room for a tag."""
        network = self.bed.create("network", vlan_transparent=True)
        self.assertEqual((network[TYPE], network["mtu"]), ("vxlan", 1446))
        self.assertEqual(self.bed.create("network", vlan_transparent=False)[TYPE], "flat")
        self.assertEqual(self.bed.update("network", network["id"], mtu=1000)["mtu"], 1000)
        self.assert_refused(400, "InvalidInput", self.bed.update, "network", network["id"], mtu=1450)
        local = self.bed.create("network", provider__network_type="local", vlan_transparent=True)
        self.assertEqual(local["mtu"], 1500)

    def test_a_physical_network_cannot(self) -> None:
        """Alone, among several, or as a segment that comes later."""
        vlan = {TYPE: "vlan", PHYSICAL: "physnet1"}
        flat: dict[str, Any] = {"provider__network_type": "flat", "provider__physical_network": "physnet1"}
        refused = (400, "VlanTransparencyDriverError")
        self.assert_refused(*refused, self.bed.create, "network", **flat, vlan_transparent=True)
        several = [{TYPE: "vxlan"}, vlan]
        message = self.assert_refused(*refused, self.bed.create, "network", segments=several, vlan_transparent=True)
        self.assertEqual(message, self.message)
        network = self.bed.create("network", vlan_transparent=True)
        more = {"network_id": network["id"], "network_type": "vlan", "physical_network": "physnet1"}
        self.assert_refused(*refused, self.bed.create, "segment", **more)
        self.assertEqual(self.bed.create("network", segments=several)["mtu"], 1450)


class NoTunnelTests(ResourceCase):
    """Where projects get VLANs alone."""

    settings = NetworkSettings(tenant_network_types=("vlan",), vlan_ranges=("physnet1:100:109",))

    def test_projects_get_no_network_that_passes_tags(self) -> None:
        """The answer says which types there are; administrators may name another one."""
        message = self.assert_refused(
            400, "VlanTransparencyDriverError", self.bed.create, "network", vlan_transparent=True
        )
        self.assertEqual(message, "Backend does not support VLAN Transparency on networks of type vlan.")
        self.bed.create("network", vlan_transparent=True, provider__network_type="vxlan", provider__segmentation_id=5)


class SeveralMtuTests(ResourceCase):
    """The MTU of networks that get another segment."""

    settings = NetworkSettings(tenant_network_types=("vlan",), vlan_ranges=("physnet1:100:109",), vxlan_ranges=("1:9",))

    def test_it_is_what_all_segments_carry(self) -> None:
        """Smaller with one that carries less, as it was with one that carries more, and when one goes."""
        network = self.bed.create("network")
        self.assertEqual(network["mtu"], 1500)
        self.bed.create("segment", network_id=network["id"], network_type="vlan")
        self.assertEqual(self.bed.show("network", network["id"])["mtu"], 1500)
        tunnel = self.bed.create("segment", network_id=network["id"], network_type="vxlan")
        self.assertEqual(self.bed.show("network", network["id"])["mtu"], 1450)
        self.assertEqual(self.network_version(network["id"]), self.position())
        self.bed.delete("segment", tunnel["id"])
        self.assertEqual(self.bed.show("network", network["id"])["mtu"], 1450)


class TightMtuTests(ResourceCase):
    """Where tunnels carry less than IPv6 needs."""

    settings = NetworkSettings(
        tenant_network_types=("vlan",),
        vlan_ranges=("physnet1:100:109",),
        vxlan_ranges=("1:9",),
        mtu_bytes=1300,
    )

    def test_a_segment_that_carries_less_than_a_subnet_needs_is_refused(self) -> None:
        """And not made."""
        network = self.bed.create("network")
        self.bed.create("subnet", network_id=network["id"], cidr="fd00::/64", ip_version=6)
        body = {"network_id": network["id"], "network_type": "vxlan"}
        self.assert_refused(409, "NetworkMTUSubnetConflict", self.bed.create, "segment", **body)
        self.assertEqual(len(self.bed.listed("segment", network_id=(network["id"],))), 1)

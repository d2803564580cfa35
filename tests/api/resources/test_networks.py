"""Networks through their operations, on SQLite."""

from __future__ import annotations

from typing import Any

from quantumd.config import NetworkSettings
from tests.api.resources.bed import ADMIN, ALICE, BOB
from tests.api.resources.case import ResourceCase

NOWHERE = "00000000-0000-0000-0000-000000000000"


class NetworkTests(ResourceCase):
    """Life of a network."""

    def test_new_network(self) -> None:
        """It is ACTIVE, of revision 1, with the MTU of the settings and no subnets."""
        network = self.bed.create("network", ALICE, name="n")
        self.assertEqual(
            {name: network[name] for name in ("name", "status", "mtu", "subnets", "revision_number", "project_id")},
            {"name": "n", "status": "ACTIVE", "mtu": 1500, "subnets": [], "revision_number": 1, "project_id": "alice"},
        )
        self.assertEqual(self.bed.show("network", network["id"], ALICE), network)

    def test_update_is_a_revision(self) -> None:
        """Name and description change, and so do revision and time."""
        network = self.bed.create("network", ALICE)
        self.bed.now = "2026-11-20T11:00:00Z"
        changed = self.bed.update("network", network["id"], ALICE, name="x", description="d")
        self.assertEqual(changed["revision_number"], 2)
        self.assertEqual(changed["updated_at"], "2026-11-20T11:00:00Z")
        self.assertEqual(changed, self.bed.show("network", network["id"], ALICE))

    def test_update_with_the_same_is_no_revision(self) -> None:
        """Nothing changed, nothing is written."""
        network = self.bed.create("network", ALICE, name="x")
        before = self.position()
        self.assertEqual(self.bed.update("network", network["id"], ALICE, name="x")["revision_number"], 1)
        self.assertEqual(self.position(), before)

    def test_rename_changes_no_record(self) -> None:
        """Hosts do not hear of names."""
        network = self.bed.create("network")
        version = self.network_version(network["id"])
        self.bed.update("network", network["id"], name="x")
        self.assertEqual(self.network_version(network["id"]), version)

    def test_disabling_changes_the_record(self) -> None:
        """Hosts hear of the admin state at the position of the change."""
        network = self.bed.create("network")
        self.bed.update("network", network["id"], admin_state_up=False)
        self.assertEqual(self.network_version(network["id"]), self.position())

    def test_unknown_network(self) -> None:
        """Showing, changing or deleting it is refused with its own type."""
        for work in (self.bed.show, self.bed.delete, self.bed.update):
            message = self.assert_refused(404, "NetworkNotFound", work, "network", NOWHERE)
            self.assertEqual(message, f"Network {NOWHERE} could not be found.")

    def test_delete_takes_subnets_and_dhcp_port_along(self) -> None:
        """What belongs to the network goes with it, each with its journal row."""
        network_id, _ = self.bed.network_with_subnet()
        self.bed.delete("network", network_id)
        self.assertEqual([self.bed.listed(member) for member in ("network", "subnet", "port")], [[], [], []])
        self.assertEqual(self.journalled()[-3:], [("network", "delete"), ("port", "delete"), ("subnet", "delete")])

    def test_network_with_ports_is_in_use(self) -> None:
        """The ports are named, as Neutron does."""
        network_id, _ = self.bed.network_with_subnet()
        port = self.bed.create("port", network_id=network_id)
        message = self.assert_refused(409, "NetworkInUse", self.bed.delete, "network", network_id)
        self.assertEqual(
            message,
            f"Unable to complete operation on network {network_id}. There are one or more ports still in use on the "
            f"network, id for these ports is: {port['id']}.",
        )

    def test_shared_network_in_use_by_others_stays_shared(self) -> None:
        """Taking it back would leave foreign ports on it."""
        network = self.bed.create("network", shared=True)
        port = self.bed.create("port", BOB, network_id=network["id"])
        self.assert_refused(409, "InvalidSharedSetting", self.bed.update, "network", network["id"], shared=False)
        self.bed.delete("port", port["id"], BOB)
        self.assertFalse(self.bed.update("network", network["id"], shared=False)["shared"])

    def test_bulk_is_all_or_none(self) -> None:
        """One that cannot be takes the others with it."""
        bodies = [{"name": "a"}, {"provider:network_type": "vlan"}]
        self.assert_refused(503, "NoNetworkAvailable", self.bed.create_many, "network", bodies)
        self.assertEqual(self.bed.listed("network"), [])
        self.assertEqual(self.journalled(), [])


class SegmentTests(ResourceCase):
    """Segments of networks."""

    settings = NetworkSettings(tenant_network_types=("vlan",), vlan_ranges=("physnet1:100:101",))

    def segment(self, **body: Any) -> tuple[str | None, str | None, int | None]:
        """Create a network and return its segment."""
        network = self.bed.create("network", ADMIN, **body)
        names = ("provider:network_type", "provider:physical_network", "provider:segmentation_id")
        return tuple(network[name] for name in names)

    def test_tenant_networks_get_vlans_until_none_is_left(self) -> None:
        """Then there is none available."""
        self.assertEqual(self.segment(), ("vlan", "physnet1", 100))
        self.assertEqual(self.segment(), ("vlan", "physnet1", 101))
        self.assert_refused(503, "NoNetworkAvailable", self.bed.create, "network", ALICE)

    def test_deleted_network_gives_its_vlan_back(self) -> None:
        """It is the next one's."""
        network = self.bed.create("network")
        self.bed.delete("network", network["id"])
        self.assertEqual(self.segment(), ("vlan", "physnet1", 100))

    def test_named_vlan_is_held_outside_the_ranges(self) -> None:
        """An administrator names any VLAN, once."""
        named = {"provider__network_type": "vlan", "provider__physical_network": "physnet1"}
        self.assertEqual(self.segment(**named, provider__segmentation_id=7), ("vlan", "physnet1", 7))
        message = self.assert_refused(
            409, "VlanIdInUse", self.bed.create, "network", **named, provider__segmentation_id=7
        )
        self.assertEqual(message, "Unable to create the network. The VLAN 7 on physical network physnet1 is in use.")

    def test_named_vlan_of_a_range_is_not_given_out(self) -> None:
        """Tenants get the next one."""
        self.segment(
            provider__network_type="vlan", provider__physical_network="physnet1", provider__segmentation_id=100
        )
        self.assertEqual(self.segment(), ("vlan", "physnet1", 101))

    def test_vlan_without_number_comes_from_the_range(self) -> None:
        """The physical network is named, the number chosen."""
        self.assertEqual(
            self.segment(provider__network_type="vlan", provider__physical_network="physnet1"),
            ("vlan", "physnet1", 100),
        )

    def test_flat_network_holds_the_physical_network_once(self) -> None:
        """A second flat network on it is refused; VLANs beside it are fine."""
        named = {"provider__network_type": "flat", "provider__physical_network": "physnet1"}
        self.assertEqual(self.segment(**named), ("flat", "physnet1", None))
        message = self.assert_refused(409, "FlatNetworkInUse", self.bed.create, "network", **named)
        self.assertEqual(message, "Unable to create the flat network. Physical network physnet1 is in use.")
        self.assertEqual(self.segment(), ("vlan", "physnet1", 100))

    def test_impossible_segment_is_bad_input(self) -> None:
        """With the sentence of the rule."""
        message = self.assert_refused(400, "InvalidInput", self.bed.create, "network", provider__network_type="flat")
        self.assertEqual(message, "Invalid input for operation: physical_network required for flat provider network.")

    def test_segment_without_type_is_bad_input(self) -> None:
        """A VLAN number alone says nothing."""
        self.assert_refused(400, "InvalidInput", self.bed.create, "network", provider__segmentation_id=5)

    def test_members_may_not_name_segments(self) -> None:
        """Provider attributes are an administrator's."""
        self.assert_refused(
            403, "PolicyNotAuthorized", self.bed.create, "network", ALICE, provider__network_type="vlan"
        )

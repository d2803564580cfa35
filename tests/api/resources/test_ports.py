"""Ports through their operations, on SQLite."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from sqlalchemy import func, select

from quantumd.api.resources.chance import Chance
from quantumd.config import NetworkSettings
from quantumd.store.tables import ip_allocations
from tests.api.resources.bed import ADMIN, ALICE, Bed, View, seeded_chance
from tests.api.resources.case import ResourceCase

NOWHERE = "00000000-0000-0000-0000-000000000000"


def addresses(port: View) -> list[str]:
    """Return the port's addresses."""
    return [each["ip_address"] for each in port["fixed_ips"]]


class PortCase(ResourceCase):
    """Has a network with an IPv4 subnet without DHCP and a host."""

    cidr = "10.9.0.0/24"

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network_id, self.subnet_id = self.bed.network_with_subnet(self.cidr, enable_dhcp=False)
        self.bed.add_host("h1")

    def port(self, **body: Any) -> View:
        """Create a port on the network."""
        return self.bed.create("port", ADMIN, network_id=self.network_id, **body)


class CreateTests(PortCase):
    """New ports."""

    def test_new_port(self) -> None:
        """It is DOWN and unbound, of revision 1, with a MAC and an address."""
        port = self.port(name="p")
        self.assertRegex(port["mac_address"], "^fa:16:3e:")
        self.assertEqual((port["status"], port["revision_number"]), ("DOWN", 1))
        self.assertEqual(
            (port["binding:vif_type"], port["binding:host_id"], port["binding:vif_details"]), ("unbound", "", {})
        )
        self.assertEqual([each["subnet_id"] for each in port["fixed_ips"]], [self.subnet_id])
        self.assertEqual(self.bed.show("port", port["id"]), port)

    def test_journal_comes_first_and_is_the_record_version(self) -> None:
        """The row holds the view, and the host under its own name."""
        port = self.port(binding__host_id="h1")
        position, before, after = self.last_journalled()
        self.assertEqual((before, after), (None, {**port, "host_id": "h1"}))
        self.assertEqual(self.port_version(port["id"]), position)

    def test_one_address_of_each_ip_version(self) -> None:
        """IPv4 and IPv6, one each, however many subnets there are."""
        for cidr, version in (("fd00:9::/64", 6), ("fd00:8::/64", 6), ("10.8.0.0/24", 4)):
            self.bed.create("subnet", network_id=self.network_id, cidr=cidr, ip_version=version)
        self.assertEqual([":" in address for address in addresses(self.port())], [False, True])

    def test_no_subnet_no_address(self) -> None:
        """A network without subnets has ports without addresses."""
        network = self.bed.create("network")
        self.assertEqual(self.bed.create("port", network_id=network["id"])["fixed_ips"], [])

    def test_empty_fixed_ips_mean_none(self) -> None:
        """Also where there are subnets."""
        self.assertEqual(self.port(fixed_ips=[])["fixed_ips"], [])

    def test_several_addresses(self) -> None:
        """In the order of the request; one is chosen where only the subnet is named."""
        second = self.bed.create("subnet", network_id=self.network_id, cidr="10.8.0.0/30", ip_version=4)["id"]
        port = self.port(
            fixed_ips=[{"ip_address": "10.9.0.9"}, {"subnet_id": self.subnet_id}, {"ip_address": "10.9.0.1"}]
        )
        self.assertEqual((addresses(port)[0], addresses(port)[2]), ("10.9.0.9", "10.9.0.1"))
        self.assert_refused(409, "IpAddressGenerationFailure", self.port, fixed_ips=[{"subnet_id": second}])

    def test_address_in_use(self) -> None:
        """With the sentence of Neutron."""
        self.port(fixed_ips=[{"ip_address": "10.9.0.176"}])
        message = self.assert_refused(
            409, "IpAddressAlreadyAllocated", self.port, fixed_ips=[{"ip_address": "10.9.0.176"}]
        )
        self.assertEqual(message, f"IP address 10.9.0.176 already allocated in subnet {self.subnet_id}")

    def test_address_outside(self) -> None:
        """Of no subnet, of another subnet, and one that no port can have."""
        message = self.assert_refused(400, "InvalidIpForNetwork", self.port, fixed_ips=[{"ip_address": "192.0.2.9"}])
        self.assertEqual(
            message, "IP address 192.0.2.9 is not a valid IP for any of the subnets on the specified network."
        )
        outside = [{"ip_address": "192.0.2.9", "subnet_id": self.subnet_id}]
        self.assert_refused(400, "InvalidIpForSubnet", self.port, fixed_ips=outside)
        self.assert_refused(400, "InvalidIpForSubnet", self.port, fixed_ips=[{"ip_address": "10.9.0.255"}])

    def test_subnet_of_another_network(self) -> None:
        """It is not this port's."""
        _, other = self.bed.network_with_subnet("10.7.0.0/24")
        self.assert_refused(400, "InvalidInput", self.port, fixed_ips=[{"subnet_id": other}])

    def test_too_many_addresses(self) -> None:
        """The setting limits them to five."""
        fixed_ips = [{"ip_address": f"10.9.0.{number}"} for number in range(10, 16)]
        self.assert_refused(400, "InvalidInput", self.port, fixed_ips=fixed_ips)

    def test_same_address_twice(self) -> None:
        """Also when only one of them names its subnet."""
        fixed_ips = [{"ip_address": "10.9.0.9"}, {"ip_address": "10.9.0.9", "subnet_id": self.subnet_id}]
        message = self.assert_refused(400, "HTTPBadRequest", self.port, fixed_ips=fixed_ips)
        self.assertEqual(message, "Invalid input for fixed_ips. Reason: Duplicate IP address '10.9.0.9'.")

    def test_several_addresses_of_one_subnet(self) -> None:
        """A subnet may be named again: each time it gives another address."""
        port = self.port(fixed_ips=[{"subnet_id": self.subnet_id}] * 2)
        self.assertEqual(len({each["ip_address"] for each in port["fixed_ips"]}), 2)

    def test_mac_in_use(self) -> None:
        """On the same network, with the sentence of Neutron; elsewhere it is free."""
        mac = self.port()["mac_address"]
        message = self.assert_refused(409, "MacAddressInUse", self.port, mac_address=mac)
        self.assertEqual(
            message,
            f"Unable to complete operation for network {self.network_id}. The mac address {mac} is in use.",
        )
        other = self.bed.create("network")
        self.assertEqual(self.bed.create("port", network_id=other["id"], mac_address=mac)["mac_address"], mac)

    def test_any_mac_is_taken(self) -> None:
        """Today's servers look at the form only, and clients rely on it."""
        self.assertEqual(self.port(mac_address="11:22:33:44:55:66")["mac_address"], "11:22:33:44:55:66")

    def test_unknown_network(self) -> None:
        """There is nothing to make a port on."""
        self.assert_refused(404, "NetworkNotFound", self.bed.create, "port", network_id=NOWHERE)

    def test_refused_port_leaves_nothing(self) -> None:
        """No row, no address, no journal."""
        self.port(fixed_ips=[{"ip_address": "10.9.0.9"}])
        before = self.position()
        self.assert_refused(
            409,
            "IpAddressAlreadyAllocated",
            self.bed.create_many,
            "port",
            [
                {"network_id": self.network_id},
                {"network_id": self.network_id, "fixed_ips": [{"ip_address": "10.9.0.9"}]},
            ],
        )
        self.assertEqual(self.position(), before)
        self.assertEqual(len(self.bed.listed("port")), 1)


class PoolTests(PortCase):
    """Addresses come from the pools until none is left."""

    def test_two_hundred_ports_have_different_addresses(self) -> None:
        """And different MACs, all in the pool."""
        made = self.bed.create_many("port", [{"network_id": self.network_id}] * 200)
        self.assertEqual(len({addresses(port)[0] for port in made}), 200)
        self.assertEqual(len({port["mac_address"] for port in made}), 200)

    def test_last_address_is_given_before_creation_fails(self) -> None:
        """253 addresses, 253 ports, then the sentence of Neutron."""
        self.bed.create_many("port", [{"network_id": self.network_id}] * 253)
        message = self.assert_refused(409, "IpAddressGenerationFailure", self.port)
        self.assertEqual(message, f"No more IP addresses available on network {self.network_id}.")

    def test_a_full_subnet_hands_over_to_the_next(self) -> None:
        """A second subnet of the same version has the next addresses."""
        self.bed.create_many("port", [{"network_id": self.network_id}] * 253)
        self.bed.create("subnet", network_id=self.network_id, cidr="10.8.0.0/30", ip_version=4, enable_dhcp=False)
        self.assertEqual(addresses(self.port()), ["10.8.0.2"])

    def test_deleted_port_gives_its_address_back(self) -> None:
        """The next port can have it."""
        made = self.bed.create_many("port", [{"network_id": self.network_id}] * 253)
        self.bed.delete("port", made[77]["id"])
        self.assertEqual(addresses(self.port()), addresses(made[77]))


class CollisionTests(ResourceCase):
    """A generated value that is taken is generated again."""

    def bed_with(self, chance: Chance) -> tuple[Bed, str]:
        """Return a bed that uses the chance, and a network without subnets on it."""
        bed = Bed(NetworkSettings(), chance=chance)
        self.addCleanup(bed.close)
        return bed, bed.create("network")["id"]

    def test_taken_mac_is_generated_again(self) -> None:
        """The generator says the same number three times before another."""
        numbers = iter([1, 1, 1, 2])
        bed, network_id = self.bed_with(evolve(seeded_chance(), bits=lambda count: next(numbers)))
        made = [bed.create("port", network_id=network_id)["mac_address"] for _ in range(2)]
        self.assertEqual(made, ["fa:16:3e:00:00:01", "fa:16:3e:00:00:02"])

    def test_stuck_generator_gives_up_in_the_end(self) -> None:
        """With a 503, and nothing is left behind."""
        bed, network_id = self.bed_with(evolve(seeded_chance(), bits=lambda count: 1))
        bed.create("port", network_id=network_id)
        self.assert_refused(503, "MacAddressGenerationFailure", bed.create, "port", network_id=network_id)
        self.assertEqual(len(bed.listed("port")), 1)

    def test_collision_of_one_spares_the_others_of_a_bulk(self) -> None:
        """Ports made before the collision in the same request stay."""
        numbers = iter([1, 1, 2, 2, 3])
        bed, network_id = self.bed_with(evolve(seeded_chance(), bits=lambda count: next(numbers)))
        self.assertEqual(len(bed.create_many("port", [{"network_id": network_id}] * 3)), 3)

    def test_constrained_addresses_are_unique_in_the_database(self) -> None:
        """The key of the table is what makes double use impossible."""
        self.assertEqual({column.name for column in ip_allocations.primary_key}, {"subnet_id", "ip_key"})


class UpdateTests(PortCase):
    """Changed ports."""

    def test_rename_changes_no_record(self) -> None:
        """It is a revision all the same."""
        port = self.port()
        version = self.port_version(port["id"])
        changed = self.bed.update("port", port["id"], name="x", description="d", device_id="vm")
        self.assertEqual((changed["revision_number"], self.port_version(port["id"])), (2, version))
        self.assertEqual(changed, self.bed.show("port", port["id"]))

    def test_host_content_changes_the_record(self) -> None:
        """Addresses, admin state, owner, MAC, host."""
        port = self.port()
        for change in (
            {"fixed_ips": [{"ip_address": "10.9.0.9"}]},
            {"admin_state_up": False},
            {"device_owner": "compute:nova"},
            {"mac_address": "fa:16:3e:00:00:09"},
            {"binding__host_id": "h1"},
        ):
            self.bed.update("port", port["id"], **change)
            self.assertEqual(self.port_version(port["id"]), self.position(), change)

    def test_addresses_are_replaced(self) -> None:
        """What the request does not name goes; what it names and the port has stays."""
        port = self.port(fixed_ips=[{"ip_address": "10.9.0.9"}, {"ip_address": "10.9.0.10"}])
        changed = self.bed.update(
            "port", port["id"], fixed_ips=[{"ip_address": "10.9.0.11"}, {"ip_address": "10.9.0.10"}]
        )
        self.assertEqual(addresses(changed), ["10.9.0.11", "10.9.0.10"])
        self.assertEqual(changed, self.bed.show("port", port["id"]))
        self.assertEqual(addresses(self.port(fixed_ips=[{"ip_address": "10.9.0.9"}])), ["10.9.0.9"])

    def test_address_stays_where_only_the_subnet_is_named(self) -> None:
        """Nothing changes, so nothing is written."""
        port = self.port()
        before = self.position()
        changed = self.bed.update("port", port["id"], fixed_ips=[{"subnet_id": self.subnet_id}])
        self.assertEqual((addresses(changed), self.position()), (addresses(port), before))

    def test_taken_address_is_refused(self) -> None:
        """The port keeps what it had."""
        taken, port = self.port(), self.port()
        fixed_ips = [{"ip_address": addresses(taken)[0]}]
        self.assert_refused(409, "IpAddressAlreadyAllocated", self.bed.update, "port", port["id"], fixed_ips=fixed_ips)
        self.assertEqual(self.bed.show("port", port["id"]), port)

    def test_taken_mac_is_refused(self) -> None:
        """The other port is not disturbed."""
        taken, port = self.port(), self.port()
        self.assert_refused(
            409, "MacAddressInUse", self.bed.update, "port", port["id"], mac_address=taken["mac_address"]
        )

    def test_mac_of_a_bound_port_stays(self) -> None:
        """Its device has it."""
        port = self.port(binding__host_id="h1")
        self.assert_refused(409, "PortBound", self.bed.update, "port", port["id"], mac_address="fa:16:3e:00:00:09")

    def test_before_and_after_are_journalled(self) -> None:
        """So that consumers see where a port moved from."""
        port = self.port(binding__host_id="h1")
        self.bed.update("port", port["id"], binding__host_id="h2")
        _, before, after = self.last_journalled()
        self.assertEqual(((before or {})["host_id"], (after or {})["host_id"]), ("h1", "h2"))

    def test_unknown_port(self) -> None:
        """Refused with its own type."""
        for work in (self.bed.show, self.bed.update, self.bed.delete):
            message = self.assert_refused(404, "PortNotFound", work, "port", NOWHERE)
            self.assertEqual(message, f"Port {NOWHERE} could not be found.")


class BindingTests(PortCase):
    """Ports and hosts."""

    def test_known_host_answers_how_it_plugs(self) -> None:
        """The bind step of Nova."""
        port = self.port()
        bound = self.bed.update("port", port["id"], binding__host_id="h1", device_owner="compute:nova", device_id="vm")
        self.assertEqual((bound["binding:vif_type"], bound["binding:vif_details"]), ("ovs", {"bridge_name": "br-int"}))
        self.assertEqual(bound, self.bed.show("port", port["id"]))

    def test_unknown_host_fails_and_can_be_tried_again(self) -> None:
        """The same request succeeds once the host is known."""
        port = self.port(binding__host_id="h9")
        self.assertEqual(port["binding:vif_type"], "binding_failed")
        self.bed.add_host("h9")
        bound = self.bed.update("port", port["id"], binding__host_id="h9")
        self.assertEqual(bound["binding:vif_type"], "ovs")

    def test_null_host_unbinds(self) -> None:
        """Nova does it when an instance goes."""
        port = self.port(binding__host_id="h1")
        unbound = self.bed.update("port", port["id"], binding__host_id=None)
        self.assertEqual((unbound["binding:vif_type"], unbound["binding:host_id"]), ("unbound", ""))

    def test_plugged_port_without_host_is_bound(self) -> None:
        """All in one: where the device is, there the port is."""
        port = self.port()
        self.assertTrue(self.bed.plug(port["id"], "h1"))
        bound = self.bed.show("port", port["id"])
        self.assertEqual((bound["binding:host_id"], bound["binding:vif_type"]), ("h1", "ovs"))
        self.assertEqual(self.port_version(port["id"]), self.position())

    def test_plugging_moves_no_bound_port(self) -> None:
        """Somebody else said where it belongs; a port that is gone, and a DHCP port, are on no one host."""
        port = self.port(binding__host_id="h1")
        self.bed.update("subnet", self.subnet_id, enable_dhcp=True)
        dhcp_port = self.bed.listed("port", device_owner=("network:dhcp",))[0]
        for port_id in (port["id"], NOWHERE, dhcp_port["id"]):
            self.assertFalse(self.bed.plug(port_id, "h2"))
        self.assertEqual(self.bed.show("port", port["id"])["binding:host_id"], "h1")


class DeleteTests(PortCase):
    """Deleted ports."""

    def test_everything_goes(self) -> None:
        """The port and its addresses."""
        port = self.port()
        self.bed.delete("port", port["id"])
        self.assert_refused(404, "PortNotFound", self.bed.show, "port", port["id"])
        self.assertEqual(self.bed.row(select(func.count()).select_from(ip_allocations))[0], 0)
        self.assertEqual(self.last_journalled()[1], {**port, "host_id": ""})

    def test_members_do_not_delete_ports_of_instances(self) -> None:
        """As Neutron's policy has it; administrators do."""
        network = self.bed.create("network", ALICE)
        port = self.bed.create("port", ALICE, network_id=network["id"], device_owner="compute:nova")
        message = self.assert_refused(403, "PolicyNotAuthorized", self.bed.delete, "port", port["id"], ALICE)
        self.assertEqual(message, "rule:delete_port is disallowed by policy")
        self.bed.delete("port", port["id"], ADMIN)

"""Subnets through their operations, on SQLite."""

from __future__ import annotations

from typing import Any

from quantumd.api.errors import InvalidValue
from quantumd.api.resources.subnet_attributes import subnet_attributes
from quantumd.model.addresses import address_text, eui64_number
from tests.api.resources.bed import ADMIN, ALICE, View
from tests.api.resources.case import ResourceCase


class SubnetCase(ResourceCase):
    """Has a network."""

    def setUp(self) -> None:
        """Make a network."""
        super().setUp()
        self.network_id = self.bed.create("network")["id"]

    def subnet(self, cidr: str = "10.9.0.0/24", **body: Any) -> View:
        """Create a subnet of the network."""
        version = body.pop("ip_version", 6 if ":" in cidr else 4)
        return self.bed.create("subnet", ADMIN, network_id=self.network_id, cidr=cidr, ip_version=version, **body)


class CreateTests(SubnetCase):
    """New subnets."""

    def test_gateway_and_pools_are_automatic(self) -> None:
        """As in the answer of Neutron."""
        subnet = self.subnet(
            dns_nameservers=["1.1.1.1"], host_routes=[{"destination": "10.8.0.0/16", "nexthop": "10.9.0.9"}]
        )
        self.assertEqual(subnet["gateway_ip"], "10.9.0.1")
        self.assertEqual(subnet["allocation_pools"], [{"start": "10.9.0.2", "end": "10.9.0.254"}])
        self.assertEqual(subnet["dns_nameservers"], ["1.1.1.1"])
        self.assertEqual(subnet["host_routes"], [{"destination": "10.8.0.0/16", "nexthop": "10.9.0.9"}])
        self.assertEqual(subnet["revision_number"], 0)
        self.assertTrue(subnet["enable_dhcp"])
        self.assertEqual(self.bed.show("subnet", subnet["id"]), subnet)

    def test_ipv6_gateway_and_pools_are_automatic(self) -> None:
        """As in the answer of Neutron."""
        subnet = self.subnet("fd00:9::/64")
        self.assertEqual(subnet["gateway_ip"], "fd00:9::")
        self.assertEqual(subnet["allocation_pools"], [{"start": "fd00:9::1", "end": "fd00:9::ffff:ffff:ffff:ffff"}])

    def test_null_gateway_is_none(self) -> None:
        """All hosts are in the pool then."""
        subnet = self.subnet("10.9.0.0/29", gateway_ip=None)
        self.assertIsNone(subnet["gateway_ip"])
        self.assertEqual(subnet["allocation_pools"], [{"start": "10.9.0.1", "end": "10.9.0.6"}])

    def test_gateway_in_the_middle_makes_two_pools(self) -> None:
        """Both sides of it are given to ports."""
        subnet = self.subnet("10.9.0.0/29", gateway_ip="10.9.0.3")
        self.assertEqual(
            subnet["allocation_pools"],
            [{"start": "10.9.0.1", "end": "10.9.0.2"}, {"start": "10.9.0.4", "end": "10.9.0.6"}],
        )

    def test_host_bits_of_the_cidr_are_dropped(self) -> None:
        """10.9.0.7/24 is 10.9.0.0/24."""
        self.assertEqual(self.subnet("10.9.0.7/24")["cidr"], "10.9.0.0/24")

    def test_overlap_on_the_network_is_refused(self) -> None:
        """With the sentence of Neutron."""
        self.subnet()
        message = self.assert_refused(400, "InvalidInput", self.subnet, "10.9.0.0/25")
        self.assertEqual(
            message,
            f"Invalid input for operation: Requested subnet with cidr: 10.9.0.0/25 for network: {self.network_id} "
            "overlaps with another subnet.",
        )

    def test_same_prefix_on_another_network_is_fine(self) -> None:
        """Networks do not know of each other."""
        self.subnet()
        self.bed.network_with_subnet("10.9.0.0/24")

    def test_bad_cidr(self) -> None:
        """With the sentence of Neutron."""
        message = self.assert_refused(400, "InvalidInput", self.subnet, "10.9.0.0/99")
        self.assertEqual(message, "Invalid input for operation: 10.9.0.0/99 is not in a CIDR format.")

    def test_wrong_family_is_refused(self) -> None:
        """The cidr, the gateway, the DNS servers and the routes are of the subnet's IP version."""
        self.assert_refused(400, "InvalidInput", self.subnet, "fd00::/64", ip_version=4)
        self.assert_refused(400, "InvalidInput", self.subnet, gateway_ip="fd00::1")
        self.assert_refused(400, "InvalidInput", self.subnet, dns_nameservers=["fd00::1"])
        routes = [{"destination": "fd00::/64", "nexthop": "10.9.0.9"}]
        self.assert_refused(400, "InvalidInput", self.subnet, host_routes=routes)

    def test_gateway_in_a_named_pool_conflicts(self) -> None:
        """It would be given to a port."""
        pools = [{"start": "10.9.0.1", "end": "10.9.0.9"}]
        message = self.assert_refused(409, "GatewayConflictWithAllocationPools", self.subnet, allocation_pools=pools)
        self.assertEqual(message, "Gateway ip 10.9.0.1 conflicts with allocation pool 10.9.0.1-10.9.0.9.")

    def test_bad_pools(self) -> None:
        """Backwards, of another family, outside of the subnet, over each other."""
        for status, type_name, bounds in (
            (400, "InvalidAllocationPool", [("10.9.0.9", "10.9.0.3")]),
            (400, "InvalidAllocationPool", [("fd00::1", "fd00::2")]),
            (400, "OutOfBoundsAllocationPool", [("10.9.0.9", "10.9.1.3")]),
            (400, "OutOfBoundsAllocationPool", [("10.9.0.9", "10.9.0.255")]),
            (409, "OverlappingAllocationPools", [("10.9.0.3", "10.9.0.9"), ("10.9.0.9", "10.9.0.12")]),
        ):
            pools = [{"start": start, "end": end} for start, end in bounds]
            self.assert_refused(status, type_name, self.subnet, allocation_pools=pools)

    def test_network_address_is_no_gateway(self) -> None:
        """Nobody could have it."""
        self.assert_refused(400, "InvalidInput", self.subnet, gateway_ip="10.9.0.0")

    def test_limits(self) -> None:
        """At most five DNS servers and twenty routes."""
        servers = [f"1.1.1.{number}" for number in range(1, 7)]
        self.assert_refused(400, "DNSNameServersExhausted", self.subnet, dns_nameservers=servers)
        routes = [{"destination": f"10.{number}.0.0/16", "nexthop": "10.9.0.9"} for number in range(21)]
        self.assert_refused(400, "HostRoutesExhausted", self.subnet, host_routes=routes)

    def test_modes_that_nobody_obeys_are_refused(self) -> None:
        """A mode other than null is a clear 400, not a silent nothing, unless drivers obey it; each by itself."""
        for obeyed, name, reason in (
            (1, "ipv6_ra_mode", "no router of quantumd advertises"),
            (0, "ipv6_address_mode", "DHCPv6 is not served"),
        ):
            attributes = subnet_attributes(are_advertised=obeyed == 0, has_dhcpv6=obeyed == 1)
            by_name = {attribute.name: attribute for attribute in attributes}
            self.assertIsNone(by_name[name].convert(None))
            self.assertIn(reason, str(self.assertRaises(InvalidValue, by_name[name].convert, "slaac")))
            (other,) = {"ipv6_ra_mode", "ipv6_address_mode"} - {name}
            self.assertEqual(by_name[other].convert("slaac"), "slaac")

    def test_network_hears_of_it(self) -> None:
        """A new subnet is a revision of the network and changes its record."""
        subnet = self.subnet(enable_dhcp=False)
        network = self.bed.show("network", self.network_id)
        self.assertEqual((network["subnets"], network["revision_number"]), ([subnet["id"]], 2))
        self.assertEqual(self.network_version(self.network_id), self.position())

    def test_networks_need_the_mtu_of_the_ip_version(self) -> None:
        """IPv6 does not work with less than 1280 bytes, whatever the addresses."""
        self.bed.update("network", self.network_id, mtu=1279)
        message = self.assert_refused(409, "NetworkMTUSubnetConflict", self.subnet, "2001:db8::/64")
        self.assertEqual(message, f"MTU of {self.network_id} is not valid, subnet requires a minimum of 1280")
        self.subnet("10.9.0.0/24")
        self.bed.update("network", self.network_id, mtu=1280)
        self.subnet("2001:db8::/64")

    def test_unknown_network(self) -> None:
        """There is nothing to make a subnet of."""
        self.assert_refused(
            404,
            "NetworkNotFound",
            self.bed.create,
            "subnet",
            network_id="00000000-0000-0000-0000-000000000000",
            cidr="10.0.0.0/24",
            ip_version=4,
        )


class UpdateTests(SubnetCase):
    """Changed subnets."""

    def test_gateway_in_the_pool_conflicts(self) -> None:
        """With the sentence of Neutron."""
        subnet = self.subnet()
        message = self.assert_refused(
            409,
            "GatewayConflictWithAllocationPools",
            self.bed.update,
            "subnet",
            subnet["id"],
            gateway_ip="10.9.0.5",
        )
        self.assertEqual(message, "Gateway ip 10.9.0.5 conflicts with allocation pool 10.9.0.2-10.9.0.254.")

    def test_gateway_of_a_router_stays(self) -> None:
        """The port that has it is named."""
        subnet = self.subnet()
        port = self.bed.create(
            "port",
            network_id=self.network_id,
            device_owner="network:router_interface",
            fixed_ips=[{"ip_address": "10.9.0.1"}],
        )
        message = self.assert_refused(409, "GatewayIpInUse", self.bed.update, "subnet", subnet["id"], gateway_ip=None)
        self.assertEqual(message, f"Current gateway ip 10.9.0.1 already in use by port {port['id']}. Unable to update.")

    def test_pools_can_be_changed(self) -> None:
        """New ports get addresses of the new pools."""
        subnet = self.subnet()
        pools = [{"start": "10.9.0.77", "end": "10.9.0.77"}]
        self.assertEqual(self.bed.update("subnet", subnet["id"], allocation_pools=pools)["allocation_pools"], pools)
        port = self.bed.create("port", network_id=self.network_id)
        self.assertEqual([each["ip_address"] for each in port["fixed_ips"]], ["10.9.0.77"])

    def test_host_content_changes_the_record(self) -> None:
        """DNS servers do, names do not."""
        subnet = self.subnet()
        before = self.network_version(self.network_id)
        self.bed.update("subnet", subnet["id"], name="x", description="d")
        self.assertEqual(self.network_version(self.network_id), before)
        self.bed.update("subnet", subnet["id"], dns_nameservers=["9.9.9.9"])
        self.assertEqual(self.network_version(self.network_id), self.position())

    def test_update_is_a_revision(self) -> None:
        """Of the subnet."""
        subnet = self.subnet()
        changed = self.bed.update("subnet", subnet["id"], name="x")
        self.assertEqual(changed["revision_number"], 1)
        self.assertEqual(self.bed.show("subnet", subnet["id"]), changed)

    def test_null_lists_are_empty(self) -> None:
        """A null list clears."""
        subnet = self.subnet(dns_nameservers=["1.1.1.1"])
        self.assertEqual(self.bed.update("subnet", subnet["id"], dns_nameservers=None)["dns_nameservers"], [])


class DeleteTests(SubnetCase):
    """Deleted subnets."""

    def test_subnet_with_ports_is_in_use(self) -> None:
        """With the sentence of Neutron."""
        subnet = self.subnet()
        self.bed.create("port", network_id=self.network_id)
        message = self.assert_refused(409, "SubnetInUse", self.bed.delete, "subnet", subnet["id"])
        self.assertEqual(
            message,
            f"Unable to complete operation on subnet {subnet['id']}: "
            "One or more ports have an IP allocation from this subnet.",
        )

    def test_unused_subnet_goes(self) -> None:
        """With a revision of the network."""
        subnet = self.subnet()
        self.bed.delete("subnet", subnet["id"])
        self.assert_refused(404, "SubnetNotFound", self.bed.show, "subnet", subnet["id"])
        self.assertEqual(self.bed.show("network", self.network_id)["revision_number"], 3)
        self.assertEqual(self.network_version(self.network_id), self.position())


class DhcpPortTests(SubnetCase):
    """The distributed DHCP port of a network."""

    def dhcp_port(self) -> View | None:
        """Return the network's DHCP port."""
        found = self.bed.listed("port", device_owner=("network:dhcp",))
        self.assertLessEqual(len(found), 1)
        return found[0] if found else None

    def addresses(self) -> list[str]:
        """Return the addresses of the DHCP port."""
        return [each["ip_address"] for each in (self.dhcp_port() or {"fixed_ips": ()})["fixed_ips"]]

    def test_first_served_subnet_brings_it(self) -> None:
        """It belongs to the network's project, is named by its network and starts DOWN."""
        network = self.bed.create("network", ALICE)
        self.bed.create("subnet", ALICE, network_id=network["id"], cidr="10.9.0.0/24", ip_version=4)
        port = self.dhcp_port() or {}
        self.assertEqual(
            {name: port[name] for name in ("device_id", "project_id", "name", "status", "network_id")},
            {
                "device_id": f"dhcp-distributed-{network['id']}",
                "project_id": "alice",
                "name": "",
                "status": "DOWN",
                "network_id": network["id"],
            },
        )

    def test_one_address_on_each_served_subnet(self) -> None:
        """The lowest of the pool; none on those without DHCP."""
        self.subnet()
        self.subnet("10.8.0.0/24", enable_dhcp=False)
        self.subnet("fd00:9::/64")
        self.subnet("fd00:8::/64", enable_dhcp=False)
        self.subnet("10.7.0.0/24")
        self.assertCountEqual(self.addresses(), ["10.9.0.2", "10.7.0.2", "fd00:9::1"])

    def test_ipv6_subnets_are_served_as_their_modes_say(self) -> None:
        """Where ports compute their addresses the DHCP port does too; with SLAAC nobody asks it anything."""
        self.subnet("fd00:1::/64", ipv6_address_mode="slaac")
        self.subnet("fd00:2::/64", ipv6_ra_mode="dhcpv6-stateful")
        self.assertIsNone(self.dhcp_port())
        self.subnet("fd00:3::/64", ipv6_address_mode="dhcpv6-stateful")
        self.subnet("fd00:4::/64", ipv6_address_mode="dhcpv6-stateless")
        mac = (self.dhcp_port() or {})["mac_address"]
        computed = address_text(6, eui64_number("fd00:4::/64", mac))
        self.assertCountEqual(self.addresses(), ["fd00:3::1", computed])

    def test_it_computes_its_address_when_it_is_made(self) -> None:
        """For the first subnet, and it goes with it."""
        subnet = self.subnet("fd00:4::/64", ipv6_address_mode="dhcpv6-stateless")
        mac = (self.dhcp_port() or {})["mac_address"]
        self.assertEqual(self.addresses(), [address_text(6, eui64_number("fd00:4::/64", mac))])
        self.bed.delete("subnet", subnet["id"])
        self.assertIsNone(self.dhcp_port())

    def test_network_without_served_subnets_has_none(self) -> None:
        """DHCP off, no port."""
        self.subnet(enable_dhcp=False)
        self.assertIsNone(self.dhcp_port())

    def test_it_follows_enable_dhcp(self) -> None:
        """On makes it, off deletes it."""
        subnet = self.subnet(enable_dhcp=False)
        self.bed.update("subnet", subnet["id"], enable_dhcp=True)
        self.assertEqual(self.addresses(), ["10.9.0.2"])
        self.assertEqual(self.network_version(self.network_id), self.position())
        self.bed.update("subnet", subnet["id"], enable_dhcp=False)
        self.assertIsNone(self.dhcp_port())

    def test_a_deleted_subnet_takes_its_address_along(self) -> None:
        """The others stay; with the last one the port goes."""
        first, second = self.subnet(), self.subnet("10.7.0.0/24")
        port = self.dhcp_port() or {}
        self.bed.delete("subnet", first["id"])
        self.assertEqual(self.addresses(), ["10.7.0.2"])
        self.assertEqual(self.port_version(port["id"]), self.position())
        self.bed.delete("subnet", second["id"])
        self.assertIsNone(self.dhcp_port())

    def test_subnet_without_room_for_it_is_refused(self) -> None:
        """DHCP cannot be switched on where no address is left for it."""
        subnet = self.subnet("10.9.0.0/30", enable_dhcp=False)
        self.bed.create("port", network_id=self.network_id)
        self.assert_refused(
            409, "IpAddressGenerationFailure", self.bed.update, "subnet", subnet["id"], enable_dhcp=True
        )
        self.assertFalse(self.bed.show("subnet", subnet["id"])["enable_dhcp"])

    def test_nobody_deletes_or_bends_it(self) -> None:
        """It follows from the subnets; its name may be changed."""
        self.subnet()
        port_id = (self.dhcp_port() or {})["id"]
        self.assert_refused(409, "ServicePortInUse", self.bed.delete, "port", port_id)
        changes: tuple[dict[str, Any], ...] = ({"fixed_ips": []}, {"device_owner": "x"}, {"binding__host_id": "h1"})
        for change in changes:
            self.assert_refused(409, "ServicePortInUse", self.bed.update, "port", port_id, **change)
        self.assertEqual(self.bed.update("port", port_id, name="mine")["name"], "mine")

    def test_nobody_makes_another(self) -> None:
        """Its device_owner is kept for it."""
        create = {"network_id": self.network_id, "device_owner": "network:dhcp"}
        self.assert_refused(400, "InvalidInput", self.bed.create, "port", **create)
        port = self.bed.create("port", network_id=self.network_id)
        self.assert_refused(400, "InvalidInput", self.bed.update, "port", port["id"], device_owner="network:dhcp")

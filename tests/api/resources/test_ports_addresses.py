"""Addresses of ports: computed ones, subnets for some owners, segments, and those that wait for a host."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from quantumd.store.tables.networks import host_physical_networks
from tests.api.resources.bed import View
from tests.api.resources.case import ResourceCase

MAC = "fa:16:3e:fc:1a:72"
COMPUTED = "f816:3eff:fefc:1a72"


def addresses(port: View) -> list[str]:
    """Return the port's addresses in order."""
    return [each["ip_address"] for each in port["fixed_ips"]]


class ComputedTests(ResourceCase):
    """IPv6 subnets where ports compute their addresses."""

    def setUp(self) -> None:
        """Make a network with an IPv4 subnet and such a one."""
        super().setUp()
        self.network_id, self.v4 = self.bed.network_with_subnet()
        self.v6 = self.subnet("fd00:9::/64")

    def subnet(self, cidr: str, mode: str = "slaac") -> str:
        """Make a subnet with computed addresses."""
        subnet_id: str = self.bed.create(
            "subnet",
            network_id=self.network_id,
            cidr=cidr,
            ip_version=6,
            ipv6_ra_mode=mode,
            ipv6_address_mode=mode,
        )["id"]
        return subnet_id

    def port(self, **body: Any) -> View:
        """Make a port."""
        return self.bed.create("port", network_id=self.network_id, **{"mac_address": MAC, **body})

    def test_address_follows_from_the_mac(self) -> None:
        """Beside a chosen IPv4 address (RFC 4291 appendix A)."""
        self.assertEqual(addresses(self.port())[1:], [f"fd00:9::{COMPUTED}"])

    def test_it_comes_with_named_addresses_too(self) -> None:
        """Also when a request names others, or none, or the subnet itself."""
        for named in ([{"ip_address": "10.9.0.9"}], [{"ip_address": "10.9.0.9"}, {"subnet_id": self.v6}]):
            port = self.port(fixed_ips=named)
            self.assertEqual(addresses(port), ["10.9.0.9", f"fd00:9::{COMPUTED}"])
            self.bed.delete("port", port["id"])
        port = self.port(fixed_ips=[])
        self.assertEqual((addresses(port), port["ip_allocation"]), ([f"fd00:9::{COMPUTED}"], "none"))

    def test_nobody_names_one(self) -> None:
        """Another address there is refused."""
        message = self.assert_refused(
            400, "AllocationOnAutoAddressSubnet", self.port, fixed_ips=[{"ip_address": "fd00:9::5"}]
        )
        self.assertEqual(
            message,
            f"IPv6 address fd00:9::5 cannot be directly assigned to a port on subnet {self.v6} as the subnet is "
            "configured for automatic addresses",
        )

    def test_routers_choose(self) -> None:
        """A router's port has what it names, and nothing computed."""
        port = self.port(device_owner="network:router_interface", fixed_ips=[{"ip_address": "fd00:9::1"}])
        self.assertEqual(addresses(port), ["fd00:9::1"])

    def test_new_mac_new_address(self) -> None:
        """The others stay."""
        port = self.port(fixed_ips=[{"ip_address": "10.9.0.9"}])
        changed = self.bed.update("port", port["id"], mac_address="fa:16:3e:00:00:01")
        self.assertEqual(addresses(changed), ["10.9.0.9", "fd00:9::f816:3eff:fe00:1"])

    def test_what_was_shown_may_be_sent_back(self) -> None:
        """Clients read a port, change it and write it."""
        port = self.port()
        same = self.bed.update("port", port["id"], fixed_ips=port["fixed_ips"])
        self.assertEqual((same["fixed_ips"], same["revision_number"]), (port["fixed_ips"], 1))

    def test_it_stays_on_update(self) -> None:
        """Naming other addresses does not take it away."""
        port = self.port()
        changed = self.bed.update("port", port["id"], fixed_ips=[{"ip_address": "10.9.0.7"}])
        self.assertEqual(addresses(changed), ["10.9.0.7", f"fd00:9::{COMPUTED}"])

    def test_every_such_subnet_gives_one(self) -> None:
        """Stateless DHCPv6 computes too."""
        self.subnet("fd00:8::/64", "dhcpv6-stateless")
        self.assertEqual(set(addresses(self.port())[1:]), {f"fd00:9::{COMPUTED}", f"fd00:8::{COMPUTED}"})


class ServiceTypeTests(ResourceCase):
    """Subnets that are for ports of some owners."""

    def setUp(self) -> None:
        """Make a network with a subnet for everybody and one for routers' gateways."""
        super().setUp()
        self.network_id, self.everybodys = self.bed.network_with_subnet("10.1.0.0/24", enable_dhcp=False)
        self.gateways = self.subnet("10.2.0.0/24", "network:router_gateway")

    def subnet(self, cidr: str, *service_types: str) -> str:
        """Make a subnet."""
        subnet_id: str = self.bed.create(
            "subnet",
            network_id=self.network_id,
            cidr=cidr,
            ip_version=4,
            enable_dhcp=False,
            service_types=list(service_types),
        )["id"]
        return subnet_id

    def subnet_of(self, device_owner: str, **body: Any) -> str:
        """Return the subnet that a port of this owner has an address on."""
        port = self.bed.create("port", network_id=self.network_id, device_owner=device_owner, **body)
        subnet_id: str = port["fixed_ips"][0]["subnet_id"]
        return subnet_id

    def test_owners_come_to_theirs(self) -> None:
        """And the others to that for everybody."""
        self.assertEqual(self.subnet_of("network:router_gateway"), self.gateways)
        self.assertEqual(self.subnet_of("compute:nova"), self.everybodys)

    def test_others_cannot_name_it(self) -> None:
        """It is none of the subnets for them."""
        self.assert_refused(
            400, "InvalidInput", self.subnet_of, "compute:nova", fixed_ips=[{"subnet_id": self.gateways}]
        )

    def test_no_subnet_for_the_owner(self) -> None:
        """With the sentence of today."""
        network = self.bed.create("network")["id"]
        self.bed.create(
            "subnet",
            network_id=network,
            cidr="10.3.0.0/24",
            ip_version=4,
            enable_dhcp=False,
            service_types=["network:router_gateway"],
        )
        message = self.assert_refused(
            409,
            "IpAddressGenerationFailureNoMatchingSubnet",
            self.bed.create,
            "port",
            network_id=network,
            device_owner="compute:nova",
        )
        self.assertEqual(
            message,
            f"No valid service subnet for the given device owner, network {network}, service type compute:nova.",
        )


class RoutedTests(ResourceCase):
    """A network of two segments, each with a subnet, each on one host."""

    physical_networks = ("physnet1", "physnet2")

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        self.network_id = self.bed.create(
            "network",
            segments=[
                {"provider:network_type": "vlan", "provider:physical_network": name, "provider:segmentation_id": 5}
                for name in self.physical_networks
            ],
        )["id"]
        self.subnets: dict[str, str] = {}
        for segment in self.bed.listed("segment", network_id=(self.network_id,)):
            name = segment["physical_network"]
            self.subnets[name] = self.bed.create(
                "subnet",
                network_id=self.network_id,
                cidr=f"10.{len(self.subnets) + 1}.0.0/24",
                ip_version=4,
                segment_id=segment["id"],
                enable_dhcp=False,
            )["id"]
            self.bed.add_host(f"on-{name}")
            row = {"host": f"on-{name}", "physical_network": name}
            self.bed.connection.execute(insert(host_physical_networks), row)

    def port(self, **body: Any) -> View:
        """Make a port."""
        return self.bed.create("port", network_id=self.network_id, **body)

    def test_address_waits_for_the_host(self) -> None:
        """A port without a host has none; bound it has one of the host's segment, and says that it waited."""
        port = self.port()
        self.assertEqual((port["fixed_ips"], port["ip_allocation"]), ([], "deferred"))
        bound = self.bed.update("port", port["id"], binding__host_id="on-physnet2")
        self.assertEqual([each["subnet_id"] for each in bound["fixed_ips"]], [self.subnets["physnet2"]])
        self.assertEqual(bound["ip_allocation"], "deferred")

    def test_plugging_ends_the_wait_too(self) -> None:
        """A port bound by plugging its device has its address before the host hears of it."""
        port = self.port()["id"]
        self.assertTrue(self.bed.plug(port, "on-physnet1"))
        found = self.bed.show("port", port)["fixed_ips"]
        self.assertEqual([each["subnet_id"] for each in found], [self.subnets["physnet1"]])

    def test_bound_port_has_one_at_once(self) -> None:
        """From the segment of its host."""
        port = self.port(binding__host_id="on-physnet1")
        self.assertEqual([each["subnet_id"] for each in port["fixed_ips"]], [self.subnets["physnet1"]])
        self.assertEqual(port["ip_allocation"], "immediate")

    def test_named_address_ties_the_port(self) -> None:
        """It cannot go to a host where the address does not work."""
        port = self.port(fixed_ips=[{"subnet_id": self.subnets["physnet1"]}])["id"]
        message = self.assert_refused(
            409, "HostNotCompatibleWithFixedIps", self.bed.update, "port", port, binding__host_id="on-physnet2"
        )
        self.assertIn(f"existing fixed_ips on port {port}", message)
        self.bed.update("port", port, binding__host_id="on-physnet1")

    def test_host_on_no_segment(self) -> None:
        """Has no port of a routed network."""
        self.bed.add_host("elsewhere")
        message = self.assert_refused(409, "HostNotConnectedToAnySegment", self.port, binding__host_id="elsewhere")
        self.assertIn(f"routed provider network '{self.network_id}'", message)


class StillTests(ResourceCase):
    """Ports whose addresses stay."""

    def test_port_that_a_router_uses(self) -> None:
        """Its IPv4 addresses stay, as the router would not hear of others; its name does not."""
        network_id, _ = self.bed.network_with_subnet()
        port = self.bed.create(
            "port", network_id=network_id, device_owner="network:router_interface", device_id="router"
        )["id"]
        message = self.assert_refused(
            400,
            "IPAddressChangeNotAllowed",
            self.bed.update,
            "port",
            port,
            fixed_ips=[{"ip_address": "10.9.0.77"}],
        )
        self.assertEqual(message, f"IP updates for port {port} are not allowed")
        self.bed.update("port", port, name="x")

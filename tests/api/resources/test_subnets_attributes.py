"""What extensions add to subnets: service types, segments, external networks, tags, and what changes with them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quantumd.api.errors import PolicyNotAuthorized
from quantumd.api.extensions.features import serve
from quantumd.api.resource import Query, TagFilter
from quantumd.api.resources.tags import set_tags
from quantumd.config import NetworkSettings
from quantumd.store.tables import segments
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

NOBODY_HAS = "00000000-0000-4000-8000-000000000000"


class SubnetCase(ResourceCase):
    """Has a network."""

    def setUp(self) -> None:
        """Make a network."""
        super().setUp()
        self.network_id = self.bed.create("network")["id"]

    def subnet(self, cidr: str = "10.9.0.0/24", **body: Any) -> View:
        """Create a subnet of the network."""
        named = {"network_id": self.network_id, "cidr": cidr, "ip_version": 6 if ":" in cidr else 4, **body}
        return self.bed.create("subnet", named.pop("context", ADMIN), **named)


class ServiceTypeTests(SubnetCase):
    """``service_types``."""

    def test_they_are_kept(self) -> None:
        """On create, on update, and taken away again."""
        subnet = self.subnet(service_types=["network:router_gateway", "compute:nova"])
        self.assertEqual(subnet["service_types"], ["network:router_gateway", "compute:nova"])
        self.assertEqual(self.bed.show("subnet", subnet["id"]), subnet)
        changed = self.bed.update("subnet", subnet["id"], service_types=["neutron:LOADBALANCERV2"])
        self.assertEqual((changed["service_types"], changed["revision_number"]), (["neutron:LOADBALANCERV2"], 1))
        self.assertEqual(self.bed.update("subnet", subnet["id"], service_types=[])["service_types"], [])

    def test_the_same_again_is_no_revision(self) -> None:
        """Nothing is written."""
        subnet = self.subnet(service_types=["compute:nova"])
        self.assertEqual(self.bed.update("subnet", subnet["id"], service_types=["compute:nova"]), subnet)

    def test_wrong_ones_are_refused(self) -> None:
        """With the sentences of Neutron."""
        told = self.assert_refused(400, "InvalidSubnetServiceType", self.subnet, service_types=["nova"])
        self.assertEqual(told, "Subnet service type nova does not correspond to a valid device owner.")
        told = self.assert_refused(400, "InvalidInputSubnetServiceType", self.subnet, service_types=[1])
        self.assertEqual(told, "Subnet service type 1 is not a string.")
        told = self.assert_refused(400, "HTTPBadRequest", self.subnet, service_types="compute:nova")
        self.assertEqual(told, "Subnet service types must be a list.")

    def test_administrators_name_them(self) -> None:
        """Also for the subnets of projects, who see them and do not set them, as today."""
        network_id = self.bed.create("network", ALICE)["id"]
        named = {"network_id": network_id, "service_types": ["compute:nova"]}
        with self.assertRaises(PolicyNotAuthorized):
            self.subnet(context=ALICE, **named)
        subnet = self.subnet(project_id=ALICE.project_id, **named)
        self.assertEqual(self.bed.show("subnet", subnet["id"], ALICE)["service_types"], ["compute:nova"])

    def test_hosts_hear_nothing(self) -> None:
        """They are told addresses, not for whom more could be given."""
        subnet = self.subnet()
        before = self.network_version(self.network_id)
        self.bed.update("subnet", subnet["id"], service_types=["compute:nova"])
        self.assertEqual(self.network_version(self.network_id), before)


class SegmentTests(SubnetCase):
    """``segment_id``."""

    def segment_of(self, network_id: str) -> str:
        """Return the id of the network's segment."""
        return str(self.bed.row(select(segments.c.id).where(segments.c.network_id == network_id))[0])

    def test_segment_of_the_network(self) -> None:
        """It is kept."""
        segment_id = self.segment_of(self.network_id)
        subnet = self.subnet(segment_id=segment_id)
        self.assertEqual(self.bed.show("subnet", subnet["id"])["segment_id"], segment_id)
        self.assertEqual([each["id"] for each in self.bed.listed("subnet", segment_id=(segment_id,))], [subnet["id"]])

    def test_segment_of_another_network(self) -> None:
        """With the sentence of Neutron."""
        segment_id = self.segment_of(self.bed.create("network")["id"])
        told = self.assert_refused(400, "NetworkIdsDontMatch", self.subnet, segment_id=segment_id)
        self.assertEqual(
            told,
            f"The subnet's network id, '{self.network_id}', doesn't match the network_id of segment '{segment_id}'",
        )

    def test_unknown_segment(self) -> None:
        """With the sentence of Neutron."""
        told = self.assert_refused(404, "SegmentNotFound", self.subnet, segment_id=NOBODY_HAS)
        self.assertEqual(told, f"Segment {NOBODY_HAS} could not be found.")

    def test_all_or_none(self) -> None:
        """With the sentence of Neutron."""
        self.subnet()
        segment_id = self.segment_of(self.network_id)
        self.assert_refused(
            400, "SubnetsNotAllAssociatedWithSegments", self.subnet, "10.8.0.0/24", segment_id=segment_id
        )

    def test_the_only_subnet_may_be_put_on_the_only_segment(self) -> None:
        """And stays there."""
        segment_id = self.segment_of(self.network_id)
        subnet = self.subnet()
        self.assertEqual(self.bed.update("subnet", subnet["id"], segment_id=segment_id)["segment_id"], segment_id)
        self.assert_refused(
            400,
            "SubnetSegmentAssociationChangeNotAllowed",
            self.bed.update,
            "subnet",
            subnet["id"],
            segment_id=None,
        )

    def test_one_of_several_stays_off(self) -> None:
        """The others would be left behind."""
        subnet = self.subnet()
        self.subnet("10.8.0.0/24")
        self.assert_refused(
            400,
            "SubnetsNotAllAssociatedWithSegments",
            self.bed.update,
            "subnet",
            subnet["id"],
            segment_id=self.segment_of(self.network_id),
        )


class NetworkTests(SubnetCase):
    """What subnets have of their network."""

    def test_external(self) -> None:
        """Shown and filtered, never named."""
        outside = self.bed.create("network", router__external=True)["id"]
        subnet, other = self.subnet(network_id=outside), self.subnet()
        self.assertEqual((subnet["router:external"], other["router:external"]), (True, False))
        self.assertTrue(self.bed.show("subnet", subnet["id"])["router:external"])
        for text, found in (("True", subnet), ("False", other)):
            self.assertEqual(self.bed.listed("subnet", router__external=(text,)), [found])
        self.assert_refused(400, "HTTPBadRequest", self.subnet, router__external=True)

    def test_shared_is_a_filter(self) -> None:
        """It is not shown."""
        shared = self.bed.create("network", shared=True)["id"]
        subnet, other = self.subnet(network_id=shared), self.subnet()
        self.assertNotIn("shared", subnet)
        self.assertEqual(self.bed.listed("subnet", shared=("True",)), [subnet])
        self.assertEqual(self.bed.listed("subnet", shared=("False",)), [other])

    def test_only_the_owner_of_a_network_makes_subnets(self) -> None:
        """Those who may use it may not."""
        shared = self.bed.create("network", shared=True)["id"]
        self.assert_refused(403, "PolicyNotAuthorized", self.subnet, context=BOB, network_id=shared)
        foreign = self.bed.create("network", ALICE)["id"]
        self.assert_refused(404, "NetworkNotFound", self.subnet, context=BOB, network_id=foreign)

    def test_owner_of_the_network_changes_subnets_of_others(self) -> None:
        """A subnet that an administrator made for another project is the network owner's to delete."""
        network_id = self.bed.create("network", ALICE)["id"]
        subnet = self.subnet(network_id=network_id, project_id="bob")
        self.assertEqual(self.bed.update("subnet", subnet["id"], BOB, name="mine")["name"], "mine")
        self.assertEqual(subnet["project_id"], "bob")


class TagTests(SubnetCase):
    """Tags of subnets."""

    def test_tags_are_shown_and_go_with_the_subnet(self) -> None:
        """In order of the alphabet."""
        subnet = self.subnet()
        set_tags(self.bed.tx(), subnet["id"], ["red", "blue"])
        self.assertEqual(self.bed.show("subnet", subnet["id"])["tags"], ["blue", "red"])
        found = self.bed.query("subnet", Query(tags=TagFilter(every=("red",))))
        self.assertEqual([each["tags"] for each in found], [["blue", "red"]])
        self.bed.delete("subnet", subnet["id"])
        self.assertEqual(self.bed.query("subnet", Query(tags=TagFilter(every=("red",)))), [])


class RouteTests(SubnetCase):
    """Host routes and DNS servers."""

    def test_destinations_are_prefixes(self) -> None:
        """With the sentences of Neutron."""
        for destination, message in (
            ("10.8.0.1/16", "'10.8.0.1/16' is not a valid CIDR"),
            ("10.8.0.0", "'10.8.0.0' is not a valid CIDR"),
            ("127.0.0.0/8", "'127.0.0.0/8' is not a routable CIDR"),
        ):
            routes = [{"destination": destination, "nexthop": "10.9.0.9"}]
            told = self.assert_refused(400, "HTTPBadRequest", self.subnet, host_routes=routes)
            self.assertEqual(told, f"Invalid input for host_routes. Reason: {message}.")

    def test_servers_are_addresses(self) -> None:
        """With the sentences of Neutron."""
        told = self.assert_refused(400, "HTTPBadRequest", self.subnet, dns_nameservers=["dns.example"])
        self.assertIn("'dns.example' is not a valid nameserver. 'dns.example' is not a valid IP address", told)
        told = self.assert_refused(400, "HTTPBadRequest", self.subnet, dns_nameservers=["1.1.1.1", "1.1.1.1"])
        self.assertIn("Duplicate nameserver '1.1.1.1'", told)


class DhcpTests(SubnetCase):
    """Where DHCP cannot be."""

    def test_prefixes_without_room(self) -> None:
        """They are taken without DHCP, and cannot have it later."""
        told = self.assert_refused(400, "InvalidInput", self.subnet, "10.9.0.0/31")
        self.assertEqual(
            told,
            "Invalid input for operation: Subnet has a prefix length that is incompatible with DHCP service enabled.",
        )
        subnet = self.subnet("10.9.0.0/31", enable_dhcp=False)
        self.assert_refused(400, "InvalidInput", self.bed.update, "subnet", subnet["id"], enable_dhcp=True)
        self.assertEqual(self.bed.update("subnet", subnet["id"], name="x")["name"], "x")

    def test_cidr_stays(self) -> None:
        """So do the IP version, the network and the pool."""
        subnet = self.subnet()
        changes: tuple[dict[str, Any], ...] = (
            {"cidr": "10.8.0.0/24"},
            {"ip_version": 6},
            {"network_id": self.network_id},
            {"subnetpool_id": None},
            {"prefixlen": 24},
        )
        for change in changes:
            self.assert_refused(400, "HTTPBadRequest", self.bed.update, "subnet", subnet["id"], **change)


class ModeTests(SubnetCase):
    """Subnets on which ports compute their addresses."""

    def slaac(self, cidr: str = "fd00:9::/64") -> View:
        """Create one."""
        return self.subnet(cidr, ipv6_ra_mode="slaac", ipv6_address_mode="slaac")

    def addresses(self, port_id: str) -> list[str]:
        """Return the addresses of a port."""
        return [each["ip_address"] for each in self.bed.show("port", port_id)["fixed_ips"]]

    def test_modes_are_shown(self) -> None:
        """As in the answer of Neutron."""
        subnet = self.slaac()
        self.assertEqual((subnet["ipv6_ra_mode"], subnet["ipv6_address_mode"]), ("slaac", "slaac"))
        self.assertEqual(self.bed.show("subnet", subnet["id"]), subnet)
        self.assertEqual(self.bed.listed("subnet", ipv6_ra_mode=("slaac",)), [subnet])

    def test_modes_by_their_table(self) -> None:
        """What cannot be together is refused."""
        for cidr, modes in (
            ("10.9.0.0/24", {"ipv6_ra_mode": "slaac"}),
            ("fd00:9::/64", {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateful"}),
            ("fd00:9::/64", {"ipv6_ra_mode": "slaac", "enable_dhcp": False}),
            ("fd00:9::/80", {"ipv6_address_mode": "dhcpv6-stateless"}),
        ):
            self.assert_refused(400, "InvalidInput", self.subnet, cidr, **modes)
        self.assert_refused(400, "HTTPBadRequest", self.subnet, "fd00:9::/64", ipv6_ra_mode="x")

    def test_dhcp_stays_on(self) -> None:
        """With the sentence of Neutron."""
        subnet = self.slaac()
        told = self.assert_refused(400, "InvalidInput", self.bed.update, "subnet", subnet["id"], enable_dhcp=False)
        self.assertEqual(told, "Invalid input for operation: Cannot disable enable_dhcp with ipv6 attributes set.")

    def test_ports_get_their_address_with_the_subnet(self) -> None:
        """Those that were there before; routers choose theirs. Hosts hear of it."""
        port = self.bed.create("port", network_id=self.network_id, mac_address="fa:16:3e:11:22:33")
        router = self.bed.create("port", network_id=self.network_id, device_owner="network:router_interface")
        self.slaac()
        self.assertEqual(self.addresses(port["id"]), ["fd00:9::f816:3eff:fe11:2233"])
        self.assertEqual(self.addresses(router["id"]), [])
        self.assertEqual(self.port_version(port["id"]), self.position())

    def test_addresses_go_with_the_subnet(self) -> None:
        """The others stay."""
        self.subnet(enable_dhcp=False)
        port = self.bed.create("port", network_id=self.network_id)
        had = self.addresses(port["id"])
        subnet = self.slaac()
        self.assertEqual(len(self.addresses(port["id"])), 2)
        self.bed.delete("subnet", subnet["id"])
        self.assertEqual(self.addresses(port["id"]), had)

    def test_a_router_keeps_the_subnet(self) -> None:
        """With the sentence of Neutron."""
        subnet = self.slaac()
        self.bed.create(
            "port",
            network_id=self.network_id,
            device_owner="network:router_interface",
            fixed_ips=[{"subnet_id": subnet["id"], "ip_address": "fd00:9::1"}],
        )
        self.assert_refused(409, "SubnetInUse", self.bed.delete, "subnet", subnet["id"])


class PoolEditTests(SubnetCase):
    """Allocation pools that change while addresses of them are used."""

    def test_pools_may_shrink_below_used_addresses(self) -> None:
        """As today: ports keep what they have, new ones get what is left."""
        subnet = self.subnet(enable_dhcp=False)
        port = self.bed.create("port", network_id=self.network_id)
        pools = [{"start": "10.9.0.250", "end": "10.9.0.254"}]
        self.bed.update("subnet", subnet["id"], allocation_pools=pools)
        self.assertEqual(self.bed.show("port", port["id"])["fixed_ips"], port["fixed_ips"])

    def test_a_subnet_may_have_no_pool(self) -> None:
        """Ports then name their address."""
        subnet = self.subnet(enable_dhcp=False, allocation_pools=[])
        self.assertEqual(subnet["allocation_pools"], [])
        self.assert_refused(409, "IpAddressGenerationFailure", self.bed.create, "port", network_id=self.network_id)
        port = self.bed.create("port", network_id=self.network_id, fixed_ips=[{"ip_address": "10.9.0.7"}])
        self.assertEqual([each["ip_address"] for each in port["fixed_ips"]], ["10.9.0.7"])


class PreviewTests(SubnetCase):
    """What drivers must obey is closed until they do."""

    def test_publishing_is_kept_in_preview(self) -> None:
        """On create and on update."""
        subnet = self.subnet(dns_publish_fixed_ip=True)
        self.assertTrue(self.bed.show("subnet", subnet["id"])["dns_publish_fixed_ip"])
        self.assertFalse(self.bed.update("subnet", subnet["id"], dns_publish_fixed_ip=False)["dns_publish_fixed_ip"])

    def test_without_preview_nobody_names_it(self) -> None:
        """Neither is it shown, nor its alias announced; pools and address scopes are always there."""
        served = serve(NetworkSettings(), (), (), preview=False)
        subnet = next(each for each in served.resources if each.member == "subnet")
        publishing = next(each for each in subnet.attributes if each.name == "dns_publish_fixed_ip")
        self.assertFalse(publishing.in_post or publishing.in_put or publishing.is_visible)
        aliases = {each.alias for each in served.extensions}
        self.assertNotIn("subnet-dns-publish-fixed-ip", aliases)
        self.assertLessEqual(
            {"subnet_allocation", "default-subnetpools", "subnetpool-prefix-ops", "subnet_onboard", "address-scope"},
            aliases,
        )

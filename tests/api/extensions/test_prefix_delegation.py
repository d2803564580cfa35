"""Subnets whose prefixes are delegated: as they are made, and what reports of hosts make of them."""

from __future__ import annotations

from typing import Any

from quantumd.api.extensions.routers.delegations import apply_delegations
from quantumd.api.hosts.compiled import records_of_host
from quantumd.config import NetworkSettings
from quantumd.model.addresses import address_text, eui64_number
from quantumd.model.delegation import PROVISIONAL, DelegatedPrefix, Delegation
from quantumd.model.messages import PortReport, Report
from quantumd.model.router_records import RouterRecord
from quantumd.store import dns_nouns, nouns
from quantumd.store.journal import read_after
from quantumd.store.security_nouns import members
from tests.api.extensions.test_router_hosts import HostedCase
from tests.api.extensions.test_subnetpools_allocation import AllocationCase
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

SLAAC: dict[str, Any] = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
STATELESS: dict[str, Any] = {"ipv6_ra_mode": "dhcpv6-stateless", "ipv6_address_mode": "dhcpv6-stateless"}
DELEGATED: dict[str, Any] = {"ip_version": 6, "subnetpool_id": "prefix_delegation"}
PREFIX, OTHER = "2001:db8:1::/64", "2001:db8:2::/64"


def own_address(cidr: str, port: View) -> str:
    """Return the address that a port computes for itself."""
    return address_text(6, eui64_number(cidr, port["mac_address"]))


class CreationTests(AllocationCase):
    """What may be asked for."""

    def test_it_begins_with_a_prefix_that_stands_for_one(self) -> None:
        """As in Neutron."""
        for modes in (SLAAC, STATELESS):
            made = self.elsewhere(**DELEGATED, **modes)
            self.assertEqual((made["cidr"], made["gateway_ip"]), (PROVISIONAL, "::1"))
            self.assertEqual(made["subnetpool_id"], "prefix_delegation")
            self.assertEqual(made["allocation_pools"], [{"start": "::2", "end": "::ffff:ffff:ffff:ffff"}])

    def test_a_network_may_have_several(self) -> None:
        """What stands for a prefix is in nobody's way; but not beside subnets from elsewhere."""
        for _ in range(2):
            self.subnet(**DELEGATED, **SLAAC)
        self.assert_refused(
            400, "NetworkSubnetPoolAffinityError", self.subnet, ip_version=6, cidr="2001:db8:9::/64", **SLAAC
        )

    def test_what_cannot_be(self) -> None:
        """IPv4, modes with which ports do not compute their addresses, pools."""
        ra = "IPv6 RA Mode must be SLAAC or Stateless for Prefix Delegation"
        address = "IPv6 Address Mode must be SLAAC or Stateless for Prefix Delegation"
        stateful = {"ipv6_ra_mode": "dhcpv6-stateful", "ipv6_address_mode": "dhcpv6-stateful"}
        pools = [{"start": "::5", "end": "::9"}]
        for body, why in (
            ({"ip_version": 4}, "Prefix Delegation can only be used with IPv6 subnets"),
            ({}, ra),
            (stateful, ra),
            ({"ipv6_ra_mode": "slaac"}, address),
            ({"ipv6_address_mode": "slaac"}, ra),
            ({**SLAAC, "allocation_pools": pools}, "allocation_pools allowed only for specific subnet requests"),
            (
                {**SLAAC, "use_default_subnetpool": True},
                "subnetpool_id and use_default_subnetpool cannot both be specified",
            ),
        ):
            told = self.assert_refused(400, "BadRequest", self.subnet, **{**DELEGATED, **body})
            self.assertEqual(told, f"Bad subnets request: {why}.")
        self.assert_refused(400, "InvalidInput", self.subnet, **DELEGATED, **SLAAC, gateway_ip="fe80::1")

    def test_who_names_a_prefix_has_it(self) -> None:
        """And nothing is delegated."""
        made = self.subnet(**DELEGATED, **SLAAC, cidr=PREFIX)
        self.assertEqual((made["cidr"], made["subnetpool_id"]), (PREFIX, None))

    def test_it_counts_as_every_subnet(self) -> None:
        """Of a project's quota."""
        self.bed.act("PUT", "quotas/<project_id>", {"quota": {"subnet": 1}}, ADMIN, project_id="alice")
        self.subnet(**DELEGATED, **SLAAC)
        self.assert_refused(409, "OverQuota", self.subnet, **DELEGATED, **SLAAC)

    def test_it_is_found_by_its_pool(self) -> None:
        """With the filter that finds those of every pool."""
        made = self.subnet(**DELEGATED, **SLAAC)
        found = self.bed.listed("subnet", subnetpool_id=("prefix_delegation",))
        self.assertEqual([each["id"] for each in found], [made["id"]])

    def test_its_prefix_cannot_be_named_later(self) -> None:
        """Nobody may say which one it is but who gives it."""
        made = self.subnet(**DELEGATED, **SLAAC)
        self.assert_refused(400, "HTTPBadRequest", self.bed.update, "subnet", made["id"], ALICE, cidr=PREFIX)

    def test_a_subnet_without_a_prefix_goes_like_any_other(self) -> None:
        """With the addresses of ports."""
        made = self.subnet(**DELEGATED, **SLAAC)
        port = self.bed.create("port", ALICE, network_id=self.network_id)
        self.assertEqual(port["fixed_ips"], [{"subnet_id": made["id"], "ip_address": own_address(PROVISIONAL, port)}])
        self.bed.delete("subnet", made["id"], ALICE)
        self.assertEqual(self.bed.show("port", port["id"])["fixed_ips"], [])


class DefaultTests(ResourceCase):
    """``use_default_subnetpool`` where the setting says that it is delegation."""

    settings = NetworkSettings(delegate_prefixes=True)

    def test_ipv6_is_delegated(self) -> None:
        """And IPv4 is not; nor is who names a prefix."""
        network = self.bed.create("network", ALICE)["id"]
        body = {"network_id": network, "ip_version": 6, "use_default_subnetpool": True}
        self.assertEqual(self.bed.create("subnet", ALICE, **body, **SLAAC)["cidr"], PROVISIONAL)
        told = self.assert_refused(400, "BadRequest", self.bed.create, "subnet", ALICE, **{**body, "ip_version": 4})
        self.assertIn("No default subnetpool found for IPv4", told)
        made = self.bed.create(
            "subnet", ALICE, **{**body, "network_id": self.bed.create("network", ALICE)["id"]}, cidr=PREFIX
        )
        self.assertEqual((made["cidr"], made["subnetpool_id"]), (PREFIX, None))


class DelegationCase(HostedCase):
    """Has a router on host a with a gateway and an interface on a subnet of Alice's that waits for a prefix."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.hear("a")
        self.network = self.bed.create("network", ALICE)["id"]
        self.subnet = self.bed.create("subnet", ALICE, network_id=self.network, **DELEGATED, **STATELESS)["id"]
        self.port = self.bed.create("port", ALICE, network_id=self.network)
        self.made = self.with_gateway()
        self.interface = self.add(self.made, subnet_id=self.subnet)["port_id"]

    def says(self, prefix: str, subnet: str = "", host: str = "a", router: View | None = None) -> None:
        """Report a prefix."""
        delegated = (DelegatedPrefix(subnet or self.subnet, prefix),)
        said = PortReport((router or self.made)["id"], 1, True, None, delegated)
        tx = self.bed.tx()
        with tx.savepoint():
            apply_delegations(tx, Report(host, "l3", (said,)))

    def cidr(self, subnet: str = "") -> str:
        """Return the prefix of a subnet."""
        return str(self.bed.show("subnet", subnet or self.subnet)["cidr"])

    def addresses(self, port_id: str) -> list[str]:
        """Return the addresses of a port."""
        return [each["ip_address"] for each in self.bed.show("port", port_id)["fixed_ips"]]

    def record(self) -> RouterRecord:
        """Return what the router's host must know."""
        (record,) = records_of_host(self.bed.connection, "a", "l3", None)
        assert isinstance(record, RouterRecord)
        return record


class ReportTests(DelegationCase):
    """What a host was given."""

    def test_everything_follows_a_prefix(self) -> None:
        """Gateway, pools, the router's address, those of ports and of DHCP; each is told of."""
        begun = self.position()
        self.says(PREFIX)
        subnet = self.bed.show("subnet", self.subnet)
        self.assertEqual((subnet["cidr"], subnet["gateway_ip"]), (PREFIX, "2001:db8:1::1"))
        self.assertEqual(
            subnet["allocation_pools"], [{"start": "2001:db8:1::2", "end": "2001:db8:1:0:ffff:ffff:ffff:ffff"}]
        )
        self.assertEqual(self.addresses(self.port["id"]), [own_address(PREFIX, self.port)])
        self.assertEqual(self.addresses(self.interface), ["2001:db8:1::1"])
        (dhcp,) = self.bed.listed("port", device_owner=("network:dhcp",), network_id=(self.network,))
        self.assertEqual(self.addresses(dhcp["id"]), [own_address(PREFIX, dhcp)])
        told = {(row.resource, row.resource_id) for row in read_after(self.bed.connection, begun, 100)}
        ids = (self.port["id"], self.interface, dhcp["id"])
        self.assertEqual(told, {("subnet", self.subnet), *(("port", each) for each in ids)})

    def test_a_port_that_comes_later_computes_its_address_of_it(self) -> None:
        """As on any subnet."""
        self.says(PREFIX)
        later = self.bed.create("port", ALICE, network_id=self.network)
        self.assertEqual(self.addresses(later["id"]), [own_address(PREFIX, later)])

    def test_the_same_again_changes_nothing(self) -> None:
        """Hosts repeat what they say."""
        self.says(PREFIX)
        begun = self.position()
        self.says(PREFIX)
        self.assertEqual(self.position(), begun)

    def test_another_prefix_and_none(self) -> None:
        """Back and forth; who is which stays."""
        for prefix, expected in ((PREFIX, PREFIX), (OTHER, OTHER), ("", PROVISIONAL), (PREFIX, PREFIX)):
            self.says(prefix)
            self.assertEqual(self.cidr(), expected)
            self.assertEqual(self.addresses(self.port["id"]), [own_address(expected, self.port)])

    def test_only_the_host_of_the_router_counts(self) -> None:
        """And only of subnets that wait for a prefix, in which the router stands, while it leads outside."""
        self.says(PREFIX, host="b")
        self.says(PREFIX, subnet=self.inner)
        other = self.with_gateway()
        self.says(PREFIX, router=other)
        self.bed.update("router", self.made["id"], ALICE, external_gateway_info=None)
        self.says(PREFIX)
        self.assertEqual(self.cidr(), PROVISIONAL)

    def test_prefixes_that_hosts_cannot_have(self) -> None:
        """Whatever a host says."""
        for prefix in ("2001:db8::/56", "2001:db8::/65", "2001:db8::1/64", "fe80::/64", "ff00::/64", "x", "10.0.0.0/8"):
            self.says(prefix)
            self.assertEqual(self.cidr(), PROVISIONAL, prefix)

    def test_a_prefix_that_is_somebody_else_s(self) -> None:
        """Of the router's other subnets, of the outside, of the network, or delegated to another."""
        self.bed.create("subnet", network_id=self.outside, ip_version=6, cidr="2001:db8:0:1::/64", enable_dhcp=False)
        addresses = [{"ip_address": "2001:db8:0:1::9"}]
        gateway = {"network_id": self.outside, "external_fixed_ips": addresses}
        self.bed.update("router", self.made["id"], ADMIN, external_gateway_info=gateway)
        self.says("2001:db8:0:1::/64")
        self.assertEqual(self.cidr(), PROVISIONAL)
        inner = self.bed.create("network", ALICE)["id"]
        known = self.bed.create("subnet", ALICE, network_id=inner, ip_version=6, cidr="2001:db8:5::/48")["id"]
        self.add(self.made, subnet_id=known)
        self.says("2001:db8:5:7::/64")
        self.assertEqual(self.cidr(), PROVISIONAL)
        other = self.bed.create("subnet", ALICE, network_id=self.network, **DELEGATED, **SLAAC)["id"]
        self.add(self.made, subnet_id=other)
        self.says(PREFIX)
        self.says(PREFIX, subnet=other)
        self.assertEqual((self.cidr(), self.cidr(other)), (PREFIX, PROVISIONAL))
        self.says(OTHER, subnet=other)
        self.assertEqual(self.cidr(other), OTHER)


class LeavingTests(DelegationCase):
    """When a prefix is a subnet's no more."""

    def setUp(self) -> None:
        """Have one."""
        super().setUp()
        self.says(PREFIX)

    def test_the_interface_goes(self) -> None:
        """In the same transaction: the prefix is somebody else's soon."""
        self.remove(self.made, subnet_id=self.subnet)
        self.assertEqual(
            (self.cidr(), self.addresses(self.port["id"])), (PROVISIONAL, [own_address(PROVISIONAL, self.port)])
        )
        self.says(PREFIX)
        self.assertEqual(self.cidr(), PROVISIONAL)

    def test_the_gateway_goes_or_is_another(self) -> None:
        """Another network has another provider."""
        elsewhere, _ = self.external("172.25.0.0/24")
        self.bed.update("router", self.made["id"], ALICE, external_gateway_info={"network_id": elsewhere})
        self.assertEqual(self.cidr(), PROVISIONAL)
        self.says(PREFIX)
        self.assertEqual(self.cidr(), PREFIX)
        self.bed.update("router", self.made["id"], ALICE, external_gateway_info=None)
        self.assertEqual(self.cidr(), PROVISIONAL)

    def test_one_of_several_gateways_goes(self) -> None:
        """The prefix is from behind the first one, and goes with that."""
        elsewhere, _ = self.external("172.25.0.0/24")
        second = {"router": {"external_gateways": [{"network_id": elsewhere}]}}
        first = {"router": {"external_gateways": [{"network_id": self.outside}]}}
        self.act("add_external_gateways", self.made, second)
        self.assertEqual(self.cidr(), PREFIX)
        self.act("remove_external_gateways", self.made, second)
        self.assertEqual(self.cidr(), PREFIX)
        self.act("add_external_gateways", self.made, second)
        self.act("remove_external_gateways", self.made, first)
        self.assertEqual(self.cidr(), PROVISIONAL)

    def test_the_same_gateway_again_changes_nothing(self) -> None:
        """Clients send back what they were shown."""
        self.bed.update("router", self.made["id"], ALICE, external_gateway_info={"network_id": self.outside})
        self.assertEqual(self.cidr(), PREFIX)

    def test_it_is_disabled(self) -> None:
        """The lease goes on."""
        self.bed.update("router", self.made["id"], ALICE, admin_state_up=False)
        self.assertEqual(self.cidr(), PREFIX)

    def test_another_subnet_keeps_its_prefix(self) -> None:
        """Of the same router."""
        other = self.bed.create("subnet", ALICE, network_id=self.network, **DELEGATED, **SLAAC)["id"]
        self.add(self.made, subnet_id=other)
        self.says(OTHER, subnet=other)
        self.remove(self.made, subnet_id=other)
        self.assertEqual((self.cidr(), self.cidr(other)), (PREFIX, PROVISIONAL))


class RecordTests(DelegationCase):
    """What hosts are told."""

    def test_the_host_of_the_router_is_asked_to_get_a_prefix(self) -> None:
        """And of nothing that is not there yet."""
        record = self.record()
        self.assertEqual(record.delegations, (Delegation(self.subnet),))
        (link,) = record.interfaces
        self.assertEqual((link.addresses, link.advertised), ((), ()))
        self.says(PREFIX)
        record = self.record()
        self.assertEqual(record.delegations, (Delegation(self.subnet, PREFIX),))
        (link,) = record.interfaces
        self.assertEqual((link.addresses, link.advertised[0].prefix), (("2001:db8:1::1/64",), PREFIX))

    def test_nothing_is_asked_without_a_gateway(self) -> None:
        """There is nobody to ask."""
        self.bed.update("router", self.made["id"], ALICE, external_gateway_info=None)
        self.assertEqual(self.record().delegations, ())

    def test_each_has_a_port_of_its_own(self) -> None:
        """As in Neutron; so one that goes takes nothing with it."""
        other = self.bed.create("subnet", ALICE, network_id=self.network, **DELEGATED, **SLAAC)["id"]
        self.assertNotEqual(self.add(self.made, subnet_id=other)["port_id"], self.interface)
        self.assertEqual(len(self.record().delegations), 2)

    def test_nobody_is_told_of_addresses_that_nobody_has(self) -> None:
        """Neither switches, nor security groups, nor DNS."""
        (port,) = nouns.ports(self.bed.connection, (self.port["id"],)).values()
        self.assertEqual(port.fixed_ips, ())
        (group,) = port.security_groups
        self.assertEqual(members(self.bed.connection, group), {})
        self.assertEqual(list(dns_nouns.named(self.bed.connection, (self.port["id"],))), [])
        self.assertEqual([each.cidrs for each in dns_nouns.domains(self.bed.connection, (self.network,))], [()])
        self.says(PREFIX)
        (port,) = nouns.ports(self.bed.connection, (self.port["id"],)).values()
        self.assertEqual([each.ip_address for each in port.fixed_ips], [own_address(PREFIX, self.port)])
        (found,) = members(self.bed.connection, group).values()
        self.assertEqual(found, {own_address(PREFIX, self.port)})


class VisibilityTests(DelegationCase):
    """Who may do what: as with every subnet."""

    def test_others_do_not_see_it(self) -> None:
        """Nor its prefix."""
        self.says(PREFIX)
        self.assertEqual(self.bed.listed("subnet", context=BOB, id=(self.subnet,)), [])

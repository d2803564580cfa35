"""Subnets out of subnet pools."""

from __future__ import annotations

from typing import Any

from quantumd.model.context import Context
from tests.api.extensions.test_subnetpools import NOBODY_HAS, PoolCase
from tests.api.resources.bed import ADMIN, ALICE, BOB, View


class AllocationCase(PoolCase):
    """Has a network."""

    def setUp(self) -> None:
        """Make a network."""
        super().setUp()
        self.network_id = self.bed.create("network", ALICE)["id"]

    def subnet(self, context: Context = ALICE, **body: Any) -> View:
        """Create a subnet of the network, or of another one."""
        return self.bed.create("subnet", context, **{"network_id": self.network_id, "ip_version": 4, **body})

    def elsewhere(self, context: Context = ALICE, **body: Any) -> View:
        """Create a subnet of a network of its own."""
        return self.subnet(context, network_id=self.bed.create("network", context)["id"], **body)


class ChoiceTests(AllocationCase):
    """Which prefix a subnet is given."""

    def test_default_length(self) -> None:
        """Without a length, prefixes of the pool's default follow each other."""
        pool = self.pool(default_prefixlen=26)
        given = [self.elsewhere(subnetpool_id=pool["id"]) for _ in range(3)]
        self.assertEqual([each["cidr"] for each in given], ["10.0.0.0/26", "10.0.0.64/26", "10.0.0.128/26"])
        self.assertEqual({each["subnetpool_id"] for each in given}, {pool["id"]})
        self.assertEqual(given[1]["gateway_ip"], "10.0.0.65")
        self.assertEqual(given[1]["allocation_pools"], [{"start": "10.0.0.66", "end": "10.0.0.126"}])

    def test_length_that_is_named(self) -> None:
        """Also as text."""
        pool = self.pool()
        self.assertEqual(self.subnet(subnetpool_id=pool["id"], prefixlen="28")["cidr"], "10.0.0.0/28")

    def test_prefix_that_is_named(self) -> None:
        """With pools and a gateway of its own."""
        pool = self.pool()
        pools = [{"start": "10.0.7.10", "end": "10.0.7.20"}]
        subnet = self.subnet(
            subnetpool_id=pool["id"], cidr="10.0.7.0/24", allocation_pools=pools, gateway_ip="10.0.7.254"
        )
        self.assertEqual((subnet["cidr"], subnet["allocation_pools"]), ("10.0.7.0/24", pools))
        self.assertEqual(subnet["gateway_ip"], "10.0.7.254")

    def test_no_gateway(self) -> None:
        """Null is none here too."""
        pool = self.pool(default_prefixlen=29)
        subnet = self.subnet(subnetpool_id=pool["id"], gateway_ip=None)
        self.assertIsNone(subnet["gateway_ip"])
        self.assertEqual(subnet["allocation_pools"], [{"start": "10.0.0.1", "end": "10.0.0.6"}])

    def test_ipv6(self) -> None:
        """A /64 of a /48."""
        pool = self.pool("fd00:1::/48")
        self.assertEqual(self.subnet(subnetpool_id=pool["id"], ip_version=6)["cidr"], "fd00:1::/64")

    def test_deleted_subnets_give_back(self) -> None:
        """The prefix is given again."""
        pool = self.pool("10.0.0.0/24", default_prefixlen=24)
        subnet = self.subnet(subnetpool_id=pool["id"])
        self.bed.delete("subnet", subnet["id"], ALICE)
        self.assertEqual(self.subnet(subnetpool_id=pool["id"])["cidr"], "10.0.0.0/24")

    def test_networks_take_their_subnets_along(self) -> None:
        """The prefix is given again after its network is deleted."""
        pool = self.pool("10.0.0.0/24", default_prefixlen=24)
        self.subnet(subnetpool_id=pool["id"])
        self.bed.delete("network", self.network_id, ALICE)
        self.assertEqual(self.elsewhere(subnetpool_id=pool["id"])["cidr"], "10.0.0.0/24")


class RefusalTests(AllocationCase):
    """What a pool does not give."""

    def test_full_pool(self) -> None:
        """With the sentence of Neutron."""
        pool = self.pool("10.0.0.0/24", default_prefixlen=24)
        self.subnet(subnetpool_id=pool["id"])
        told = self.assert_refused(409, "SubnetAllocationError", self.elsewhere, subnetpool_id=pool["id"])
        self.assertEqual(told, "Failed to allocate subnet: Insufficient prefix space to allocate subnet size /24.")

    def test_prefix_that_is_taken_or_outside(self) -> None:
        """With the sentence of Neutron."""
        pool = self.pool()
        self.subnet(subnetpool_id=pool["id"], cidr="10.0.0.0/24")
        for cidr in ("10.0.0.128/25", "10.0.0.0/20", "192.168.0.0/24"):
            told = self.assert_refused(
                409, "SubnetAllocationError", self.elsewhere, subnetpool_id=pool["id"], cidr=cidr
            )
            self.assertEqual(
                told,
                "Failed to allocate subnet: Cannot allocate requested subnet from the available set of prefixes.",
            )

    def test_lengths_outside_the_bounds(self) -> None:
        """With the sentences of Neutron."""
        pool = self.pool(min_prefixlen=20, max_prefixlen=28)
        told = self.assert_refused(
            400, "MinPrefixSubnetAllocationError", self.subnet, subnetpool_id=pool["id"], prefixlen=18
        )
        self.assertEqual(told, "Unable to allocate subnet with prefix length 18, minimum allowed prefix is 20.")
        told = self.assert_refused(
            400, "MaxPrefixSubnetAllocationError", self.subnet, subnetpool_id=pool["id"], cidr="10.0.0.0/30"
        )
        self.assertEqual(told, "Unable to allocate subnet with prefix length 30, maximum allowed prefix is 28.")

    def test_unclear_requests(self) -> None:
        """With the sentences of Neutron."""
        pool = self.pool()
        pools = [{"start": "10.0.0.2", "end": "10.0.0.3"}]
        for body, message in (
            ({}, "a subnetpool must be specified in the absence of a cidr"),
            ({"cidr": "10.0.0.0/24", "prefixlen": 24}, "cidr and prefixlen must not be supplied together"),
            (
                {"subnetpool_id": pool["id"], "allocation_pools": pools},
                "allocation_pools allowed only for specific subnet requests",
            ),
            (
                {"subnetpool_id": pool["id"], "ip_version": 6},
                "Cannot allocate IPv6 subnet from IPv4 subnet pool",
            ),
            (
                {"subnetpool_id": pool["id"], "use_default_subnetpool": True},
                "subnetpool_id and use_default_subnetpool cannot both be specified",
            ),
            ({"use_default_subnetpool": True}, "No default subnetpool found for IPv4"),
        ):
            told = self.assert_refused(400, "BadRequest", self.subnet, **body)
            self.assertEqual(told, f"Bad subnets request: {message}.")

    def test_pools_that_are_not_there(self) -> None:
        """Or that somebody else keeps to itself."""
        self.assert_refused(404, "SubnetPoolNotFound", self.subnet, subnetpool_id=NOBODY_HAS)
        foreign = self.pool(context=BOB)
        self.assert_refused(404, "SubnetPoolNotFound", self.subnet, subnetpool_id=foreign["id"])

    def test_one_pool_of_a_network(self) -> None:
        """Of one IP version; the other may come from elsewhere."""
        pool, other = self.pool(default_prefixlen=24), self.pool("11.0.0.0/8", default_prefixlen=24)
        self.subnet(subnetpool_id=pool["id"])
        self.subnet(subnetpool_id=pool["id"])
        told = self.assert_refused(400, "NetworkSubnetPoolAffinityError", self.subnet, subnetpool_id=other["id"])
        self.assertEqual(told, "Subnets hosted on the same network must be allocated from the same subnet pool.")
        self.assert_refused(400, "NetworkSubnetPoolAffinityError", self.subnet, cidr="192.168.0.0/24")
        self.subnet(cidr="fd00::/64", ip_version=6)


class DefaultTests(AllocationCase):
    """The default pool."""

    def test_it_is_used_when_asked_for(self) -> None:
        """The one of the IP version, when the caller sees it."""
        four = self.pool(context=ADMIN, is_default=True, shared=True, default_prefixlen=24)
        six = self.pool("fd00::/48", context=ADMIN, is_default=True, shared=True)
        self.assertEqual(self.subnet(use_default_subnetpool=True)["subnetpool_id"], four["id"])
        self.assertEqual(self.subnet(use_default_subnetpool=True, ip_version=6)["subnetpool_id"], six["id"])

    def test_a_hidden_one_is_none(self) -> None:
        """A default that is not shared is its project's alone."""
        self.pool(context=ADMIN, is_default=True)
        self.assert_refused(400, "BadRequest", self.subnet, use_default_subnetpool=True)


class QuotaTests(AllocationCase):
    """What a project may have of a pool."""

    def test_addresses_of_each_project_are_counted(self) -> None:
        """With the sentence of Neutron; other projects have as much."""
        pool = self.pool(context=ADMIN, shared=True, default_quota=512, default_prefixlen=24)
        self.subnet(subnetpool_id=pool["id"])
        second = self.elsewhere(subnetpool_id=pool["id"])
        told = self.assert_refused(409, "SubnetPoolQuotaExceeded", self.elsewhere, subnetpool_id=pool["id"])
        self.assertEqual(told, "Per-project subnet pool prefix quota exceeded.")
        self.elsewhere(BOB, subnetpool_id=pool["id"], prefixlen=23)
        self.bed.delete("subnet", second["id"], ALICE)
        self.elsewhere(subnetpool_id=pool["id"])

    def test_ipv6_counts_networks(self) -> None:
        """One /64 is one."""
        pool = self.pool("fd00::/48", default_quota=1)
        self.subnet(subnetpool_id=pool["id"], ip_version=6)
        self.assert_refused(409, "SubnetPoolQuotaExceeded", self.elsewhere, subnetpool_id=pool["id"], ip_version=6)

"""Subnet pools through their operations."""

from __future__ import annotations

from typing import Any

from quantumd.model.context import Context
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

NOBODY_HAS = "00000000-0000-4000-8000-000000000000"


class PoolCase(ResourceCase):
    """Makes subnet pools."""

    def pool(self, *prefixes: str, context: Context = ALICE, **body: Any) -> View:
        """Create a subnet pool; 10.0.0.0/16 when no prefix is named."""
        body.setdefault("name", "pool")
        return self.bed.create("subnetpool", context, prefixes=list(prefixes or ("10.0.0.0/16",)), **body)


class CreateTests(PoolCase):
    """New pools."""

    def test_lengths_are_automatic(self) -> None:
        """As in the answer of Neutron: lengths are texts, the default is the shortest prefix."""
        pool = self.pool()
        shown = {name: pool[name] for name in ("min_prefixlen", "max_prefixlen", "default_prefixlen", "ip_version")}
        self.assertEqual(
            shown, {"min_prefixlen": "8", "max_prefixlen": "32", "default_prefixlen": "8", "ip_version": 4}
        )
        self.assertEqual((pool["default_quota"], pool["address_scope_id"], pool["shared"]), (None, None, False))
        self.assertEqual((pool["is_default"], pool["tags"], pool["revision_number"]), (False, [], 1))
        self.assertEqual(self.bed.show("subnetpool", pool["id"], ALICE), pool)

    def test_ipv6_lengths_are_automatic(self) -> None:
        """From /64 to /128."""
        pool = self.pool("fd00::/48")
        self.assertEqual((pool["min_prefixlen"], pool["max_prefixlen"], pool["ip_version"]), ("64", "128", 6))

    def test_lengths_may_be_texts(self) -> None:
        """As clients send them."""
        pool = self.pool(min_prefixlen="20", default_prefixlen="24", max_prefixlen="28")
        self.assertEqual((pool["min_prefixlen"], pool["default_prefixlen"]), ("20", "24"))

    def test_prefixes_are_compacted(self) -> None:
        """Neighbours become one."""
        self.assertEqual(self.pool("10.1.0.0/16", "10.0.0.0/16", "10.0.5.0/24")["prefixes"], ["10.0.0.0/15"])

    def test_lengths_must_fit(self) -> None:
        """With the sentences of Neutron."""
        for lengths, message in (
            ({"min_prefixlen": 24, "max_prefixlen": 20}, "min_prefixlen=24, max_prefixlen=20"),
            ({"max_prefixlen": 33}, "max_prefixlen=33, ip_version_max=32"),
            ({"min_prefixlen": 16, "default_prefixlen": 8}, "default_prefixlen=8, min_prefixlen=16"),
            ({"max_prefixlen": 24, "default_prefixlen": 28}, "default_prefixlen=28, max_prefixlen=24"),
        ):
            told = self.assert_refused(400, "IllegalSubnetPoolPrefixBounds", self.pool, **lengths)
            self.assertEqual(told, f"Illegal prefix bounds: {message}.")

    def test_wrong_values_are_refused(self) -> None:
        """With the sentences of Neutron."""
        for body, message in (
            ({"min_prefixlen": "x"}, "Invalid input for min_prefixlen. Reason: 'x' is not an integer."),
            ({"default_quota": -1}, "Invalid input for default_quota. Reason: '-1' should be non-negative."),
            ({"name": " "}, "Invalid input for name. Reason: ' ' Blank strings are not permitted."),
        ):
            self.assertEqual(self.assert_refused(400, "HTTPBadRequest", self.pool, **body), message)
        told = self.assert_refused(400, "HTTPBadRequest", self.pool, "10.0.0.0")
        self.assertEqual(told, "Invalid input for prefixes. Reason: '10.0.0.0' is not a valid IP subnet.")

    def test_prefixes_are_of_one_version(self) -> None:
        """With the sentence of Neutron."""
        told = self.assert_refused(400, "PrefixVersionMismatch", self.pool, "10.0.0.0/8", "fd00::/48")
        self.assertEqual(told, "Cannot mix IPv4 and IPv6 prefixes in a subnet pool.")

    def test_a_pool_without_prefixes_is_refused(self) -> None:
        """There would be nothing to take."""
        self.assert_refused(
            400, "EmptySubnetPoolPrefixList", self.bed.create, "subnetpool", ALICE, name="p", prefixes=[]
        )

    def test_only_administrators_share_and_make_defaults(self) -> None:
        """Projects keep theirs to themselves."""
        self.assert_refused(403, "PolicyNotAuthorized", self.pool, shared=True)
        self.assert_refused(403, "PolicyNotAuthorized", self.pool, is_default=True)

    def test_one_default_of_each_version(self) -> None:
        """With the sentence of Neutron."""
        self.pool(context=ADMIN, is_default=True)
        self.pool("fd00::/48", context=ADMIN, is_default=True)
        told = self.assert_refused(400, "InvalidInput", self.pool, context=ADMIN, is_default=True)
        self.assertEqual(
            told,
            "Invalid input for operation: A default subnetpool for this IP family has already been set. "
            "Only one default may exist per IP family.",
        )


class VisibilityTests(PoolCase):
    """Who sees a pool."""

    def test_others_do_not(self) -> None:
        """It is not there for them, whatever they ask."""
        pool = self.pool()
        self.assertEqual(self.bed.listed("subnetpool", BOB), [])
        for work in (self.bed.show, self.bed.delete):
            self.assert_refused(404, "SubnetPoolNotFound", work, "subnetpool", pool["id"], BOB)
        self.assert_refused(404, "SubnetPoolNotFound", self.bed.update, "subnetpool", pool["id"], BOB, name="x")

    def test_shared_is_for_everybody_to_use(self) -> None:
        """And for nobody but its project to change."""
        pool = self.pool(context=ADMIN, shared=True, default_prefixlen=24)
        self.assertTrue(self.bed.show("subnetpool", pool["id"], BOB)["shared"])
        self.assertEqual([each["id"] for each in self.bed.listed("subnetpool", BOB, shared=("True",))], [pool["id"]])
        self.assertEqual(self.bed.listed("subnetpool", BOB, shared=("False",)), [])
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.update, "subnetpool", pool["id"], BOB, name="x")
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.delete, "subnetpool", pool["id"], BOB)
        network = self.bed.create("network", BOB)
        subnet = self.bed.create("subnet", BOB, network_id=network["id"], ip_version=4, subnetpool_id=pool["id"])
        self.assertEqual(subnet["cidr"], "10.0.0.0/24")

    def test_filters(self) -> None:
        """By what it has, also by lengths."""
        self.pool(name="a", min_prefixlen=20)
        self.pool("fd00::/48", name="b")
        self.assertEqual([each["name"] for each in self.bed.listed("subnetpool", ip_version=("6",))], ["b"])
        self.assertEqual([each["name"] for each in self.bed.listed("subnetpool", min_prefixlen=("20",))], ["a"])
        self.assertEqual([each["name"] for each in self.bed.listed("subnetpool", name=("a", "b"))], ["a", "b"])


class UpdateTests(PoolCase):
    """Changed pools."""

    def test_prefixes_grow(self) -> None:
        """What was there stays in, whichever way it is written."""
        pool = self.pool()
        grown = self.bed.update(
            "subnetpool", pool["id"], ALICE, prefixes=["10.0.0.0/17", "10.0.128.0/17", "11.0.0.0/8"]
        )
        self.assertEqual(grown["prefixes"], ["10.0.0.0/16", "11.0.0.0/8"])
        self.assertEqual(grown["revision_number"], 2)

    def test_prefixes_do_not_shrink(self) -> None:
        """With the sentence of Neutron."""
        pool = self.pool()
        told = self.assert_refused(
            400,
            "IllegalSubnetPoolPrefixUpdate",
            self.bed.update,
            "subnetpool",
            pool["id"],
            ALICE,
            prefixes=["10.0.0.0/17"],
        )
        self.assertEqual(told, "Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes.")

    def test_lengths_change_within_bounds(self) -> None:
        """The default stays between the others."""
        pool = self.pool(min_prefixlen=20, default_prefixlen=24, max_prefixlen=28)
        changed = self.bed.update("subnetpool", pool["id"], ALICE, min_prefixlen="22", max_prefixlen="26")
        self.assertEqual((changed["min_prefixlen"], changed["max_prefixlen"]), ("22", "26"))
        self.assert_refused(
            400, "IllegalSubnetPoolPrefixBounds", self.bed.update, "subnetpool", pool["id"], ALICE, min_prefixlen=25
        )

    def test_the_default_may_be_moved(self) -> None:
        """After the old one has given it up."""
        old = self.pool(context=ADMIN, is_default=True)
        new = self.pool("11.0.0.0/8", context=ADMIN)
        self.assert_refused(400, "InvalidInput", self.bed.update, "subnetpool", new["id"], is_default=True)
        self.bed.update("subnetpool", old["id"], is_default=False)
        self.assertTrue(self.bed.update("subnetpool", new["id"], is_default=True)["is_default"])

    def test_nothing_new_is_no_revision(self) -> None:
        """The same values again change nothing."""
        pool = self.pool(min_prefixlen=20)
        self.assertEqual(self.bed.update("subnetpool", pool["id"], ALICE, min_prefixlen="20"), pool)


class DeleteTests(PoolCase):
    """Deleted pools."""

    def test_unused_pool_goes(self) -> None:
        """With its grants."""
        pool = self.pool(context=ADMIN, shared=True)
        self.bed.delete("subnetpool", pool["id"])
        self.assert_refused(404, "SubnetPoolNotFound", self.bed.show, "subnetpool", pool["id"])
        self.assertEqual(
            self.journalled(),
            [("subnetpool", "create"), ("rbac_policy", "create"), ("rbac_policy", "delete"), ("subnetpool", "delete")],
        )

    def test_pool_with_subnets_stays(self) -> None:
        """With the sentence of Neutron; it goes when they are gone."""
        pool = self.pool(default_prefixlen=24)
        network = self.bed.create("network", ALICE)
        subnet = self.bed.create("subnet", ALICE, network_id=network["id"], ip_version=4, subnetpool_id=pool["id"])
        told = self.assert_refused(400, "SubnetPoolDeleteError", self.bed.delete, "subnetpool", pool["id"], ALICE)
        self.assertEqual(told, "Unable to delete subnet pool: Subnet pool has existing allocations.")
        self.bed.delete("subnet", subnet["id"], ALICE)
        self.bed.delete("subnetpool", pool["id"], ALICE)


class PrefixRequestTests(PoolCase):
    """Prefixes added and removed one by one."""

    def change(self, verb: str, pool_id: str, body: Any, context: Context = ALICE) -> Any:
        """Ask for it."""
        return self.bed.act("PUT", f"subnetpools/<subnetpool_id>/{verb}", body, context, subnetpool_id=pool_id)

    def test_added(self) -> None:
        """The answer has all of them, compacted."""
        pool = self.pool()
        answer = self.change("add_prefixes", pool["id"], {"prefixes": ["10.1.0.0/16", "12.0.0.0/8"]})
        self.assertEqual(answer, {"prefixes": ["10.0.0.0/15", "12.0.0.0/8"]})
        self.assertEqual(self.bed.show("subnetpool", pool["id"])["prefixes"], answer["prefixes"])

    def test_removed(self) -> None:
        """What is left is answered; what was not there is no error."""
        pool = self.pool()
        self.assertEqual(
            self.change("remove_prefixes", pool["id"], {"prefixes": ["10.0.0.0/17", "fd00::/8"]}),
            {"prefixes": ["10.0.128.0/17"]},
        )
        self.assertEqual(
            self.change("remove_prefixes", pool["id"], {"prefixes": ["192.168.0.0/16"]}),
            {"prefixes": ["10.0.128.0/17"]},
        )

    def test_used_prefixes_stay(self) -> None:
        """With the sentence of Neutron."""
        pool = self.pool(default_prefixlen=24)
        network = self.bed.create("network", ALICE)
        self.bed.create("subnet", ALICE, network_id=network["id"], ip_version=4, subnetpool_id=pool["id"])
        told = self.assert_refused(
            400,
            "IllegalSubnetPoolPrefixUpdate",
            self.change,
            "remove_prefixes",
            pool["id"],
            {"prefixes": ["10.0.0.0/20"]},
        )
        self.assertIn("One or more the prefixes to be removed is in use by a subnet.", told)

    def test_bodies_without_prefixes_are_refused(self) -> None:
        """With the sentence of Neutron."""
        pool = self.pool()
        bodies: tuple[Any, ...] = (None, [], {}, {"prefixes": []}, {"prefixes": "10.0.0.0/8"})
        for body in bodies:
            told = self.assert_refused(400, "HTTPBadRequest", self.change, "add_prefixes", pool["id"], body)
            self.assertEqual(told, "Request body contains invalid data")
        self.assert_refused(400, "HTTPBadRequest", self.change, "add_prefixes", pool["id"], {"prefixes": ["x"]})

    def test_pools_of_others_are_not_there(self) -> None:
        """Or not theirs to change when they are shared."""
        pool = self.pool()
        body = {"prefixes": ["12.0.0.0/8"]}
        self.assert_refused(404, "SubnetPoolNotFound", self.change, "add_prefixes", pool["id"], body, BOB)
        shared = self.pool("13.0.0.0/8", context=ADMIN, shared=True)
        self.assert_refused(403, "PolicyNotAuthorized", self.change, "add_prefixes", shared["id"], body, BOB)


class OnboardTests(PoolCase):
    """Subnets that come to be a pool's."""

    def onboard(self, pool_id: str, body: Any, context: Context = ALICE) -> Any:
        """Ask for it."""
        path = "subnetpools/<subnetpool_id>/onboard_network_subnets"
        return self.bed.act("PUT", path, body, context, subnetpool_id=pool_id)

    def test_subnets_of_the_version_come_in(self) -> None:
        """With their prefixes; those of the other version stay out."""
        network_id, subnet_id = self.bed.network_with_subnet("10.9.0.0/24", ALICE)
        self.bed.create("subnet", ALICE, network_id=network_id, ip_version=6, cidr="fd00::/64")
        pool = self.pool("11.0.0.0/8")
        answer = self.onboard(pool["id"], {"network_id": network_id})
        self.assertEqual(answer, [{"id": subnet_id, "cidr": "10.9.0.0/24"}])
        subnet = self.bed.show("subnet", subnet_id)
        self.assertEqual((subnet["subnetpool_id"], subnet["revision_number"]), (pool["id"], 1))
        self.assertEqual(self.bed.show("subnetpool", pool["id"])["prefixes"], ["10.9.0.0/24", "11.0.0.0/8"])
        self.assertEqual(self.onboard(pool["id"], {"network_id": network_id}), [])

    def test_taken_prefixes_conflict(self) -> None:
        """With the sentence of Neutron."""
        pool = self.pool(default_prefixlen=24)
        other = self.bed.create("network", ALICE)
        self.bed.create("subnet", ALICE, network_id=other["id"], ip_version=4, subnetpool_id=pool["id"])
        network_id, subnet_id = self.bed.network_with_subnet("10.0.0.0/25", ALICE)
        told = self.assert_refused(400, "IllegalSubnetPoolUpdate", self.onboard, pool["id"], {"network_id": network_id})
        self.assertEqual(
            told,
            f"Illegal subnetpool update : Onboarding subnet {subnet_id}: 10.0.0.0/25 conflicts with allocated "
            f"prefixes in subnet pool {pool['id']}.",
        )

    def test_the_network_is_ones_own(self) -> None:
        """Named, there, and the caller's."""
        pool = self.pool()
        self.assert_refused(400, "InvalidInput", self.onboard, pool["id"], {})
        self.assert_refused(400, "HTTPBadRequest", self.onboard, pool["id"], {"network_id": "x"})
        self.assert_refused(404, "NetworkNotFound", self.onboard, pool["id"], {"network_id": NOBODY_HAS})
        foreign = self.bed.create("network", BOB)["id"]
        self.assert_refused(404, "NetworkNotFound", self.onboard, pool["id"], {"network_id": foreign})
        shared = self.bed.create("network", shared=True)["id"]
        self.assert_refused(403, "PolicyNotAuthorized", self.onboard, pool["id"], {"network_id": shared})

"""Address scopes through their operations."""

from __future__ import annotations

from typing import Any

from quantumd.model.context import Context
from tests.api.extensions.test_subnetpools import NOBODY_HAS, PoolCase
from tests.api.resources.bed import ADMIN, ALICE, BOB, View


class ScopeCase(PoolCase):
    """Makes address scopes."""

    def scope(self, context: Context = ALICE, ip_version: int = 4, **body: Any) -> View:
        """Create an address scope."""
        return self.bed.create("address_scope", context, ip_version=ip_version, **body)

    def subnet_of(self, pool: View, network_id: str | None = None) -> View:
        """Create a subnet out of the pool, on a network of its own if none is named."""
        network_id = network_id or self.bed.create("network", ALICE)["id"]
        return self.bed.create(
            "subnet", ALICE, network_id=network_id, ip_version=pool["ip_version"], subnetpool_id=pool["id"]
        )


class AddressScopeTests(ScopeCase):
    """The scopes themselves."""

    def test_view(self) -> None:
        """As in the answer of Neutron: no times, no revision, no tags."""
        scope = self.scope(name="blue")
        self.assertEqual(
            scope, {"id": scope["id"], "name": "blue", "project_id": "alice", "ip_version": 4, "shared": False}
        )
        self.assertEqual(self.bed.show("address_scope", scope["id"], ALICE), scope)
        self.assertEqual(self.bed.listed("address_scope", ALICE, name=("blue",)), [scope])

    def test_name_changes(self) -> None:
        """The IP version does not."""
        scope = self.scope()
        self.assertEqual(self.bed.update("address_scope", scope["id"], ALICE, name="red")["name"], "red")
        self.assert_refused(400, "HTTPBadRequest", self.bed.update, "address_scope", scope["id"], ALICE, ip_version=6)

    def test_only_administrators_share(self) -> None:
        """New ones and old ones."""
        self.assert_refused(403, "PolicyNotAuthorized", self.scope, shared=True)
        scope = self.scope()
        self.assert_refused(
            403, "PolicyNotAuthorized", self.bed.update, "address_scope", scope["id"], ALICE, shared=True
        )
        self.assertTrue(self.bed.update("address_scope", scope["id"], shared=True)["shared"])
        self.assertTrue(self.bed.show("address_scope", scope["id"], BOB)["shared"])

    def test_shared_stays_shared(self) -> None:
        """With the sentence of Neutron."""
        scope = self.scope(ADMIN, shared=True)
        told = self.assert_refused(
            400, "AddressScopeUpdateError", self.bed.update, "address_scope", scope["id"], shared=False
        )
        self.assertEqual(
            told, f"Unable to update address scope {scope['id']} : Shared address scope can't be unshared."
        )

    def test_others_do_not_see_it(self) -> None:
        """It is not there for them; a shared one is not theirs to change."""
        scope = self.scope()
        self.assertEqual(self.bed.listed("address_scope", BOB), [])
        self.assert_refused(404, "AddressScopeNotFound", self.bed.show, "address_scope", scope["id"], BOB)
        shared = self.scope(ADMIN, shared=True)
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.delete, "address_scope", shared["id"], BOB)

    def test_scope_of_pools_stays(self) -> None:
        """With the sentence of Neutron; it goes with the last one."""
        scope = self.scope()
        pool = self.pool(address_scope_id=scope["id"])
        told = self.assert_refused(409, "AddressScopeInUse", self.bed.delete, "address_scope", scope["id"], ALICE)
        self.assertEqual(
            told,
            f"Unable to complete operation on address scope {scope['id']}. "
            "There are one or more subnet pools in use on the address scope.",
        )
        self.bed.update("subnetpool", pool["id"], ALICE, address_scope_id=None)
        self.bed.delete("address_scope", scope["id"], ALICE)
        self.assertEqual(self.bed.listed("address_scope"), [])


class AssociationTests(ScopeCase):
    """Pools in scopes."""

    def test_of_one_version(self) -> None:
        """With the sentence of Neutron."""
        scope = self.scope(ip_version=6)
        told = self.assert_refused(
            400,
            "IllegalSubnetPoolIpVersionAssociationToAddressScope",
            self.pool,
            address_scope_id=scope["id"],
        )
        self.assertIn(f"cannot associate with address scope {scope['id']} because subnetpool ip_version is not 6", told)

    def test_no_address_twice(self) -> None:
        """With the sentence of Neutron; also when prefixes grow."""
        scope = self.scope()
        self.pool("10.0.0.0/16", address_scope_id=scope["id"])
        other = self.pool("10.1.0.0/16", address_scope_id=scope["id"])
        told = self.assert_refused(
            409, "AddressScopePrefixConflict", self.pool, "10.0.0.0/24", address_scope_id=scope["id"]
        )
        self.assertEqual(
            told,
            "Failed to associate address scope: subnetpools within an address scope must have unique prefixes.",
        )
        self.assert_refused(
            409,
            "AddressScopePrefixConflict",
            self.bed.update,
            "subnetpool",
            other["id"],
            ALICE,
            prefixes=["10.0.0.0/15"],
        )

    def test_scopes_that_are_not_there(self) -> None:
        """Or that somebody else keeps to itself."""
        self.assert_refused(404, "AddressScopeNotFound", self.pool, address_scope_id=NOBODY_HAS)
        foreign = self.scope(BOB)
        self.assert_refused(404, "AddressScopeNotFound", self.pool, address_scope_id=foreign["id"])

    def test_pool_in_a_foreign_scope_is_frozen(self) -> None:
        """With the sentence of Neutron."""
        scope = self.scope(ADMIN, shared=True)
        pool = self.pool(address_scope_id=scope["id"])
        told = self.assert_refused(
            400, "IllegalSubnetPoolUpdate", self.bed.update, "subnetpool", pool["id"], ALICE, name="x"
        )
        self.assertEqual(
            told,
            f"Illegal subnetpool update : subnetpool {pool['id']} cannot be updated when associated with shared "
            f"address scope {scope['id']}.",
        )

    def test_a_pool_moves_while_its_networks_are_its_own(self) -> None:
        """Not when a network has a subnet from elsewhere."""
        one, two = self.scope(), self.scope()
        pool = self.pool(address_scope_id=one["id"], default_prefixlen=24)
        network_id = self.subnet_of(pool)["network_id"]
        self.bed.update("subnetpool", pool["id"], ALICE, address_scope_id=two["id"])
        other = self.pool("11.0.0.0/8", address_scope_id=two["id"], default_prefixlen=24)
        self.subnet_of(other, network_id)
        self.assert_refused(
            400,
            "NetworkAddressScopeAffinityError",
            self.bed.update,
            "subnetpool",
            pool["id"],
            ALICE,
            address_scope_id=one["id"],
        )

    def test_pools_of_one_scope_share_a_network(self) -> None:
        """Those of other scopes, and of none, are kept out of it."""
        scope = self.scope()
        network_id = self.subnet_of(self.pool(address_scope_id=scope["id"], default_prefixlen=24))["network_id"]
        self.subnet_of(self.pool("11.0.0.0/8", address_scope_id=scope["id"], default_prefixlen=24), network_id)
        outside = self.pool("12.0.0.0/8", default_prefixlen=24)
        told = self.assert_refused(400, "NetworkAddressScopeAffinityError", self.subnet_of, outside, network_id)
        self.assertEqual(
            told,
            "Subnets of the same address family hosted on the same network must all participate in the same "
            "address scope.",
        )


class NetworkScopeTests(ScopeCase):
    """Scopes as networks show them."""

    def test_networks_show_the_scopes_of_their_pools(self) -> None:
        """One of each IP version; none without a pool."""
        network = self.bed.create("network", ALICE)
        self.assertEqual((network["ipv4_address_scope"], network["ipv6_address_scope"]), (None, None))
        four, six = self.scope(), self.scope(ip_version=6)
        self.subnet_of(self.pool(address_scope_id=four["id"], default_prefixlen=24), network["id"])
        self.subnet_of(self.pool("fd00::/48", address_scope_id=six["id"]), network["id"])
        shown = self.bed.show("network", network["id"], ALICE)
        self.assertEqual((shown["ipv4_address_scope"], shown["ipv6_address_scope"]), (four["id"], six["id"]))

"""External networks."""

from __future__ import annotations

from sqlalchemy import select

from quantumd.store.tables import rbac_entries
from tests.api.resources.bed import ALICE, BOB
from tests.api.resources.case import ResourceCase


class ExternalNetworkTests(ResourceCase):
    """``router:external`` and ``is_default``."""

    def grants(self, network_id: str) -> list[tuple[str, str]]:
        """Return (action, target) of the network's RBAC entries."""
        entries = rbac_entries.c
        rows = self.bed.connection.execute(
            select(entries.action, entries.target_project).where(entries.object_id == network_id)
        )
        return [(row.action, row.target_project) for row in rows]

    def test_external_network_is_everybodys_to_see(self) -> None:
        """With its subnets; it is not shared for that."""
        network = self.bed.create("network", router__external=True)
        subnet = self.bed.create("subnet", network_id=network["id"], cidr="10.9.0.0/24", ip_version=4)
        self.assertEqual(self.grants(network["id"]), [("access_as_external", "*")])
        seen = self.bed.show("network", network["id"], BOB)
        self.assertEqual((seen["router:external"], seen["shared"]), (True, False))
        self.assertEqual([each["id"] for each in self.bed.listed("subnet", BOB)], [subnet["id"]])

    def test_external_networks_are_found(self) -> None:
        """As routers' owners look for them."""
        external = self.bed.create("network", router__external=True)
        self.bed.create("network")
        self.assertEqual(
            [each["id"] for each in self.bed.listed("network", router__external=("true",))], [external["id"]]
        )

    def test_only_administrators_make_them(self) -> None:
        """Members may name the default only."""
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.create, "network", ALICE, router__external=True)
        self.assertFalse(self.bed.create("network", ALICE, router__external=False)["router:external"])

    def test_network_becomes_external_and_back(self) -> None:
        """With its grant."""
        network = self.bed.create("network", ALICE)
        changed = self.bed.update("network", network["id"], router__external=True)
        self.assertEqual((changed["router:external"], changed["revision_number"]), (True, 2))
        self.assertEqual(self.grants(network["id"]), [("access_as_external", "*")])
        self.bed.update("network", network["id"], router__external=False)
        self.assertEqual(self.grants(network["id"]), [])
        self.assert_refused(404, "NetworkNotFound", self.bed.show, "network", network["id"], BOB)

    def test_external_network_with_gateways_stays_external(self) -> None:
        """Routers need it."""
        network = self.bed.create("network", router__external=True)
        self.bed.create("port", network_id=network["id"], device_owner="network:router_gateway")
        message = self.assert_refused(
            409, "ExternalNetworkInUse", self.bed.update, "network", network["id"], router__external=False
        )
        self.assertEqual(
            message,
            f"External network {network['id']} cannot be updated to be made non-external, "
            "since it has existing gateway ports.",
        )

    def test_one_default(self) -> None:
        """The second is refused, whether new or changed; the place is free again when the first gives it up."""
        first = self.bed.create("network", router__external=True, is_default=True)
        second = self.bed.create("network", router__external=True)
        message = self.assert_refused(
            409, "DefaultExternalNetworkExists", self.bed.update, "network", second["id"], is_default=True
        )
        self.assertEqual(message, f"A default external network already exists: {first['id']}.")
        self.bed.update("network", first["id"], is_default=False)
        self.assertTrue(self.bed.update("network", second["id"], is_default=True)["is_default"])

    def test_internal_network_is_nobodys_default(self) -> None:
        """Whatever is named."""
        self.assertFalse(self.bed.create("network", is_default=True)["is_default"])
        default = self.bed.create("network", router__external=True, is_default=True)
        changed = self.bed.update("network", default["id"], router__external=False)
        self.assertFalse(changed["is_default"])

    def test_deleted_network_leaves_no_grant(self) -> None:
        """What is gone is nobody's."""
        network = self.bed.create("network", router__external=True, shared=True)
        self.bed.delete("network", network["id"])
        self.assertEqual(self.grants(network["id"]), [])

"""With whom networks are shared, and what else networks hold beside their segments."""

from __future__ import annotations

from sqlalchemy import insert

from quantumd.store.tables import rbac_entries
from tests.api.resources.bed import ADMIN, ALICE, BOB, NOW
from tests.api.resources.case import ResourceCase


class SharingTests(ResourceCase):
    """``shared`` follows from RBAC entries."""

    def share(self, network_id: str, target: str, action: str = "access_as_shared") -> None:
        """Let a project use a network."""
        row = {"id": f"{target}-{network_id[:8]}", "project_id": "operator", "object_type": "network"}
        row |= {"object_id": network_id, "action": action, "target_project": target, "created_at": NOW}
        self.bed.connection.execute(insert(rbac_entries), row)

    def test_shared_with_one_project(self) -> None:
        """It is shared for that one only."""
        network = self.bed.create("network")
        self.share(network["id"], "bob")
        self.assertTrue(self.bed.show("network", network["id"], BOB)["shared"])
        self.assertFalse(self.bed.show("network", network["id"])["shared"])
        self.assert_refused(404, "NetworkNotFound", self.bed.show, "network", network["id"], ALICE)

    def test_ports_on_what_is_shared(self) -> None:
        """Can be made by who sees the network."""
        network = self.bed.create("network")
        self.assert_refused(404, "NetworkNotFound", self.bed.create, "port", BOB, network_id=network["id"])
        self.bed.tx().cache.clear()
        self.share(network["id"], "bob")
        self.assertEqual(self.bed.create("port", BOB, network_id=network["id"])["network_id"], network["id"])

    def test_filter_by_shared(self) -> None:
        """As the caller sees it."""
        shared = self.bed.create("network", shared=True)
        for_bob = self.bed.create("network")
        self.share(for_bob["id"], "bob")
        own = self.bed.create("network", BOB)

        def found(value: str, who: object = BOB) -> set[str]:
            return {each["id"] for each in self.bed.listed("network", who, shared=(value,))}  # type: ignore[arg-type]

        self.assertEqual(found("true"), {shared["id"], for_bob["id"]})
        self.assertEqual(found("false"), {own["id"]})
        self.assertEqual(found("true", ADMIN), {shared["id"]})

    def test_projects_that_are_named_may_stay(self) -> None:
        """Taking a network from everybody does not take it from them."""
        network = self.bed.create("network", shared=True)
        self.bed.create("port", BOB, network_id=network["id"])
        message = self.assert_refused(
            409, "InvalidSharedSetting", self.bed.update, "network", network["id"], shared=False
        )
        self.assertEqual(
            message,
            f"Unable to reconfigure sharing settings for network {network['id']}. Multiple projects are using it.",
        )
        self.share(network["id"], "bob")
        self.bed.update("network", network["id"], shared=False)
        self.assertTrue(self.bed.show("network", network["id"], BOB)["shared"])

    def test_sharing_is_a_revision_and_no_news_for_hosts(self) -> None:
        """And is journalled with the policy that it makes."""
        network = self.bed.create("network")
        version = self.network_version(network["id"])
        self.assertEqual(self.bed.update("network", network["id"], shared=True)["revision_number"], 2)
        self.assertEqual(self.network_version(network["id"]), version)
        self.assertEqual(self.journalled()[-2:], [("network", "update"), ("rbac_policy", "create")])

    def test_external_for_one_project(self) -> None:
        """Only that one sees it, and it is not shared for that."""
        network = self.bed.create("network")
        self.share(network["id"], "bob", "access_as_external")
        self.assertFalse(self.bed.show("network", network["id"], BOB)["shared"])
        self.assert_refused(404, "NetworkNotFound", self.bed.show, "network", network["id"], ALICE)


class AttributeTests(ResourceCase):
    """Attributes that other parts act on."""

    def test_port_security_is_on(self) -> None:
        """Unless somebody says otherwise."""
        network = self.bed.create("network", ALICE)
        self.assertTrue(network["port_security_enabled"])
        changed = self.bed.update("network", network["id"], ALICE, port_security_enabled=False)
        self.assertEqual(changed, self.bed.show("network", network["id"], ALICE))
        self.assertFalse(changed["port_security_enabled"])

    def test_dns_domain(self) -> None:
        """A whole domain with its dot, in lower case."""
        network = self.bed.create("network", ALICE, dns_domain="My-Domain.Org.")
        self.assertEqual(network["dns_domain"], "my-domain.org.")
        for wrong in ("my-domain.org", "-x.org.", "a..b.", "x.123.", "a" * 64 + ".org."):
            self.assert_refused(400, "HTTPBadRequest", self._create_with_domain, wrong)

    def _create_with_domain(self, dns_domain: str) -> None:
        self.bed.create("network", ALICE, dns_domain=dns_domain)

    def test_zone_hints(self) -> None:
        """Of zones that are there; no zone serves a network."""
        network = self.bed.create("network", ALICE, availability_zone_hints=["nova"])
        self.assertEqual((network["availability_zone_hints"], network["availability_zones"]), (["nova"], []))
        self.assertEqual(self.bed.show("network", network["id"], ALICE), network)
        message = self.assert_refused(
            404, "AvailabilityZoneNotFound", self.bed.create, "network", availability_zone_hints=["moon"]
        )
        self.assertEqual(message, "AvailabilityZone moon could not be found.")

    def test_tags_of_guests(self) -> None:
        """Nobody said, said, and both at once."""
        self.assertIsNone(self.bed.create("network")["vlan_transparent"])
        network = self.bed.create("network", vlan_transparent=True)
        self.assertEqual((network["vlan_transparent"], network["qinq"]), (True, None))
        self.assertEqual(self.bed.listed("network", vlan_transparent=("true",)), [network])
        self.assertEqual(self.bed.show("network", network["id"]), network)
        self.assert_refused(400, "BadRequest", self.bed.create, "network", vlan_transparent=True, qinq=True)

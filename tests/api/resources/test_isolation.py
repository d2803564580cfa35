"""What projects see and may change of each other: nothing, but for what is shared."""

from __future__ import annotations

from tests.api.resources.bed import ADMIN, ALICE, BOB
from tests.api.resources.case import ResourceCase


class ForeignTests(ResourceCase):
    """Alice has a network, a subnet and a port; Bob has nothing."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network_id, self.subnet_id = self.bed.network_with_subnet(context=ALICE)
        self.port_id = self.bed.create("port", ALICE, network_id=self.network_id)["id"]
        self.ids = {"network": self.network_id, "subnet": self.subnet_id, "port": self.port_id}

    def test_foreign_rows_are_not_found(self) -> None:
        """Showing, changing and deleting them is a 404, as if they did not exist."""
        types = {"network": "NetworkNotFound", "subnet": "SubnetNotFound", "port": "PortNotFound"}
        for member, row_id in self.ids.items():
            for work in (self.bed.show, self.bed.update, self.bed.delete):
                self.assert_refused(404, types[member], work, member, row_id, BOB)

    def test_foreign_rows_are_not_listed(self) -> None:
        """Not even when they are asked for by id, network or address."""
        for member, row_id in self.ids.items():
            self.assertEqual(self.bed.listed(member, BOB), [])
            self.assertEqual(self.bed.listed(member, BOB, id=(row_id,)), [])
        self.assertEqual(self.bed.listed("port", BOB, network_id=(self.network_id,)), [])
        self.assertEqual(self.bed.listed("port", BOB, fixed_ips=(f"subnet_id={self.subnet_id}",)), [])

    def test_owner_and_administrator_see_them(self) -> None:
        """The owner sees its own; the DHCP port is one of them."""
        for context in (ALICE, ADMIN):
            self.assertEqual([len(self.bed.listed(member, context)) for member in self.ids], [1, 1, 2])

    def test_nothing_is_made_on_a_foreign_network(self) -> None:
        """It is not there for others."""
        body = {"network_id": self.network_id}
        self.assert_refused(404, "NetworkNotFound", self.bed.create, "port", BOB, **body)
        self.assert_refused(
            404, "NetworkNotFound", self.bed.create, "subnet", BOB, cidr="10.1.0.0/24", ip_version=4, **body
        )

    def test_same_addresses_in_two_projects(self) -> None:
        """Alice's subnet does not keep Bob from having the same."""
        self.bed.network_with_subnet(context=BOB)
        self.assertEqual(len(self.bed.listed("subnet", BOB)), 1)


class SharedTests(ResourceCase):
    """The operator shares a network with everybody."""

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        self.network_id = self.bed.create("network", shared=True)["id"]
        self.subnet_id = self.bed.create("subnet", network_id=self.network_id, cidr="10.9.0.0/24", ip_version=4)["id"]

    def test_network_and_subnet_are_seen(self) -> None:
        """The ports of others on it are not."""
        self.bed.create("port", ALICE, network_id=self.network_id)
        self.assertEqual([each["id"] for each in self.bed.listed("network", BOB)], [self.network_id])
        self.assertEqual([each["id"] for each in self.bed.listed("subnet", BOB)], [self.subnet_id])
        self.assertEqual(self.bed.listed("port", BOB), [])

    def test_everybody_makes_ports_on_it(self) -> None:
        """They belong to who made them; the network's owner sees them too."""
        port = self.bed.create("port", BOB, network_id=self.network_id)
        self.assertEqual(port["project_id"], "bob")
        self.assertEqual(len(self.bed.listed("port", BOB)), 1)

    def test_only_the_owner_changes_it(self) -> None:
        """What is seen but not owned is a 403."""
        for work in (self.bed.update, self.bed.delete):
            message = self.assert_refused(403, "PolicyNotAuthorized", work, "network", self.network_id, BOB)
            self.assertIn("_network is disallowed by policy", message)
            self.assert_refused(403, "PolicyNotAuthorized", work, "subnet", self.subnet_id, BOB)
        body = {"network_id": self.network_id, "cidr": "10.8.0.0/24", "ip_version": 4}
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.create, "subnet", BOB, **body)

    def test_addresses_are_the_owners_to_name(self) -> None:
        """Others get what is free: no MAC, no address and no service port of their choice."""
        for choice in (
            {"mac_address": "fa:16:3e:00:00:01"},
            {"fixed_ips": [{"ip_address": "10.9.0.7"}]},
            {"device_owner": "network:router_interface"},
        ):
            self.assert_refused(
                403, "PolicyNotAuthorized", self.bed.create, "port", BOB, network_id=self.network_id, **choice
            )
        port = self.bed.create("port", BOB, network_id=self.network_id, fixed_ips=[{"subnet_id": self.subnet_id}])
        fixed_ips = [{"ip_address": "10.9.0.7"}]
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.update, "port", port["id"], BOB, fixed_ips=fixed_ips)

"""Local IPs and their associations."""

from __future__ import annotations

from typing import Any

from tests.api.resources.bed import ALICE, BOB, View
from tests.api.resources.case import ResourceCase


class LocalIpCase(ResourceCase):
    """Has a network of Alice's with a subnet and a port."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network_id, self.subnet_id = self.bed.network_with_subnet(context=ALICE)
        self.port_id = self.port("10.9.0.5")

    def port(self, *addresses: str) -> str:
        """Make a port with these addresses and return its id."""
        fixed_ips = [{"ip_address": each} for each in addresses]
        port_id: str = self.bed.create("port", ALICE, network_id=self.network_id, fixed_ips=fixed_ips)["id"]
        return port_id

    def local_ip(self, **body: Any) -> View:
        """Make a local IP."""
        return self.bed.create("local_ip", ALICE, **body)

    def associate(self, local_ip_id: str, port_id: str, **more: Any) -> View:
        """Let a port answer it."""
        return self.bed.create("port_association", ALICE, parent=local_ip_id, fixed_port_id=port_id, **more)


class LocalIpTests(LocalIpCase):
    """``local_ips``."""

    def test_address_of_a_port(self) -> None:
        """The one that it has."""
        local_ip = self.local_ip(local_port_id=self.port_id, name="x")
        self.assertEqual((local_ip["local_ip_address"], local_ip["network_id"]), ("10.9.0.5", self.network_id))
        self.assertEqual(local_ip["ip_mode"], "translate")
        self.assertEqual(self.bed.show("local_ip", local_ip["id"], ALICE), local_ip)

    def test_address_of_a_network(self) -> None:
        """A port of the service holds it, and goes with it."""
        local_ip = self.local_ip(network_id=self.network_id, local_ip_address="10.9.0.9")
        port = self.bed.show("port", local_ip["local_port_id"])
        self.assertEqual((port["device_owner"], port["device_id"]), ("network:local_ip", local_ip["id"]))
        self.assertEqual(local_ip["local_ip_address"], "10.9.0.9")
        self.bed.delete("local_ip", local_ip["id"], ALICE)
        self.assert_refused(404, "PortNotFound", self.bed.show, "port", port["id"])

    def test_port_that_is_referred_to_stays(self) -> None:
        """Until the local IP is gone."""
        local_ip = self.local_ip(local_port_id=self.port_id)["id"]
        message = self.assert_refused(409, "ServicePortInUse", self.bed.delete, "port", self.port_id)
        self.assertIn("still referenced by Local IPs", message)
        self.bed.delete("local_ip", local_ip, ALICE)
        self.bed.delete("port", self.port_id)

    def test_what_is_refused(self) -> None:
        """Each with the error of today."""
        several = self.port("10.9.0.6", "10.9.0.7")
        self.assert_refused(400, "LocalIPPortOrNetworkRequired", self.local_ip)
        self.assert_refused(400, "LocalIPNoIP", self.local_ip, local_port_id=self.port())
        self.assert_refused(400, "LocalIPNoRequestedIP", self.local_ip, local_port_id=several)
        wrong = {"local_port_id": several, "local_ip_address": "10.9.0.8"}
        self.assert_refused(400, "LocalIPRequestedIPNotFound", self.local_ip, **wrong)
        message = self.assert_refused(400, "BadRequest", self.local_ip, local_port_id=self.network_id)
        self.assertEqual(message, f"Bad local_ip request: Port {self.network_id} not found.")
        self.assert_refused(404, "LocalIPNotFound", self.bed.show, "local_ip", self.network_id, ALICE)

    def test_only_the_project_sees_it(self) -> None:
        """Others find nothing."""
        local_ip = self.local_ip(local_port_id=self.port_id)["id"]
        self.assert_refused(404, "LocalIPNotFound", self.bed.show, "local_ip", local_ip, BOB)


class AssociationTests(LocalIpCase):
    """``port_associations``."""

    def test_a_port_answers(self) -> None:
        """The answer tells the host that it does so on."""
        self.bed.add_host("host-1")
        local_ip = self.local_ip(local_port_id=self.port_id)["id"]
        other = self.port("10.9.0.6")
        self.bed.update("port", other, binding__host_id="host-1")
        wanted = {
            "local_ip_id": local_ip,
            "local_ip_address": "10.9.0.5",
            "fixed_port_id": other,
            "fixed_ip": "10.9.0.6",
            "host": "host-1",
        }
        self.assertEqual(self.associate(local_ip, other), wanted)
        self.assertEqual(self.bed.listed("port_association", ALICE, parent=local_ip), [wanted])
        self.assertEqual(self.bed.show("port_association", other, ALICE, parent=local_ip), wanted)
        self.assertEqual(self.bed.show("local_ip", local_ip, ALICE)["revision_number"], 2)

    def test_local_ip_in_use_stays(self) -> None:
        """Until no port answers it."""
        local_ip = self.local_ip(local_port_id=self.port_id)["id"]
        other = self.port("10.9.0.6")
        self.associate(local_ip, other)
        message = self.assert_refused(409, "LocalIPInUse", self.bed.delete, "local_ip", local_ip, ALICE)
        self.assertEqual(message, f"Local IP {local_ip} is still associated with one or more ports.")
        self.bed.delete("port_association", other, ALICE, parent=local_ip)
        self.bed.delete("local_ip", local_ip, ALICE)

    def test_deleted_port_answers_no_more(self) -> None:
        """Its association goes with it."""
        local_ip = self.local_ip(local_port_id=self.port_id)["id"]
        other = self.port("10.9.0.6")
        self.associate(local_ip, other)
        self.bed.delete("port", other, ALICE)
        self.assertEqual(self.bed.listed("port_association", ALICE, parent=local_ip), [])

    def test_what_is_refused(self) -> None:
        """Addresses that the port lacks, the same port twice, what is not there."""
        local_ip = self.local_ip(local_port_id=self.port_id)["id"]
        several = self.port("10.9.0.6", "10.9.0.7")
        self.assert_refused(400, "LocalIPNoRequestedIP", self.associate, local_ip, several)
        self.assert_refused(400, "LocalIPRequestedIPNotFound", self.associate, local_ip, several, fixed_ip="10.9.0.8")
        self.associate(local_ip, several, fixed_ip="10.9.0.7")
        self.assert_refused(409, "LocalIPAssociationExists", self.associate, local_ip, several, fixed_ip="10.9.0.6")
        self.assert_refused(
            404,
            "LocalIPAssociationNotFound",
            self.bed.delete,
            "port_association",
            self.port_id,
            ALICE,
            parent=local_ip,
        )

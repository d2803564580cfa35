"""MAC addresses of ports: when they change, and when they do not."""

from __future__ import annotations

from typing import Any

from tests.api.resources.bed import ALICE, View
from tests.api.resources.case import ResourceCase

DEVICE = "52:54:00:00:00:07"


class MacCase(ResourceCase):
    """Has a network and a host."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network_id = self.bed.create("network")["id"]
        self.bed.add_host("host-1")

    def port(self, **body: Any) -> View:
        """Make a port."""
        return self.bed.create("port", network_id=self.network_id, **body)


class RegenerateTests(MacCase):
    """``mac_address`` of null."""

    def test_another_one_is_generated(self) -> None:
        """Hosts hear of it."""
        port = self.port()
        version = self.port_version(port["id"])
        changed = self.bed.update("port", port["id"], mac_address=None)
        self.assertNotEqual(changed["mac_address"], port["mac_address"])
        self.assertTrue(changed["mac_address"].startswith("fa:16:3e:"))
        self.assertGreater(self.port_version(port["id"]), version)

    def test_on_create_it_says_nothing(self) -> None:
        """As if it were left out."""
        self.assertTrue(self.port(mac_address=None)["mac_address"].startswith("fa:16:3e:"))

    def test_bound_port_keeps_its_own(self) -> None:
        """The guest has it."""
        port = self.port(binding__host_id="host-1")["id"]
        self.assert_refused(409, "PortBound", self.bed.update, "port", port, mac_address=None)

    def test_only_administrators(self) -> None:
        """As for any change of a MAC."""
        port = self.bed.create("port", ALICE, network_id=self.bed.create("network", ALICE)["id"])["id"]
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.update, "port", port, ALICE, mac_address=None)

    def test_ports_of_the_service_keep_theirs(self) -> None:
        """With the sentence of today."""
        port = self.port(device_owner="network:floatingip")["id"]
        message = self.assert_refused(
            409, "UnsupportedPortDeviceOwner", self.bed.update, "port", port, mac_address=DEVICE
        )
        self.assertEqual(
            message,
            f"Operation mac address update is not supported for device_owner network:floatingip on port {port}.",
        )


class OverrideTests(MacCase):
    """Ports that are whole devices of their host."""

    def device(self, **body: Any) -> View:
        """Make a port that Nova says is a device."""
        profile = {"pci_slot": "0000:05:00.0", "device_mac_address": DEVICE}
        return self.port(binding__vnic_type="direct-physical", binding__profile=profile, **body)

    def test_bound_device_has_its_own(self) -> None:
        """The device's address is the port's, on create and on update."""
        self.assertEqual(self.device(binding__host_id="host-1")["mac_address"], DEVICE)
        other = self.port(binding__vnic_type="direct-physical")
        changed = self.bed.update(
            "port",
            other["id"],
            binding__host_id="host-1",
            binding__profile={"device_mac_address": "52:54:00:00:00:08"},
        )
        self.assertEqual(changed["mac_address"], "52:54:00:00:00:08")

    def test_unbound_port_is_no_device(self) -> None:
        """It is given another address when it leaves its host."""
        port = self.device()
        self.assertNotEqual(port["mac_address"], DEVICE)
        bound = self.bed.update("port", port["id"], binding__host_id="host-1")
        self.assertEqual(bound["mac_address"], DEVICE)
        left = self.bed.update("port", port["id"], binding__host_id="", binding__profile={})
        self.assertNotEqual(left["mac_address"], DEVICE)

    def test_other_ports_are_not_touched(self) -> None:
        """The profile of a virtual function says nothing of the MAC."""
        port = self.port(
            binding__host_id="host-1", binding__vnic_type="direct", binding__profile={"device_mac_address": DEVICE}
        )
        self.assertNotEqual(port["mac_address"], DEVICE)

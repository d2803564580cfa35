"""Extensions that promise one behaviour each."""

from __future__ import annotations

from typing import Any

from quantumd.errors import ApiError
from tests.api.resources.bed import ADMIN, ALICE, View
from tests.api.resources.case import ResourceCase


class PortTests(ResourceCase):
    """Of ports."""

    def setUp(self) -> None:
        """Make a network with a subnet."""
        super().setUp()
        self.network_id, self.subnet_id = self.bed.network_with_subnet()

    def port(self, **body: Any) -> View:
        """Make a port."""
        return self.bed.create("port", network_id=self.network_id, **body)

    def test_a_mac_is_made_anew(self) -> None:
        """port-mac-address-regenerate: null asks for another one."""
        port = self.port(mac_address="fa:16:3e:aa:bb:cc")
        changed = self.bed.update("port", port["id"], mac_address=None)
        self.assertRegex(changed["mac_address"], "^fa:16:3e:")
        self.assertNotEqual(changed["mac_address"], port["mac_address"])
        self.assertEqual(self.bed.show("port", port["id"])["mac_address"], changed["mac_address"])

    def test_a_whole_device_has_its_own_mac(self) -> None:
        """port-mac-override: a port that is a device of its host has the MAC address that Nova found there."""
        port = self.port(binding__vnic_type="direct-physical")
        profile = {"device_mac_address": "00:53:00:00:00:01"}
        changed = self.bed.update("port", port["id"], binding__host_id="h1", binding__profile=profile)
        self.assertEqual(changed["mac_address"], "00:53:00:00:00:01")

    def test_addresses_of_routers_stay(self) -> None:
        """l3-port-ip-change-not-allowed: a router would not hear of another address of its port."""
        port = self.port(device_owner="network:router_interface", device_id="r1")
        other = [{"subnet_id": self.subnet_id, "ip_address": "10.9.0.77"}]
        error = self.assertRaises(ApiError, self.bed.update, "port", port["id"], fixed_ips=other)
        self.assertEqual((error.status, error.type), (400, "IPAddressChangeNotAllowed"))

    def test_how_addresses_are_given_is_told(self) -> None:
        """ip_allocation: at once, or none because none were wanted."""
        self.assertEqual(self.port()["ip_allocation"], "immediate")
        self.assertEqual(self.port(fixed_ips=[])["ip_allocation"], "none")

    def test_ports_avoid_subnets_of_other_services(self) -> None:
        """subnet-service-types: such a subnet gives addresses to ports of its services only."""
        other = self.bed.create("network")["id"]
        routers: dict[str, Any] = {"service_types": ["network:router_gateway"]}
        for cidr, more in (("10.20.0.0/24", routers), ("10.21.0.0/24", {})):
            self.bed.create("subnet", network_id=other, cidr=cidr, ip_version=4, enable_dhcp=False, **more)
        port = self.bed.create("port", network_id=other)
        self.assertRegex(port["fixed_ips"][0]["ip_address"], r"^10\.21\.")


class EverythingTests(ResourceCase):
    """Of every resource."""

    def test_descriptions_are_kept_and_found(self) -> None:
        """standard-attr-description."""
        network = self.bed.create("network", ALICE, description="one")
        self.assertEqual(network["description"], "one")
        changed = self.bed.update("network", network["id"], ALICE, description="two")
        self.assertEqual(changed["description"], "two")
        self.assertEqual(len(self.bed.listed("network", description=("two",))), 1)

    def test_every_resource_has_both_names_of_its_project(self) -> None:
        """project-id: whatever belongs to a project takes and shows project_id."""
        unnamed = {
            resource.member
            for resource in self.bed.served.resources
            if any(each.name == "tenant_id" for each in resource.attributes)
        }
        self.assertEqual(unnamed, set())

    def test_times_are_of_the_change(self) -> None:
        """standard-attr-timestamp: created_at stays, updated_at follows."""
        network = self.bed.create("network")
        self.bed.now = "2026-11-20T11:00:00Z"
        changed = self.bed.update("network", network["id"], name="x")
        self.assertEqual((changed["created_at"], changed["updated_at"]), (network["created_at"], self.bed.now))

    def test_service_providers_are_listed(self) -> None:
        """service-type: what stands behind services, and nothing that is not there."""
        found = self.bed.listed("service_provider", ADMIN)
        self.assertEqual(found, [{"service_type": "L3_ROUTER_NAT", "name": "quantumd", "default": True}])

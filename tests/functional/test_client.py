"""The unmodified ``openstack`` client against quantumd on memory edges."""

from __future__ import annotations

import tempfile
import unittest
import uuid
from pathlib import Path
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance
from tests.bed.openstack_client import OpenStackClient, missing_client

NOBODY = "00000000-0000-4000-8000-000000000000"


class ClientTests(SynchronousTestCase):
    """One quantumd and one client; every test has names of its own."""

    skip = missing_client()
    appliance: ClassVar[Appliance]
    openstack: ClassVar[OpenStackClient]

    @classmethod
    def setUpClass(cls) -> None:
        """Start both."""
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        folder = tempfile.TemporaryDirectory(prefix="quantumd-client-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.appliance = Appliance(Path(folder.name))
        cls.addClassCleanup(lambda: cls.appliance.close())
        cls.appliance.start()
        cls.openstack = OpenStackClient(cls.appliance.url)
        cls.addClassCleanup(lambda: cls.openstack.close())
        cls.openstack.start()

    def setUp(self) -> None:
        """A network with a subnet."""
        self.name = f"net-{uuid.uuid4().hex[:8]}"
        self.network = self.openstack("network", "create", self.name)
        subnet = ("--network", self.name, "--subnet-range", "10.0.0.0/24", "--allocation-pool")
        self.subnet = self.openstack("subnet", "create", self.name, *subnet, "start=10.0.0.10,end=10.0.0.99")

    def make_port(self, name: str, *words: str) -> Any:
        """Create a port on the network."""
        return self.openstack("port", "create", "--network", self.name, *words, name)

    def expect_refusal(self, sentence: str, *words: str) -> None:
        """The command fails and says why in words that a user understands."""
        said = self.openstack.say(*words)
        self.assertEqual((said.status, said.output), (1, ""))
        self.assertIn(sentence, said.error)
        self.assertNotIn("Traceback", said.error)

    def test_the_program_itself_works(self) -> None:
        """Started as a user starts it."""
        said = self.openstack.run_program("network", "list", "--name", self.name, "-f", "value", "-c", "Name")
        self.assertEqual((said.status, said.output), (0, f"{self.name}\n"))

    def test_a_network_shows_what_it_was_given(self) -> None:
        """And what it was not."""
        self.assertEqual(
            (self.network["name"], self.network["status"], self.network["mtu"]), (self.name, "ACTIVE", 1500)
        )
        shown = self.openstack("network", "show", self.name)
        self.assertEqual((shown["id"], shown["subnets"]), (self.network["id"], [self.subnet["id"]]))
        self.assertEqual(shown["provider:network_type"], "local")

    def test_a_subnet_has_gateway_and_pools(self) -> None:
        """The gateway is the first address; the pools are those that were asked for."""
        self.assertEqual((self.subnet["gateway_ip"], self.subnet["ip_version"]), ("10.0.0.1", 4))
        self.assertEqual(self.subnet["allocation_pools"], [{"start": "10.0.0.10", "end": "10.0.0.99"}])

    def test_a_port_is_created_with_address_mac_and_description(self) -> None:
        """As named."""
        fixed = f"subnet={self.subnet['id']},ip-address=10.0.0.77"
        port = self.make_port(
            "p", "--fixed-ip", fixed, "--mac-address", "fa:16:3e:01:02:03", "--description", "d", "--disable"
        )
        self.assertEqual(port["fixed_ips"], [{"subnet_id": self.subnet["id"], "ip_address": "10.0.0.77"}])
        self.assertEqual((port["mac_address"], port["description"]), ("fa:16:3e:01:02:03", "d"))
        self.assertEqual((port["admin_state_up"], port["status"]), (False, "DOWN"))

    def test_lists_are_filtered(self) -> None:
        """Ports by network, address, MAC, name and owner; subnets by range; networks by name."""
        port = self.make_port(f"{self.name}-p", "--fixed-ip", f"subnet={self.subnet['id']},ip-address=10.0.0.77")
        self.make_port("other")
        by = (
            ("--network", self.name, "--fixed-ip", "ip-address=10.0.0.77"),
            ("--mac-address", port["mac_address"]),
            ("--name", f"{self.name}-p"),
        )
        for words in by:
            self.assertEqual([row["ID"] for row in self.openstack("port", "list", *words)], [port["id"]], words)
        owned = self.openstack("port", "list", "--network", self.name, "--device-owner", "network:dhcp", "--long")
        self.assertEqual([row["Device Owner"] for row in owned], ["network:dhcp"])
        ranges = self.openstack("subnet", "list", "--network", self.name, "--subnet-range", "10.0.0.0/24")
        self.assertEqual([row["ID"] for row in ranges], [self.subnet["id"]])
        self.assertEqual(self.openstack("network", "list", "--name", f"{self.name}-nowhere"), [])

    def test_what_is_set_is_shown(self) -> None:
        """Of a network, a subnet and a port."""
        self.make_port("p")
        self.openstack("network", "set", "--description", "new", "--disable", self.name)
        self.openstack("subnet", "set", "--gateway", "10.0.0.254", "--dns-nameserver", "9.9.9.9", self.subnet["id"])
        port = self.make_port(f"{self.name}-q")
        self.openstack("port", "set", "--name", f"{self.name}-r", "--disable", "--host", "elsewhere", port["id"])
        network = self.openstack("network", "show", self.name)
        self.assertEqual((network["description"], network["admin_state_up"]), ("new", False))
        subnet = self.openstack("subnet", "show", self.subnet["id"])
        self.assertEqual((subnet["gateway_ip"], subnet["dns_nameservers"]), ("10.0.0.254", ["9.9.9.9"]))
        shown = self.openstack("port", "show", f"{self.name}-r")
        self.assertEqual((shown["admin_state_up"], shown["binding_vif_type"]), (False, "binding_failed"))
        self.assertGreater(shown["revision_number"], port["revision_number"])

    def test_what_is_unset_is_gone(self) -> None:
        """DNS servers and routes of a subnet, addresses and host of a port."""
        route = "destination=10.8.0.0/16,gateway=10.0.0.9"
        self.openstack("subnet", "set", "--dns-nameserver", "9.9.9.9", "--host-route", route, self.subnet["id"])
        self.openstack("subnet", "unset", "--dns-nameserver", "9.9.9.9", "--host-route", route, self.subnet["id"])
        subnet = self.openstack("subnet", "show", self.subnet["id"])
        self.assertEqual((subnet["dns_nameservers"], subnet["host_routes"]), ([], []))
        fixed = f"subnet={self.subnet['id']},ip-address=10.0.0.77"
        port = self.make_port("p", "--fixed-ip", fixed, "--host", "elsewhere")
        self.openstack("port", "unset", "--fixed-ip", fixed, "--host", port["id"])
        shown = self.openstack("port", "show", port["id"])
        self.assertEqual((shown["fixed_ips"], shown["binding_vif_type"]), ([], "unbound"))

    def test_what_is_deleted_is_gone(self) -> None:
        """A network that has ports stays and says so; without them it goes, with its subnet and its DHCP port."""
        port = self.make_port("p")
        self.expect_refusal(f"ports still in use on the network, id for these ports is: {port['id']}",
                            "network", "delete", self.name)  # fmt: skip
        self.openstack("port", "delete", port["id"])
        self.openstack("network", "delete", self.name)
        self.expect_refusal(f"No Network found for {self.name}", "network", "show", self.name)
        self.expect_refusal("No Subnet found", "subnet", "show", self.subnet["id"])

    def test_refusals_are_readable(self) -> None:
        """What the client prints is the API's own sentence."""
        ip = f"subnet={self.subnet['id']},ip-address=10.0.0.77"
        self.make_port("p", "--fixed-ip", ip)
        port = ("port", "create", "--network", self.name)
        subnet = ("subnet", "create", "--network", self.name, "x", "--subnet-range")
        self.expect_refusal("IP address 10.0.0.77 already allocated", *port, "--fixed-ip", ip, "q")
        self.expect_refusal("overlaps with another subnet", *subnet, "10.0.0.128/25")
        self.expect_refusal("No Port found for nobody", "port", "show", "nobody")
        self.expect_refusal(f"No Network found for {NOBODY}", "port", "create", "--network", NOBODY, "x")
        self.expect_refusal("MTU is too big", "network", "create", "--mtu", "9000", "x")
        modes = ("--ipv6-ra-mode", "slaac", "--ipv6-address-mode", "dhcpv6-stateful")
        self.expect_refusal("they must be the same value", *subnet, "2001:db8::/64", "--ip-version", "6", *modes)

    def test_extensions_are_listed(self) -> None:
        """Those that packets obey, and no others."""
        listed = {row["Alias"] for row in self.openstack("extension", "list", "--network")}
        wanted = {"binding", "provider", "net-mtu", "security-group", "port-security", "qos", "router"}
        self.assertLessEqual({*wanted, "extra_dhcp_opt"}, listed)
        self.assertFalse({"local_ip", "dns-integration"} & listed)
        self.assertEqual(self.openstack("extension", "show", "provider")["alias"], "provider")

    def test_what_was_created_in_bulk_is_listed(self) -> None:
        """Many in one request, as the API offers it; one bad one, and none is created."""
        names = [f"{self.name}-{n}" for n in range(20)]
        bodies = [{"network_id": self.network["id"], "name": name} for name in names]
        answer = self.appliance.request("POST", "/v2.0/ports", {"ports": bodies})
        self.assertEqual((answer.status, [port["name"] for port in answer.body["ports"]]), (201, names))
        bad = [*bodies, {"network_id": NOBODY}]
        self.assertEqual(self.appliance.request("POST", "/v2.0/ports", {"ports": bad}).status, 404)
        listed = self.openstack("port", "list", "--network", self.name)
        self.assertEqual(sorted(row["Name"] for row in listed if row["Name"]), sorted(names))

"""Horizon's pages of networks, as a user clicks through them in a browser, beside a real quantumd and Keystone."""

from __future__ import annotations

import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.bed.compute_servers import ComputeServers
from tests.bed.horizon import HorizonError
from tests.bed.horizon_case import HorizonCase, the_stage
from tests.bed.keystone import User

SERVER_ID = "5f2d1c1e-8d5b-4b8e-9f0a-6c1d2e3f4a5b"


def tearDownModule() -> None:
    """End the stage, if it was started."""
    if the_stage.cache_info().currsize:
        the_stage().close()


class NetworkTests(HorizonCase):
    """Networks, subnets and ports."""

    @pytest.mark.time_limit(300)
    def test_a_network_comes_and_goes(self) -> None:
        """With a subnet, by the wizard of three steps; it gets another name, and is deleted."""
        self.run_watched(self.create, self.look, self.rename, self.add_a_subnet, self.look_at_a_port, self.delete)

    def create(self) -> None:
        """Fill in the wizard."""
        self.visitor.visit("/project/networks/", "Networks")
        self.visitor.press("#networks__action_create", "Create Network")
        self.visitor.fill(net_name=self.name)
        self.browser.click(".modal.in .button-next")
        self.visitor.fill(subnet_name="below", cidr="10.20.0.0/24")
        self.browser.click(".modal.in .button-next")
        self.visitor.fill(dns_nameservers="192.0.2.53", allocation_pools="10.20.0.10,10.20.0.99")
        self.visitor.submit("Create")
        shown = self.visitor.row(self.name)
        self.assert_in(shown, "below", "10.20.0.0/24", "Active", "UP")
        (self.network,) = self.named("network")
        (self.subnet,) = self.ask("GET", f"/v2.0/subnets?network_id={self.network['id']}")["subnets"]
        self.assertEqual(
            [self.subnet[each] for each in ("name", "cidr", "gateway_ip", "dns_nameservers", "allocation_pools")],
            ["below", "10.20.0.0/24", "10.20.0.1", ["192.0.2.53"], [{"start": "10.20.0.10", "end": "10.20.0.99"}]],
        )

    def look(self) -> None:
        """Look at its page, whose tabs show subnets and ports."""
        self.browser.click(f"tr[data-object-id='{self.network['id']}'] a", self.name)
        self.browser.await_element("dd", self.network["id"])
        self.browser.click(".nav-tabs a", "Subnets")
        self.visitor.row("10.20.0.1")

    def rename(self) -> None:
        """Give it another name."""
        self.visitor.visit("/project/networks/", "Networks")
        self.visitor.press(f"tr[data-object-id='{self.network['id']}'] a.ajax-modal", "Edit Network")
        self.visitor.fill(name=f"{self.name}-b")
        self.visitor.submit("Save")
        self.visitor.row(f"{self.name}-b")
        self.assertEqual(self.ask("GET", f"/v2.0/networks/{self.network['id']}")["network"]["name"], f"{self.name}-b")

    def add_a_subnet(self) -> None:
        """Make a second subnet, of IPv6."""
        self.visitor.act(self.network["id"], "Create Subnet")
        self.browser.await_element(".modal.in", "Create Subnet")
        self.visitor.choose("ip_version", "IPv6")
        self.visitor.fill(subnet_name="sixth", cidr="2001:db8:5::/64")
        self.browser.click(".modal.in .button-next")
        self.visitor.choose("ipv6_modes", "SLAAC: Address discovered from OpenStack Router")
        self.visitor.submit("Create")
        (subnet,) = self.ask("GET", f"/v2.0/subnets?network_id={self.network['id']}&ip_version=6")["subnets"]
        self.assertEqual(
            [subnet[each] for each in ("name", "cidr", "ipv6_address_mode", "ipv6_ra_mode")],
            ["sixth", "2001:db8:5::/64", "slaac", "slaac"],
        )

    def look_at_a_port(self) -> None:
        """See a port in the network's table, and on its own page. Horizon's own rules let only admins make one."""
        port = self.stage.make(self.user, "port", network_id=self.network["id"], name=self.name)
        self.visitor.visit(f"/project/networks/{self.network['id']}/detail", self.name)
        self.browser.click(".nav-tabs a", "Ports")
        shown = self.visitor.row(self.name)
        address = port["fixed_ips"][0]["ip_address"]
        self.assert_in(shown, address, port["mac_address"], "Down")
        self.browser.click(f"tr[data-object-id='{port['id']}'] td a", self.name)
        self.browser.await_element("dd", port["id"])
        self.visitor.check()

    def delete(self) -> None:
        """Delete it, with all that is in it."""
        self.visitor.visit(f"/project/networks/{self.network['id']}/detail", self.name)
        self.browser.click(".nav-tabs a", "Ports")
        (port,) = self.named("port")
        self.visitor.act(port["id"], "Delete Port")
        self.visitor.submit("Delete Port")
        self.visitor.await_no_row(port["mac_address"])
        self.visitor.visit("/project/networks/", "Networks")
        self.visitor.act(self.network["id"], "Delete Network")
        self.visitor.submit("Delete Network")
        self.visitor.await_no_row(self.name)
        self.assertEqual(self.ask("GET", f"/v2.0/networks?id={self.network['id']}")["networks"], [])


class RouterTests(HorizonCase):
    """Routers, and the picture of all."""

    @pytest.mark.time_limit(300)
    def test_a_router_comes_and_goes(self) -> None:
        """With a gateway and an interface; both are in tables and in the topology, and go."""
        self.network, self.subnet = self.make_network()
        self.run_watched(self.create, self.connect, self.draw, self.lead_on, self.disconnect, self.delete)

    def create(self) -> None:
        """Fill in the form."""
        self.visitor.visit("/project/routers/", "Routers")
        self.visitor.press("#routers__action_create", "Create Router")
        self.visitor.fill(name=self.name)
        self.visitor.choose("external_network", "outside")
        self.visitor.submit("Create Router")
        shown = self.visitor.row(self.name)
        self.assert_in(shown, "Active", "outside", "UP")
        (self.router,) = self.named("router")
        self.assertEqual(self.router["external_gateway_info"]["network_id"], self.stage.outside["id"])

    def interfaces(self) -> list[Any]:
        """Return the router's ports in networks of the user."""
        path = f"/v2.0/ports?device_id={self.router['id']}&device_owner=network:router_interface"
        found: list[Any] = self.ask("GET", path)["ports"]
        return found

    def connect(self) -> None:
        """Let it stand in the subnet."""
        self.visitor.visit(f"/project/routers/{self.router['id']}/", self.name)
        self.browser.click(".nav-tabs a", "Interfaces")
        self.visitor.press("#interfaces__action_create", "Add Interface")
        self.visitor.choose("subnet_id", "10.30.0.0/24")
        self.visitor.submit("Submit")
        self.browser.click(".nav-tabs a", "Interfaces")
        shown = self.visitor.row("10.30.0.1")
        self.assertIn("Internal Interface", shown)
        (port,) = self.interfaces()
        self.assertEqual(port["fixed_ips"], [{"subnet_id": self.subnet["id"], "ip_address": "10.30.0.1"}])

    def draw(self) -> None:
        """See network, router and what is outside in the topology, with the router between both."""
        self.visitor.visit("/project/network_topology/", "Network Topology")
        for name in (self.name, "outside"):
            self.browser.await_true(
                f"[...document.querySelectorAll('#topologyCanvasContainer *')].some("
                f"each => each.textContent.includes('{name}'))",
                f"{name} is in the picture",
            )

    def routes(self) -> list[Any]:
        """Return the router's extra routes."""
        found: list[Any] = self.ask("GET", f"/v2.0/routers/{self.router['id']}")["router"]["routes"]
        return found

    def lead_on(self) -> None:
        """Give it a route of its own, and take it away."""
        self.visitor.visit(f"/project/routers/{self.router['id']}/", self.name)
        self.browser.click(".nav-tabs a", "Static Routes")
        self.visitor.press("#extra_routes__action_create", "Add Static Route")
        self.visitor.fill(destination="198.51.100.0/24", nexthop="10.30.0.9")
        self.visitor.submit("Submit")
        self.browser.click(".nav-tabs a", "Static Routes")
        self.assert_in(self.visitor.row("198.51.100.0/24"), "10.30.0.9")
        self.assertEqual(self.routes(), [{"destination": "198.51.100.0/24", "nexthop": "10.30.0.9"}])
        self.browser.click("#extra_routes button", "Delete Static Route")
        self.visitor.submit("Delete Static Route")
        self.visitor.await_no_row("198.51.100.0/24")
        self.assertEqual(self.routes(), [])

    def disconnect(self) -> None:
        """Take the interface away."""
        self.visitor.visit(f"/project/routers/{self.router['id']}/", self.name)
        self.browser.click(".nav-tabs a", "Interfaces")
        (port,) = self.interfaces()
        self.browser.click(f"tr[data-object-id='{port['id']}'] button", "Delete Interface")
        self.visitor.submit("Delete Interface")
        self.visitor.await_no_row("10.30.0.1")
        self.assertEqual(self.interfaces(), [])

    def delete(self) -> None:
        """Take the gateway away, then delete it."""
        self.visitor.visit("/project/routers/", "Routers")
        self.browser.click(f"tr[data-object-id='{self.router['id']}'] button", "Clear Gateway")
        self.visitor.submit("Clear Gateway")
        self.browser.await_element(f"tr[data-object-id='{self.router['id']}'] a", "Set Gateway")
        self.assertIsNone(self.ask("GET", f"/v2.0/routers/{self.router['id']}")["router"]["external_gateway_info"])
        self.visitor.act(self.router["id"], "Delete Router")
        self.visitor.submit("Delete Router")
        self.visitor.await_no_row(self.name)
        self.assertEqual(self.named("router"), [])


class FloatingIpTests(HorizonCase):
    """Floating IPs."""

    @pytest.mark.time_limit(300)
    def test_one_is_allocated_and_released(self) -> None:
        """From the pool outside, with a description."""
        self.run_watched(self.allocate, self.release)

    def allocate(self) -> None:
        """Fill in the form."""
        self.visitor.visit("/project/floating_ips/", "Floating IPs")
        self.visitor.press("#floating_ips__action_allocate", "Allocate Floating IP")
        self.visitor.fill(description=self.name)
        self.visitor.submit("Allocate IP")
        shown = self.visitor.row(self.name)
        (self.floating,) = self.ask("GET", f"/v2.0/floatingips?description={self.name}")["floatingips"]
        self.assert_in(shown, self.floating["floating_ip_address"], "outside", "Down")

    def release(self) -> None:
        """Give it back."""
        self.visitor.act(self.floating["id"], "Release Floating IP")
        self.visitor.submit("Release Floating IP")
        self.visitor.await_no_row(self.name)
        self.assertEqual(self.ask("GET", f"/v2.0/floatingips?description={self.name}")["floatingips"], [])


class SecurityGroupTests(HorizonCase):
    """Security groups and their rules."""

    @pytest.mark.time_limit(300)
    def test_a_group_comes_and_goes(self) -> None:
        """With a rule that lets a port in from everywhere."""
        self.run_watched(self.create, self.add_a_rule, self.take_the_rule_away, self.delete)

    def create(self) -> None:
        """Fill in the form."""
        self.visitor.visit("/project/security_groups/", "Security Groups")
        self.visitor.press("#security_groups__action_create", "Create Security Group")
        self.visitor.fill(name=self.name, description="who may come in")
        self.visitor.submit("Create Security Group")
        (self.group,) = self.named("security-group")
        self.assertEqual(self.group["description"], "who may come in")

    def rules(self) -> list[Any]:
        """Return the rules of the group that let something in."""
        path = f"/v2.0/security-group-rules?security_group_id={self.group['id']}&direction=ingress"
        found: list[Any] = self.ask("GET", path)["security_group_rules"]
        return found

    def add_a_rule(self) -> None:
        """Fill in the form."""
        self.visitor.visit(f"/project/security_groups/{self.group['id']}/", self.name)
        self.visitor.press("#rules__action_add_rule", "Add Rule")
        self.visitor.fill(description=self.name, port="8080", cidr="192.0.2.0/24")
        self.visitor.submit("Add")
        shown = self.visitor.row(self.name)
        self.assert_in(shown, "Ingress", "IPv4", "TCP", "8080", "192.0.2.0/24")
        (rule,) = self.rules()
        self.assertEqual(
            [rule[each] for each in ("ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix")],
            ["IPv4", "tcp", 8080, 8080, "192.0.2.0/24"],
        )

    def take_the_rule_away(self) -> None:
        """Delete it."""
        (rule,) = self.rules()
        self.visitor.act(rule["id"], "Delete Rule")
        self.visitor.submit("Delete Rule")
        self.visitor.await_no_row(self.name)
        self.assertEqual(self.rules(), [])

    def delete(self) -> None:
        """Delete the group."""
        self.visitor.visit("/project/security_groups/", "Security Groups")
        self.visitor.act(self.group["id"], "Delete Security Group")
        self.visitor.submit("Delete Security Group")
        self.visitor.await_no_row(self.name)
        self.assertEqual(self.named("security-group"), [])


class AssociationTests(HorizonCase):
    """A floating IP leads to a server. Horizon asks Nova for the names of servers, so there is a list of them here."""

    def setUp(self) -> None:
        """A server's port behind a router; who logs in finds a compute service in the catalogue."""
        self.servers = ComputeServers({SERVER_ID: "web-1"})
        self.servers.start()
        self.addCleanup(self.servers.stop)
        self.addCleanup(the_stage().keystone.withdraw_compute)
        the_stage().keystone.publish_compute(self.servers.url)
        super().setUp()
        network, subnet = self.make_network()
        router = self.stage.make(
            self.user, "router", external_gateway_info={"network_id": self.stage.outside["id"]}, name=self.name
        )
        self.ask("PUT", f"/v2.0/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
        self.port = self.stage.make(
            self.user, "port", network_id=network["id"], device_id=SERVER_ID, device_owner="compute:nova"
        )
        self.made = self.stage.make(self.user, "floatingip", floating_network_id=self.stage.outside["id"])

    def who(self) -> User:
        """A user of its own: the token of the others tells of no compute service."""
        return self.stage.keystone.make_user("member")

    def floating(self) -> Any:
        """Return the floating IP."""
        return self.ask("GET", f"/v2.0/floatingips/{self.made['id']}")["floatingip"]

    @pytest.mark.time_limit(300)
    def test_it_leads_to_a_server_and_no_longer(self) -> None:
        """The server is offered by its name."""
        self.run_watched(self.associate, self.disassociate)
        self.assertEqual(self.servers.unknown, [])

    def associate(self) -> None:
        """Fill in the form."""
        address = self.port["fixed_ips"][0]["ip_address"]
        self.visitor.visit("/project/floating_ips/", "Floating IPs")
        self.visitor.press(f"tr[data-object-id='{self.made['id']}'] a.ajax-modal", "Manage Floating IP Associations")
        self.visitor.choose("port_id", f"web-1: {address}")
        self.visitor.submit("Associate")
        self.assert_in(self.visitor.row("Disassociate"), self.made["floating_ip_address"], f"web-1 {address}", "Active")
        self.assertEqual(
            [self.floating()[each] for each in ("port_id", "fixed_ip_address")], [self.port["id"], address]
        )

    def disassociate(self) -> None:
        """Let it lead nowhere."""
        self.browser.click(f"tr[data-object-id='{self.made['id']}'] button", "Disassociate")
        self.visitor.submit("Disassociate")
        self.browser.await_element(f"tr[data-object-id='{self.made['id']}'] a.ajax-modal", "Associate")
        self.assertIsNone(self.floating()["port_id"])


class AdminTests(HorizonCase):
    """What only admins see."""

    def who(self) -> User:
        """The admin."""
        return self.stage.keystone.admin

    @pytest.mark.time_limit(300)
    def test_a_network_of_a_vlan(self) -> None:
        """For a project, of the types that the settings of conf/horizon have."""
        self.run_watched(self.create, self.look_at_agents, self.delete)

    def create(self) -> None:
        """Fill in the form."""
        self.visitor.visit("/admin/networks/", "Networks")
        self.visitor.press("#networks__action_create", "Create Network")
        self.visitor.fill(name=self.name)
        self.visitor.choose("tenant_id", self.stage.user.project.name if self.stage.user.project else "")
        types = "[...document.querySelector('[name=network_type]').options].map(each => each.value)"
        self.assertEqual(self.browser.run(types), ["local", "flat", "vlan", "vxlan", "gre", "geneve"])
        self.visitor.choose("network_type", "VLAN")
        self.visitor.fill(physical_network="public", segmentation_id="3005")
        self.browser.click(".modal.in label[for=id_with_subnet]")
        self.visitor.submit("Create")
        self.assert_in(self.visitor.row(self.name), "Active")
        (self.network,) = self.named("network")
        self.assertEqual(
            [self.network[f"provider:{each}"] for each in ("network_type", "physical_network", "segmentation_id")],
            ["vlan", "public", 3005],
        )

    def look_at_agents(self) -> None:
        """See the hosts' roles."""
        self.visitor.visit("/admin/info/?tab=system_info__network_agents", "System Information")
        for kind in ("DHCP agent", "L3 agent", "Open vSwitch agent"):
            self.assert_in(self.visitor.row(kind), "host-a", "Enabled", "Up")

    def delete(self) -> None:
        """Delete it."""
        self.visitor.visit("/admin/networks/", "Networks")
        self.visitor.act(self.network["id"], "Delete Network")
        self.visitor.submit("Delete Network")
        self.visitor.await_no_row(self.name)
        self.assertEqual(self.named("network"), [])


class WatchTests(HorizonCase):
    """What fails behind the user's back fails these tests."""

    @pytest.mark.time_limit(300)
    def test_what_goes_wrong_is_seen(self) -> None:
        """A page of a network that is not there: red on the page, and a refusal of quantumd's."""
        gone = str(uuid.uuid4())
        path = f"/project/networks/{gone}/detail"
        failure = self.assertRaises(HorizonError, self.run_watched, lambda: self.visitor.visit(path, "Networks"))
        # So Horizon calls whatever is refused.
        self.assertIn("the page says ['Error: Unauthorized: Unable to retrieve details for network", str(failure))
        (picture,) = re.findall(r"\((\S+/page\.png)\) shows", str(failure))
        self.assertGreater(Path(picture).stat().st_size, 1000)
        shutil.rmtree(Path(picture).parent)
        self.assertIn(f"GET /v2.0/networks/{gone} 404", self.stage.refusals(self.position))

    @pytest.mark.time_limit(300)
    def test_scripts_that_fail_are_seen(self) -> None:
        """So are pages that are not there."""
        self.visitor.visit("/project/networks/", "Networks")
        self.browser.run("setTimeout(() => { throw new Error('it broke'); }, 0)")
        self.browser.run("fetch('/no/such/page')")
        self.browser.await_true("true")
        seen = "\n".join(self.browser.failures)
        self.assertIn("it broke", seen)
        self.assertIn(f"404 {self.stage.horizon.url}/no/such/page", seen)

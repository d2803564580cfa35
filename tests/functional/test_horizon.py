"""Horizon's pages of networks, as a user clicks through them in a browser, beside a real quantumd and Keystone."""

from __future__ import annotations

import tempfile
import uuid
from functools import cache
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance
from tests.bed.chromium import Chromium, missing_chromium
from tests.bed.horizon import Horizon, Visitor, missing_horizon
from tests.bed.keystone import Keystone, User, missing_keystone, the_keystone

SETTINGS = {"l2.bridge_mappings": '["public:br-ex"]', "network.vlan_ranges": '["public:3000:3999"]'}
EXPECTED_REFUSALS: dict[str, str] = {}
"""Requests of Horizon that quantumd refuses, and why that is right."""


@define(eq=False)
class Stage:
    """A quantumd, a Horizon beside it, and a user with a browser; one for all tests here."""

    keystone: Keystone = field(factory=the_keystone)
    folder: Any = field(factory=lambda: tempfile.TemporaryDirectory(prefix="qd-horizon-", ignore_cleanup_errors=True))
    appliance: Appliance = field(init=False)
    horizon: Horizon = field(init=False)
    visitor: Visitor = field(init=False)
    user: User = field(init=False)
    outside: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start all of them, and log the user in."""
        home = Path(self.folder.name)
        service = self.keystone.settings(self.keystone.make_user("service"), home / "password")
        self.appliance = Appliance(home / "quantumd", settings={**service, **SETTINGS})
        self.horizon = Horizon(home, self.keystone.url)
        self.visitor = Visitor(self.horizon, Chromium(home / "profile"))
        self.keystone.publish(self.appliance.url)
        self.user = self.keystone.make_user("member")
        self.appliance.start("/healthz")
        self.horizon.start()
        self.visitor.browser.start()
        self.outside = self.make(self.keystone.admin, "network", name="outside", **{"router:external": True})
        self.make(
            self.keystone.admin, "subnet", network_id=self.outside["id"], cidr="203.0.113.0/24", ip_version=4,
            enable_dhcp=False,
        )  # fmt: skip
        with self.visitor.watched():
            self.visitor.log_in(self.user)

    def close(self) -> None:
        """End all of them."""
        self.visitor.browser.close()
        self.horizon.close()
        self.appliance.close()
        self.folder.cleanup()

    def ask(self, user: User, method: str, path: str, body: Any = None) -> Any:
        """Make a request of a user's own to quantumd."""
        answer = self.appliance.request(method, path, body, {"X-Auth-Token": self.keystone.token(user)})
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.body}")
        return answer.body

    def make(self, user: User, resource: str, **attributes: Any) -> dict[str, Any]:
        """Create a resource by a request of a user's own."""
        made: dict[str, Any] = self.ask(user, "POST", f"/v2.0/{resource}s", {resource: attributes})[resource]
        return made

    def refusals(self, position: int) -> list[str]:
        """Return which requests were answered 400 and more, after a position in the log."""
        lines = [line for line in self.appliance.log_after(position).splitlines() if " quantumd.api.access " in line]
        said = [dict(each.split("=", 1) for each in line.split() if "=" in each) for line in lines]
        return [f"{each['method']} {each['path']} {each['status']}" for each in said if each["status"] >= "400"]


@cache
def the_stage() -> Stage:
    """Return the stage: started when it is first asked for."""
    return Stage()


def tearDownModule() -> None:
    """End the stage, if it was started."""
    if the_stage.cache_info().currsize:
        the_stage().close()


class Case(SynchronousTestCase):
    """A user with a browser, who is logged in; nothing of what the pages do may fail behind the user's back."""

    skip = missing_keystone() or missing_horizon() or missing_chromium()

    def setUp(self) -> None:
        """Note where logs are."""
        self.stage = the_stage()
        self.visitor, self.browser = self.stage.visitor, self.stage.visitor.browser
        self.name = f"it-{uuid.uuid4().hex[:8]}"
        self.position = self.stage.appliance.log_bytes
        self.browser.failures.clear()
        self.complaints = len(self.stage.horizon.complaints())

    def run_watched(self, *steps: Any) -> None:
        """Take steps, one after the other, and see that nothing failed on the way."""
        with self.visitor.watched():
            for step in steps:
                step()
            self.assertEqual(self.stage.refusals(self.position), [])
            self.assertEqual(self.browser.failures, [])
            self.assertEqual(self.stage.horizon.complaints()[self.complaints :], [])

    def assert_in(self, shown: str, *words: str) -> None:
        """All of the words are shown."""
        self.assertEqual([each for each in words if each not in shown], [], shown)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request as the user."""
        return self.stage.ask(self.stage.user, method, path, body)

    def named(self, resource: str) -> list[Any]:
        """Return what the user has of this test's name."""
        found: list[Any] = self.ask("GET", f"/v2.0/{resource}s?name={self.name}")[f"{resource.replace('-', '_')}s"]
        return found

    def make_network(self) -> tuple[Any, Any]:
        """Make a network with a subnet by requests."""
        network = self.stage.make(self.stage.user, "network", name=self.name)
        subnet = self.stage.make(
            self.stage.user, "subnet", network_id=network["id"], cidr="10.30.0.0/24", ip_version=4, name=self.name
        )
        return network, subnet


class NetworkTests(Case):
    """Networks, subnets and ports."""

    def test_a_network_comes_and_goes(self) -> None:
        """With a subnet, by the wizard of three steps; it gets another name, and is deleted."""
        self.run_watched(self.create, self.look, self.rename, self.look_at_a_port, self.delete)

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

    def look_at_a_port(self) -> None:
        """See a port in the network's table, and on its own page. Horizon's own rules let only admins make one."""
        port = self.stage.make(self.stage.user, "port", network_id=self.network["id"], name=self.name)
        self.visitor.visit(f"/project/networks/{self.network['id']}/detail?tab=network_tabs__ports_tab", self.name)
        shown = self.visitor.row(self.name)
        address = port["fixed_ips"][0]["ip_address"]
        self.assert_in(shown, address, port["mac_address"], "Down")
        self.browser.click(f"tr[data-object-id='{port['id']}'] td a", self.name)
        self.browser.await_element("dd", port["id"])
        self.visitor.check()

    def delete(self) -> None:
        """Delete it, with all that is in it."""
        self.visitor.visit(f"/project/networks/{self.network['id']}/detail?tab=network_tabs__ports_tab", self.name)
        (port,) = self.named("port")
        self.visitor.act(port["id"], "Delete Port")
        self.visitor.submit("Delete Port")
        self.visitor.await_no_row(port["mac_address"])
        self.visitor.visit("/project/networks/", "Networks")
        self.visitor.act(self.network["id"], "Delete Network")
        self.visitor.submit("Delete Network")
        self.visitor.await_no_row(self.name)
        self.assertEqual(self.ask("GET", f"/v2.0/networks?id={self.network['id']}")["networks"], [])


class RouterTests(Case):
    """Routers, and the picture of all."""

    def test_a_router_comes_and_goes(self) -> None:
        """With a gateway and an interface; both are in tables and in the topology, and go."""
        self.network, self.subnet = self.make_network()
        self.run_watched(self.create, self.connect, self.draw, self.disconnect, self.delete)

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
        self.visitor.visit(f"/project/routers/{self.router['id']}/?tab=router_details__interfaces", self.name)
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

    def disconnect(self) -> None:
        """Take the interface away."""
        self.visitor.visit(f"/project/routers/{self.router['id']}/?tab=router_details__interfaces", self.name)
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


class FloatingIpTests(Case):
    """Floating IPs."""

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


class SecurityGroupTests(Case):
    """Security groups and their rules."""

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

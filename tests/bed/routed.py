"""A host that carries routers: its switch, quantumd where that is, VMs, and networks that stand for the outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.bed.appliance import Appliance
from tests.bed.host import Guest, HostCase
from tests.bed.needs import OVS, missing
from tests.bed.openvswitch import PrivateOvs, run


class Routing(HostCase):
    """Makes routers and what they lead to, and removes them after each test. Mixed into classes of tests."""

    def setUp(self) -> None:
        """Note which routers are made, to remove them."""
        super().setUp()
        self._routers: list[str] = []
        self.addCleanup(self._remove_routers)

    def make_outside(self, cidr: str = "203.0.113.0/24", gateway_ip: str = "", **attributes: Any) -> dict[str, Any]:
        """Create an external network, whose next hop is the first address of its subnet unless another is given."""
        network = self.appliance.create("network", **{"router:external": True}, **attributes)
        next_hop = {"gateway_ip": gateway_ip} if gateway_ip else {}
        wanted = {"cidr": cidr, "ip_version": 4, "enable_dhcp": False, **next_hop}
        self.appliance.create("subnet", network_id=network["id"], **wanted)
        return network

    def make_router(
        self, *networks: Mapping[str, Any], outside: Mapping[str, Any] | None = None, **attributes: Any
    ) -> dict[str, Any]:
        """Create a router that stands in every subnet of each network."""
        gateway = {"external_gateway_info": {"network_id": outside["id"]}} if outside is not None else {}
        router = self.appliance.create("router", **gateway, **attributes)
        self._routers.append(router["id"])
        for network in networks:
            for subnet in self.subnets_of(network):
                self.change_interface(router, "add", subnet_id=subnet["id"])
        return router

    def change_gateways(
        self, router: Mapping[str, Any], verb: str, *gateways: Mapping[str, Any] | str
    ) -> dict[str, Any]:
        """``add``, ``update`` or ``remove`` gateways of a router, each by its network or all that is said of it."""
        said = [{"network_id": each} if isinstance(each, str) else each for each in gateways]
        answer = self.appliance.request(
            "PUT", f"/v2.0/routers/{router['id']}/{verb}_external_gateways", {"router": {"external_gateways": said}}
        )
        self.assertEqual(answer.status, 200, answer.body)
        changed: dict[str, Any] = answer.body["router"]
        return changed

    def subnets_of(self, network: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the subnets of a network."""
        found: list[dict[str, Any]] = self.appliance.request("GET", f"/v2.0/subnets?network_id={network['id']}").body[
            "subnets"
        ]
        return found

    def change_interface(self, router: Mapping[str, Any], verb: str, **what: str) -> dict[str, Any]:
        """``add`` or ``remove`` an interface of a router."""
        answer = self.appliance.request("PUT", f"/v2.0/routers/{router['id']}/{verb}_router_interface", what)
        self.assertEqual(answer.status, 200, answer.body)
        body: dict[str, Any] = answer.body
        return body

    def make_floating(self, outside: Mapping[str, Any], guest: Guest | None = None) -> dict[str, Any]:
        """Create a floating IP, and wait until it leads to the guest if one is given."""
        wanted = {"port_id": guest.id} if guest is not None else {}
        floating = self.appliance.create("floatingip", floating_network_id=outside["id"], **wanted)
        if guest is not None:
            self.await_floating(floating, "ACTIVE")
        return floating

    def await_floating(self, floating: Mapping[str, Any], status: str) -> None:
        """Wait until a floating IP has a status."""
        self.wait_for(
            f"{floating['floating_ip_address']} is {status}",
            lambda: self.appliance.show("floatingip", floating["id"])["status"] == status,
        )

    def forward(
        self, floating: Mapping[str, Any], guest: Guest, external: str, internal: str, protocol: str = "tcp"
    ) -> dict[str, Any]:
        """Have ports of a floating IP, one or a range, lead to those of a guest, and wait until they do."""
        body = {
            "protocol": protocol,
            "external_port_range": external,
            "internal_port_range": internal,
            "internal_port_id": guest.id,
            "internal_ip_address": guest.ip,
        }
        path = f"/v2.0/floatingips/{floating['id']}/port_forwardings"
        answer = self.appliance.request("POST", path, {"port_forwarding": body})
        self.assertEqual(answer.status, 201, answer.body)
        self.await_floating(floating, "ACTIVE")
        made: dict[str, Any] = answer.body["port_forwarding"]
        return made

    def change_forwarding(
        self, floating: Mapping[str, Any], forwarding: Mapping[str, Any], **changes: Any
    ) -> dict[str, Any]:
        """Change a port forwarding and return it."""
        path = f"/v2.0/floatingips/{floating['id']}/port_forwardings/{forwarding['id']}"
        answer = self.appliance.request("PUT", path, {"port_forwarding": changes})
        self.assertEqual(answer.status, 200, answer.body)
        changed: dict[str, Any] = answer.body["port_forwarding"]
        return changed

    def remove_forwarding(self, floating: Mapping[str, Any], forwarding: Mapping[str, Any]) -> None:
        """Delete a port forwarding."""
        path = f"/v2.0/floatingips/{floating['id']}/port_forwardings/{forwarding['id']}"
        answer = self.appliance.request("DELETE", path)
        self.assertEqual(answer.status, 204, answer.body)

    def routed(self, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Create a port, plug a VM for it, and give it its address and the default gateway of its subnet."""
        guest = self.plugged(network, **attributes)
        subnet_id = guest.port["fixed_ips"][0]["subnet_id"]
        (subnet,) = (each for each in self.subnets_of(network) if each["id"] == subnet_id)
        guest.vm.run("ip", "route", "replace", "default", "via", subnet["gateway_ip"])
        return guest

    def open_guest(self, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Create a routed VM whose port nothing is checked of."""
        return self.routed(network, port_security_enabled=False, **attributes)

    def namespace_of(self, router: Mapping[str, Any]) -> str:
        """Return the name of a router's namespace."""
        return f"{self.appliance.routers_prefix}{router['id']}"

    def inside_router(self, router: Mapping[str, Any], *command: str) -> str:
        """Run a command in a router's namespace."""
        return run("ip", "netns", "exec", self.namespace_of(router), *command)

    def _remove_routers(self) -> None:
        """Remove the routers of the test with all that leads to them; a router's namespace would outlive the class."""
        for floating in self.appliance.request("GET", "/v2.0/floatingips").body["floatingips"]:
            for forwarding in floating["port_forwardings"]:
                self.remove_forwarding(floating, forwarding)
            self.delete("floatingip", floating["id"])
        for router_id in self._routers:
            ports = self.appliance.request(
                "GET", f"/v2.0/ports?device_id={router_id}&device_owner=network:router_interface"
            ).body["ports"]
            self.update("router", router_id, routes=[])
            for port in ports:
                self.change_interface({"id": router_id}, "remove", port_id=port["id"])
            self.delete("router", router_id)
        self.wait_for("no namespace is left", lambda: not any(each in run("ip", "netns") for each in self._routers))


class RouterCase(Routing):
    """Tests on one host that carries routers. quantumd runs where the switch does, as on every real host."""

    skip = missing(*OVS, "ping", "nft", "conntrack")
    settings: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        """Start the switch and quantumd."""
        cls.take_directory()
        cls.ovs = PrivateOvs(cls.directory / "ovs")
        cls.addClassCleanup(cls.ovs.stop)
        where = cls.ovs.namespace
        cls.appliance = Appliance(cls.directory / "quantumd", cls.ovs.directory, cls.settings, namespace=where)
        cls.addClassCleanup(lambda: cls.appliance.close())
        cls.ovs.start()
        cls.prepare_switch()
        cls.appliance.start("/readyz")

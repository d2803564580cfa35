"""Which hosts hear of routers: what they are told amounts to what they would fetch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import evolve
from sqlalchemy import event, update

from quantumd.compile.digest import digest_record
from quantumd.compile.routers import router_record
from quantumd.model.router_records import (
    AddressLimit,
    ForwardedPorts,
    HelpedPort,
    LinkNeighbours,
    Meter,
    MeterRule,
    RouterRecord,
    RouterRoute,
)
from quantumd.store.router_nouns import routers_by_id
from quantumd.store.tables import subnets
from quantumd.store.tables.routers import routers
from tests.api.hosts.router_world import RouterHostCase
from tests.api.resources.bed import ALICE, View


class AnnounceTests(RouterHostCase):
    """Whatever changes, the host that carries the router hears of it, and nobody else."""

    def test_a_new_one(self) -> None:
        """With all that it is."""
        (record,) = self.world.has("a")
        (gateway,) = self.bed.listed("port", device_owner=("network:router_gateway",))
        self.assertEqual((record.id, record.admin_state_up, record.enable_snat), (self.router, True, True))
        assert record.gateway is not None
        self.assertEqual(record.gateway.addresses, (f"{gateway['fixed_ips'][0]['ip_address']}/24",))
        self.assertEqual((record.nexthops, record.interfaces[0].addresses), (("172.24.4.1",), ("10.0.0.1/24",)))
        self.assertEqual((self.world.has("b"), self.world.has("old")), (set(), set()))

    def test_its_own_attributes(self) -> None:
        """Whether it is enabled, its routes, whether it translates, its gateway."""
        record = self.after(lambda: self.bed.update("router", self.router, ALICE, admin_state_up=False))
        self.assertFalse(record.admin_state_up)
        routes = [{"destination": "10.77.0.0/16", "nexthop": "10.0.0.7"}]
        record = self.after(lambda: self.bed.update("router", self.router, ALICE, routes=routes))
        self.assertEqual(record.routes, (RouterRoute("10.77.0.0/16", "10.0.0.7"),))
        info: View = {"network_id": self.world.outside[0], "enable_snat": False}
        record = self.after(lambda: self.bed.update("router", self.router, external_gateway_info=info))
        self.assertFalse(record.enable_snat)
        info = {"network_id": self.world.outside[1]}
        record = self.after(lambda: self.bed.update("router", self.router, ALICE, external_gateway_info=info))
        self.assertEqual(record.nexthops, ("172.25.0.1",))
        record = self.after(lambda: self.bed.update("router", self.router, ALICE, external_gateway_info=None))
        self.assertEqual((record.gateway, record.nexthops), (None, ()))

    def test_gateways(self) -> None:
        """One more, in another order, and one less; whether connections are spread."""
        both = [{"network_id": each} for each in self.world.outside]

        def change(verb: str, wanted: list[View]) -> Callable[[], Any]:
            body = {"router": {"external_gateways": wanted}}
            return lambda: self.world.act(f"{verb}_external_gateways", self.router, body)

        record = self.after(change("add", both[1:]))
        networks = [(each.link.network_id, each.number) for each in record.gateways]
        self.assertEqual(networks, [(self.world.outside[0], 1), (self.world.outside[1], 2)])
        record = self.after(change("update", both[::-1]))
        self.assertEqual([(each.link.network_id, each.number) for each in record.gateways], networks[::-1])
        self.assertEqual((record.nexthops, record.gateway_number), (("172.25.0.1",), 2))
        spread: View = {"enable_default_route_ecmp": True}
        record = self.after(lambda: self.bed.update("router", self.router, **spread))
        self.assertTrue(record.enable_default_route_ecmp)
        floating = self.bed.create("floatingip", ALICE, floating_network_id=self.world.outside[0])
        record = self.after(self.leading(floating, self.world.ports[0]))
        self.assertEqual([len(each.floating_ips) for each in record.gateways], [0, 1])
        record = self.after(change("remove", both[1:]))
        self.assertEqual((record.nexthops, record.more_gateways), (("172.24.4.1",), ()))
        self.assertEqual(record.floating_ips[0].floating_ip, floating["floating_ip_address"])

    def test_address_scopes(self) -> None:
        """A subnet of a pool comes, its pool goes into a scope, into another and out; of a name nobody hears."""
        scopes = [self.bed.create("address_scope", ALICE, name="s", ip_version=4)["id"] for _ in range(2)]
        pool = self.bed.create("subnetpool", ALICE, name="p", prefixes=["10.9.0.0/16"], default_prefixlen=24)["id"]
        network = self.bed.create("network", ALICE)["id"]
        subnet = self.bed.create("subnet", ALICE, network_id=network, ip_version=4, subnetpool_id=pool)["id"]
        record = self.after(lambda: self.world.act("add_router_interface", self.router, {"subnet_id": subnet}))
        self.assertEqual(record.scopes, ())
        for scope in (*scopes, None):
            changes: View = {"address_scope_id": scope}
            record = self.after(lambda: self.bed.update("subnetpool", pool, ALICE, **changes))  # noqa: B023 # it is done at once
            self.assertEqual([each.ipv4_scope for each in record.scopes], [scope] if scope else [])
        self.expect_silence(lambda: self.bed.update("subnetpool", pool, ALICE, name="q"))

    def test_interfaces(self) -> None:
        """Made, of a port that was there, and taken away."""
        body = {"subnet_id": self.world.inside[1][1]}
        record = self.after(lambda: self.world.act("add_router_interface", self.router, body))
        self.assertEqual(len(record.interfaces), 2)
        adopted = {"port_id": self.world.ports[2]}
        record = self.after(lambda: self.world.act("add_router_interface", self.router, adopted))
        self.assertIn(self.world.ports[2], [each.port_id for each in record.interfaces])
        for gone in (body, adopted):
            record = self.after(self.removal(gone))
        self.assertEqual(len(record.interfaces), 1)

    def test_floating_ips(self) -> None:
        """Made, led elsewhere, let go, led again, and deleted; of one that leads nowhere nobody hears."""
        floating = self.bed.create("floatingip", ALICE, floating_network_id=self.world.outside[0])
        self.world.tell()
        self.assertEqual(self.world.told, [])
        self.expect_silence(lambda: self.bed.update("floatingip", floating["id"], ALICE, description="d"))
        for port_id, led in ((self.world.ports[0], 1), (None, 0), (self.world.ports[0], 1)):
            record = self.after(self.leading(floating, port_id))
            self.assertEqual(len(record.floating_ips), led)
        self.assertEqual(record.floating_ips[0].floating_ip, floating["floating_ip_address"])
        record = self.after(lambda: self.bed.delete("floatingip", floating["id"], ALICE))
        self.assertEqual(record.floating_ips, ())

    def test_port_forwardings(self) -> None:
        """Made, changed, and deleted by itself or with the port; of a description nobody hears."""
        floating = self.bed.create("floatingip", ALICE, floating_network_id=self.world.outside[0])
        self.world.tell()
        made: list[View] = []
        record = self.after(lambda: made.append(self.world.forward(floating["id"], 0, 80)))
        address = self.bed.show("port", self.world.ports[0])["fixed_ips"][0]["ip_address"]
        led = ForwardedPorts(floating["floating_ip_address"], "tcp", 80, 80, address, 80, 80)
        self.assertEqual((record.forwarded, record.floating_ips), ((led,), ()))
        where = {"parent": floating["id"]}
        (one,) = made
        self.expect_silence(lambda: self.bed.update("port_forwarding", one["id"], ALICE, description="d", **where))
        changes: View = {"external_port_range": "90:99", "internal_port_range": "190:199"}
        record = self.after(lambda: self.bed.update("port_forwarding", one["id"], ALICE, **where, **changes))
        self.assertEqual(record.forwarded, (ForwardedPorts(led.floating_ip, "tcp", 90, 99, address, 190, 199),))
        record = self.after(lambda: self.world.forward(floating["id"], 0, 80))
        self.assertEqual([each.first_port for each in record.forwarded], [80, 90])
        record = self.after(lambda: self.bed.delete("port_forwarding", one["id"], ALICE, **where))
        self.assertEqual(record.forwarded, (led,))
        record = self.after(lambda: self.bed.delete("port", self.world.ports[0], ALICE))
        self.assertEqual(record.forwarded, ())

    def test_conntrack_helpers(self) -> None:
        """In order, each with all that is said of it."""
        parent = {"parent": self.router}
        said: View = {"protocol": "udp", "port": 69, "helper": "tftp"}
        record = self.after(lambda: self.bed.create("conntrack_helper", ALICE, **parent, **said))
        self.assertEqual(record.helped, (HelpedPort("udp", 69, "tftp"),))
        said = {"protocol": "tcp", "port": 21, "helper": "ftp"}
        made: list[View] = []
        record = self.after(lambda: made.append(self.bed.create("conntrack_helper", ALICE, **parent, **said)))
        self.assertEqual(record.helped, (HelpedPort("tcp", 21, "ftp"), HelpedPort("udp", 69, "tftp")))
        record = self.after(lambda: self.bed.update("conntrack_helper", made[0]["id"], ALICE, **parent, port=20))
        self.assertEqual(record.helped[0].port, 20)
        record = self.after(lambda: self.bed.delete("conntrack_helper", made[0]["id"], ALICE, **parent))
        self.assertEqual(record.helped, (HelpedPort("udp", 69, "tftp"),))

    def test_ndp_proxies(self) -> None:
        """Made, and deleted by itself or with the port; of a name nobody hears; who answers no more has none."""
        scope = self.bed.create("address_scope", name="world", shared=True, ip_version=6)["id"]
        pool: View = {"address_scope_id": scope, "prefixes": ["2001:db8::/48"], "default_prefixlen": 64}
        pool_id = self.bed.create("subnetpool", shared=True, name="all", **pool)["id"]
        of_pool: View = {"ip_version": 6, "subnetpool_id": pool_id}
        outside, inside = self.bed.create("network", router__external=True)["id"], self.world.inside[0][0]
        self.bed.create("subnet", network_id=outside, **of_pool)
        subnet = self.bed.create("subnet", ALICE, network_id=inside, **of_pool)["id"]
        port = self.bed.create("port", ALICE, network_id=inside)["id"]
        self.world.act("add_router_interface", self.router, {"subnet_id": subnet})
        said: View = {"external_gateway_info": {"network_id": outside}, "enable_ndp_proxy": True}
        record = self.after(lambda: self.bed.update("router", self.router, ALICE, **said))
        self.assertEqual((record.enable_ndp_proxy, record.proxied), (True, ()))
        made: list[View] = []
        named: View = {"router_id": self.router, "port_id": port}
        record = self.after(lambda: made.append(self.bed.create("ndp_proxy", ALICE, **named)))
        self.assertEqual(record.proxied, (made[0]["ip_address"],))
        self.expect_silence(lambda: self.bed.update("ndp_proxy", made[0]["id"], ALICE, name="n"))
        record = self.after(lambda: self.bed.update("router", self.router, ALICE, enable_ndp_proxy=False))
        self.assertEqual((record.enable_ndp_proxy, record.proxied), (False, ()))
        record = self.after(lambda: self.bed.update("router", self.router, ALICE, enable_ndp_proxy=True))
        self.assertEqual((record.enable_ndp_proxy, len(record.proxied)), (True, 1))
        record = self.after(lambda: self.bed.delete("ndp_proxy", made[0]["id"], ALICE))
        self.assertEqual(record.proxied, ())
        self.assertEqual(len(self.after(lambda: self.bed.create("ndp_proxy", ALICE, **named)).proxied), 1)
        self.assertEqual(self.after(lambda: self.bed.delete("port", port, ALICE)).proxied, ())

    def test_limits(self) -> None:
        """Of floating IPs that lead somewhere and of the gateway, by their policies or those of the network."""
        policy = self.bed.create("policy", name="p", shared=True)["id"]
        rule = self.bed.create("bandwidth_limit_rule", parent=policy, max_kbps=100)["id"]
        info: View = {"network_id": self.world.outside[0], "qos_policy_id": policy}
        record = self.after(lambda: self.bed.update("router", self.router, ALICE, external_gateway_info=info))
        assert record.gateway is not None
        own = record.gateway.addresses[0].partition("/")[0]
        self.assertEqual(record.limits, (AddressLimit(own, "egress", 100),))
        more: View = {"max_kbps": 200, "max_burst_kbps": 300}
        record = self.after(lambda: self.bed.update("bandwidth_limit_rule", rule, parent=policy, **more))
        self.assertEqual(record.limits, (AddressLimit(own, "egress", 200, 300),))
        said: View = {"floating_network_id": self.world.outside[0], "port_id": self.world.ports[0]}
        record = self.after(lambda: self.bed.create("floatingip", ALICE, qos_policy_id=policy, **said))
        address = record.floating_ips[0].floating_ip
        self.assertEqual({each.address for each in record.limits}, {own, address})
        record = self.after(lambda: self.bed.delete("bandwidth_limit_rule", rule, parent=policy))
        self.assertEqual(record.limits, ())
        other = self.bed.create("policy", name="q", shared=True)["id"]
        self.bed.create("bandwidth_limit_rule", parent=other, max_kbps=5, direction="ingress")
        self.bed.create("packet_rate_limit_rule", parent=other, max_kpps=5)
        floating = self.bed.listed("floatingip", ALICE)[0]["id"]
        self.bed.update("floatingip", floating, ALICE, qos_policy_id=None)
        record = self.after(lambda: self.bed.update("network", self.world.outside[0], qos_policy_id=other))
        self.assertEqual(record.limits, (AddressLimit(address, "ingress", 5),))

    def test_meters(self) -> None:
        """Labels of the project and shared ones, with their rules; others' are none of this router's."""
        label = self.bed.create("metering_label", name="mine", project_id="alice")["id"]
        shared: list[View] = []
        self.after(lambda: shared.append(self.bed.create("metering_label", name="all", shared=True)))
        said: View = {"metering_label_id": label, "remote_ip_prefix": "10.0.0.0/24"}
        made: list[View] = []
        record = self.after(
            lambda: made.append(self.bed.create("metering_label_rule", direction="egress", excluded=True, **said))
        )
        mine = Meter(label, (MeterRule("egress", "10.0.0.0/24", True),))
        self.assertEqual(
            {each.label_id: each for each in record.meters}, {label: mine, shared[0]["id"]: Meter(shared[0]["id"])}
        )
        record = self.after(lambda: self.bed.delete("metering_label_rule", made[0]["id"]))
        self.assertIn(Meter(label), record.meters)
        self.assertEqual(self.after(lambda: self.bed.delete("metering_label", label)).meters, (Meter(shared[0]["id"]),))
        self.bed.create("metering_label", name="his", project_id="bob")
        self.world.tell()
        self.assertEqual(self.world.told, [])

    def test_a_floating_ip_whose_port_goes(self) -> None:
        """It leads nowhere then."""
        said = {"floating_network_id": self.world.outside[0], "port_id": self.world.ports[0]}
        record = self.after(lambda: self.bed.create("floatingip", ALICE, **said))
        self.assertEqual(len(record.floating_ips), 1)
        record = self.after(lambda: self.bed.delete("port", self.world.ports[0], ALICE))
        self.assertEqual(record.floating_ips, ())

    def test_networks_and_subnets(self) -> None:
        """A disabled network carries nothing; the MTU and the gateway of a subnet are those of now."""
        inside, outside = self.world.inside[0][0], self.world.outside[0]
        record = self.after(lambda: self.bed.update("network", inside, ALICE, admin_state_up=False))
        self.assertEqual(record.interfaces, ())
        self.after(lambda: self.bed.update("network", inside, ALICE, admin_state_up=True))
        record = self.after(lambda: self.bed.update("network", inside, mtu=1280))
        self.assertEqual(record.interfaces[0].mtu_bytes, 1280)
        (subnet,) = self.bed.listed("subnet", network_id=(outside,))
        record = self.after(lambda: self.bed.update("subnet", subnet["id"], gateway_ip=None))
        self.assertEqual(record.nexthops, ())

    def test_the_server_of_a_network(self) -> None:
        """It is advertised where a subnet names none, and as it is now."""
        modes = {"ipv6_ra_mode": "dhcpv6-stateful", "ipv6_address_mode": "dhcpv6-stateful"}
        network = self.world.inside[0][0]
        subnet = self.bed.create("subnet", ALICE, network_id=network, ip_version=6, cidr="fd00:1::/64", **modes)
        record = self.after(lambda: self.world.act("add_router_interface", self.router, {"subnet_id": subnet["id"]}))
        self.assertEqual(self.servers(record), self.addresses_of_dhcp(network))
        servers = self.servers(record)
        for prefix in range(2, 10):
            more: dict[str, Any] = {**modes, "network_id": network, "ip_version": 6, "cidr": f"fd00:0:{prefix}::/64"}
            record = self.after(partial(self.bed.create, "subnet", ALICE, **more))
            self.assertEqual(self.servers(record), servers if prefix < 9 else ())
        for named in ("fd00::53", "::"):
            said: dict[str, Any] = {"dns_nameservers": [named]}
            record = self.after(partial(self.bed.update, "subnet", subnet["id"], ALICE, **said))
            self.assertEqual(self.servers(record), () if named == "::" else (named,))

    def servers(self, record: RouterRecord) -> tuple[str, ...]:
        """Return the DNS servers that a router advertises."""
        links = (each for link in record.interfaces for each in link.advertised)
        return tuple(server for each in links for server in each.dns_nameservers)

    def addresses_of_dhcp(self, network_id: str) -> tuple[str, ...]:
        """Return the addresses of IPv6 that a network has for DHCP."""
        (port,) = self.bed.listed("port", network_id=(network_id,), device_owner=("network:dhcp",))
        found = tuple(each["ip_address"] for each in port["fixed_ips"] if ":" in each["ip_address"])
        self.assertEqual(len(found), 1)
        return found

    def test_other_subnets_of_an_outside(self) -> None:
        """They are on its link; where subnets are of segments those of its own are."""
        outside: View = {"network_id": self.world.outside[0], "ip_version": 4}
        (own,) = self.bed.listed("subnet", network_id=(outside["network_id"],))
        record = self.after(lambda: self.bed.create("subnet", cidr="198.18.0.0/24", **outside))
        (gateway,) = self.bed.listed("port", device_owner=("network:router_gateway",))
        beside = (LinkNeighbours(gateway["id"], ("198.18.0.0/24",)),)
        self.assertEqual(record.beside, beside)
        (other,) = self.bed.listed("subnet", cidr=("198.18.0.0/24",))
        made = [self.segment(outside["network_id"], number) for number in (7, 8)]
        for subnet_id, segment_id, found in (
            (other["id"], made[0], ()),
            (own["id"], made[1], ()),
            (own["id"], made[0], beside),
        ):
            segmented = update(subnets).where(subnets.c.id == subnet_id).values(segment_id=segment_id)
            self.bed.connection.execute(segmented)
            now = routers_by_id(self.bed.connection, (self.router,))[self.router]
            self.assertEqual(router_record(now, 1).beside, found)
        self.bed.connection.execute(update(subnets).values(segment_id=None))
        record = self.after(lambda: self.bed.delete("subnet", other["id"]))
        self.assertEqual(record.beside, ())

    def segment(self, network_id: str, number: int) -> str:
        """Make a segment; return its id."""
        said: View = {"network_type": "vlan", "physical_network": "physnet1", "segmentation_id": number}
        return str(self.bed.create("segment", network_id=network_id, **said)["id"])

    def test_a_disabled_port(self) -> None:
        """It carries nothing."""
        (gateway,) = self.bed.listed("port", device_owner=("network:router_gateway",))
        record = self.after(lambda: self.bed.update("port", gateway["id"], admin_state_up=False))
        self.assertIsNone(record.gateway)

    def test_what_hosts_need_not_know(self) -> None:
        """Names, tags, other ports, and statuses; of subnets that are not outside nobody is told."""
        self.bed.network_with_subnet("10.9.0.0/24", ALICE)
        self.world.tell()
        self.assertEqual([each for each in self.world.told if each.role == "l3"], [])
        self.expect_silence(lambda: self.bed.update("router", self.router, ALICE, name="n", description="d"))
        path = "routers/<resource_id>/tags"
        tags = {"tags": ["red"]}
        self.expect_silence(lambda: self.bed.act("PUT", path, tags, ALICE, resource_id=self.router))
        self.expect_silence(lambda: self.bed.update("network", self.world.inside[0][0], ALICE, name="n"))
        self.expect_silence(lambda: self.bed.create("port", ALICE, network_id=self.world.inside[0][0]))
        (gateway,) = self.bed.listed("port", device_owner=("network:router_gateway",))
        self.expect_silence(lambda: self.bed.update("port", gateway["id"], name="n"))


class GoneTests(RouterHostCase):
    """Hosts that need not know a router any longer."""

    def test_a_deleted_one(self) -> None:
        """They hear that it is deleted."""
        self.world.act("remove_router_interface", self.router, {"subnet_id": self.world.inside[0][1]})
        self.bed.delete("router", self.router, ALICE)
        self.world.tell()
        self.assertEqual((self.world.has("a"), self.world.must_have("a")), (set(), set()))
        self.assertTrue(self.world.known["a"].was_deleted(RouterRecord.kind, self.router))
        self.assertEqual({each.host for each in self.world.told}, {"a"})

    def test_in_pieces(self) -> None:
        """However the journal is cut."""
        self.world.act("remove_router_interface", self.router, {"subnet_id": self.world.inside[0][1]})
        self.bed.delete("router", self.router, ALICE)
        while self.world.rows():
            self.world.tell(1)
        self.assertEqual(self.world.has("a"), set())

    def test_one_that_waited_for_a_host(self) -> None:
        """Is told to the first that reports."""
        self.bed.connection.execute(update(routers).values(host=""))
        self.world.hear("b")
        self.world.tell()
        self.assertEqual(self.world.has("b"), self.world.must_have("b"))
        self.assertEqual(len(self.world.has("b")), 1)


class CostTests(RouterHostCase):
    """What has nothing to do with routers costs nothing of them."""

    def asked(self) -> list[str]:
        """Tell hosts of what is next; return the statements that read routers."""
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if "router" in statement or "floating" in statement:
                asked.append(statement)

        event.listen(self.bed.connection.engine, "before_cursor_execute", note)
        try:
            self.world.tell()
        finally:
            event.remove(self.bed.connection.engine, "before_cursor_execute", note)
        return asked

    def test_other_ports_ask_nothing(self) -> None:
        """Neither do subnets and networks that come and go."""
        network, subnet = self.bed.network_with_subnet("10.9.0.0/24", ALICE)
        port = self.bed.create("port", network_id=network, binding__host_id="a")
        self.bed.update("port", port["id"], admin_state_up=False)
        self.bed.delete("port", port["id"])
        self.bed.delete("subnet", subnet)
        self.bed.delete("network", network)
        self.assertEqual(self.asked(), [])

    def test_a_network_asks_once(self) -> None:
        """Whether a router stands in it, however many they are."""
        for network, _ in self.world.inside[1:]:
            self.bed.update("network", network, mtu=1280)
        self.assertEqual(len(self.asked()), 1)

    def test_a_digest_says_what_it_is_and_not_when_it_was_read(self) -> None:
        """Or comparisons would never be equal."""
        (record,) = self.world.has("a")
        self.assertEqual(digest_record(record), digest_record(evolve(record, version=9)))
        self.assertNotEqual(digest_record(record), digest_record(evolve(record, enable_snat=False)))

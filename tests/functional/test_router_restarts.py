"""Routers while quantumd or the switch goes and comes back, and while strangers change them."""

from __future__ import annotations

import os
import signal
import time

from tests.bed.counts import count
from tests.bed.figures import note
from tests.bed.load import Behind, EchoStream
from tests.bed.openvswitch import run
from tests.bed.routed import RouterCase
from tests.bed.talk import Server, Talk

REPAIR_SECONDS = 5.0
ECHOES_PER_SECOND = 100


class RouterHost(RouterCase):
    """A VM behind a router, with a floating IP, and the world."""

    def setUp(self) -> None:
        """Make them; both ways are open."""
        super().setUp()
        self.network, self.outside = self.make_network("10.0.0.0/24"), self.make_outside()
        self.router = self.make_router(self.network, outside=self.outside)
        self.guest, self.world = self.open_guest(self.network), self.open_guest(self.outside)
        self.floating = str(self.make_floating(self.outside, self.guest)["floating_ip_address"])
        self.assertTrue(self.world.can_reach(self.floating))
        self.assertTrue(self.guest.can_reach(self.world.ip))

    def echoes(self) -> EchoStream:
        """Return a stream of pings from the world to the floating IP."""
        path = f"/v2.0/ports?device_id={self.router['id']}&device_owner=network:router_gateway"
        mac = self.appliance.request("GET", path).body["ports"][0]["mac_address"]
        return EchoStream(ECHOES_PER_SECOND, source=self.world, target=Behind(self.floating, mac))

    @property
    def namespace(self) -> str:
        """The router's."""
        return self.namespace_of(self.router)


class RestartTests(RouterHost):
    """Nothing is lost."""

    def test_restarts_of_quantumd_lose_no_packet_and_no_connection(self) -> None:
        """Pings to the floating IP, TCP in and out; devices and rules are the same ones afterwards."""
        restarts = count(2, 10)
        before = self.inside_router(self.router, "ip", "-o", "link"), self.rules()
        with (
            Server(self.guest),
            Server(self.world),
            Talk(self.world, self.floating) as coming,
            Talk(self.guest, self.world.ip) as leaving,
            self.echoes() as echoes,
        ):
            for number in range(restarts):
                if number % 2:
                    self.appliance.kill()
                    self.appliance.start("/readyz")
                else:
                    self.appliance.restart("/readyz")
                time.sleep(0.5)
            self.assertEqual((coming.seen_as(), leaving.seen_as()), (self.world.ip, self.floating))
        note(f"{restarts} restarts: {echoes.lost} of {echoes.sent} pings through NAT lost, no connection")
        self.assertEqual(echoes.lost, 0)
        self.assertGreater(echoes.sent, 100)
        self.assertEqual((self.inside_router(self.router, "ip", "-o", "link"), self.rules()), before)

    def rules(self) -> str:
        """Return the router's filters, with the handles by which the kernel knows each."""
        return self.inside_router(self.router, "nft", "-a", "list", "ruleset")

    def test_a_restart_of_the_switch_is_repaired(self) -> None:
        """Its devices are the same; the switch has them back with its database."""
        self.ovs.kill("ovs-vswitchd")
        self.ovs.start_vswitchd()
        self.wait_for("both ways are open", lambda: self.world.can_reach(self.floating, tries=1), 20)

    def test_what_happened_meanwhile_is_done_at_the_start(self) -> None:
        """A router that nobody wants any more goes, one whose namespace is gone is made anew."""
        self.appliance.stop()
        run("ip", "netns", "del", self.namespace)
        unknown = self.namespace_of({"id": "00000000-0000-4000-8000-000000000001"})
        run("ip", "netns", "add", unknown)
        self.appliance.start("/readyz")
        self.wait_for("both ways are open", lambda: self.world.can_reach(self.floating, tries=1))
        self.wait_for("the other is gone", lambda: unknown not in run("ip", "netns"))


class StrangerTests(RouterHost):
    """What others change is set right, logged and counted."""

    def expect_repaired(self, *command: str, what: str, inside: bool = True) -> None:
        """Run a command that breaks the router; both ways are open again soon."""
        logged = len(self.appliance.log())
        if inside:
            self.inside_router(self.router, *command)
        else:
            run(*command)
        began = time.monotonic()
        self.wait_for("it was noticed", lambda: "set right" in self.appliance.log()[logged:], REPAIR_SECONDS)
        self.wait_for("in again", lambda: self.world.can_reach(self.floating, tries=1), REPAIR_SECONDS)
        self.wait_for("out again", lambda: self.guest.can_reach(self.world.ip, tries=1), REPAIR_SECONDS)
        note(f"{what} → both ways open: {time.monotonic() - began:.2f} s")

    def test_flushed_filters(self) -> None:
        """All of them."""
        self.expect_repaired("nft", "flush", "ruleset", what="filters flushed")

    def test_one_rule_gone(self) -> None:
        """Of a chain that is still there."""
        self.expect_repaired("nft", "flush", "chain", "inet", "quantumd", "prerouting", what="a chain flushed")

    def test_a_route_gone(self) -> None:
        """The default route."""
        self.expect_repaired("ip", "route", "del", "default", what="the default route deleted")

    def test_addresses_gone(self) -> None:
        """Those of the gateway."""
        device = f"qg-{self.gateway_port()[:11]}"
        self.expect_repaired("ip", "address", "flush", "dev", device, what="addresses flushed")

    def test_a_device_gone(self) -> None:
        """With the end that is in the switch."""
        self.expect_repaired("ip", "link", "del", f"qg-{self.gateway_port()[:11]}", what="a device deleted")

    def test_a_device_gone_while_the_switch_is_busy(self) -> None:
        """The switch sees only then that there is another device, which has the name of the one that it had."""
        device = f"qg-{self.gateway_port()[:11]}"
        before = self._index_of(device)
        os.kill(self.ovs.pid("ovs-vswitchd"), signal.SIGSTOP)
        try:
            self.inside_router(self.router, "ip", "link", "del", device)
            self.wait_for("there is another one", lambda: self._index_of(device) not in ("", before), REPAIR_SECONDS)
            time.sleep(0.2)
        finally:
            os.kill(self.ovs.pid("ovs-vswitchd"), signal.SIGCONT)
        self.wait_for("in again", lambda: self.world.can_reach(self.floating, tries=1))
        self.wait_for("out again", lambda: self.guest.can_reach(self.world.ip, tries=1))

    def _index_of(self, device: str) -> str:
        links = self.inside_router(self.router, "ip", "-o", "link").splitlines()
        return next((line.partition(":")[0] for line in links if f" {device}@" in line), "")

    def test_a_namespace_that_lost_its_name(self) -> None:
        """What goes through it does not notice."""
        with self.echoes() as echoes:
            self.expect_repaired("ip", "netns", "del", self.namespace, what="the namespace deleted", inside=False)
        self.assertEqual(echoes.lost, 0)
        self.assertIn(self.namespace, run("ip", "netns"))

    def test_a_port_of_the_switch_gone(self) -> None:
        """The router's way into a network."""
        device = f"tap{self.gateway_port()[:11]}"
        self.ovs.vsctl("del-port", "br-int", device)
        self.wait_for("in again", lambda: self.world.can_reach(self.floating, tries=1), REPAIR_SECONDS)

    def gateway_port(self) -> str:
        """Return the id of the port by which the router reaches the outside."""
        path = f"/v2.0/ports?device_id={self.router['id']}&device_owner=network:router_gateway"
        return str(self.appliance.request("GET", path).body["ports"][0]["id"])

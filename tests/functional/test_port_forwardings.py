"""What comes in by ports of floating IPs, with real packets."""

from __future__ import annotations

import itertools
import subprocess
from contextlib import ExitStack

from tests.bed.datagrams import DatagramServer, DatagramTalk
from tests.bed.host import Guest
from tests.bed.routed import RouterCase
from tests.bed.sctp import SctpServer, begins_association
from tests.bed.talk import Server, Talk

END_SECONDS = 1.5
"""Within a second, and half a second of waiting for an answer that does not come."""


class ForwardingHost(RouterCase):
    """Two VMs behind a router, a floating IP that leads to none of them as a whole, and the world."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network, self.outside = self.make_network("10.0.0.0/24"), self.make_outside()
        self.router = self.make_router(self.network, outside=self.outside)
        self.guest, self.other = self.open_guest(self.network), self.open_guest(self.network)
        self.world = self.open_guest(self.outside)
        self.floating = self.make_floating(self.outside)
        self.address = str(self.floating["floating_ip_address"])

    def is_open(self, port: int, client: Guest | None = None) -> bool:
        """Whether somebody answers at a port of the floating IP."""
        try:
            with Talk(client or self.world, self.address, port) as talk:
                return bool(talk.seen_as(1.0))
        except OSError:
            return False

    def rules(self) -> str:
        """Return the router's filters, with the handles by which the kernel knows each."""
        return self.inside_router(self.router, "nft", "-a", "list", "ruleset")


class PacketTests(ForwardingHost):
    """Where they come out."""

    def test_ports_of_one_address_lead_to_two_vms(self) -> None:
        """Each sees who comes; other ports are refused by the router; from inside the gateway's address is seen."""
        self.forward(self.floating, self.guest, "80", "8080")
        self.forward(self.floating, self.other, "81", "8081")
        own = self.router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        with Server(self.guest, 8080), Server(self.other, 8081), Server(self.world):
            self.wait_for("the last leads there", lambda: self.is_open(81))
            for port in (80, 81):
                with Talk(self.world, self.address, port) as talk:
                    self.assertEqual(talk.seen_as(), self.world.ip)
            for port in (82, 8080, 8081):
                self.assertRaises(ConnectionRefusedError, Talk, self.world, self.address, port)
            with Talk(self.guest, self.world.ip) as talk:
                self.assertEqual(talk.seen_as(), own)
            for client in (self.other, self.guest):
                with Talk(client, self.address, 80) as talk:
                    self.assertEqual(talk.seen_as(), own)

    def test_datagrams(self) -> None:
        """The same port of TCP leads elsewhere; and whoever sent in vain before is heard from then on."""
        self.forward(self.floating, self.other, "53", "5353")
        with (
            DatagramServer(self.guest, 5300),
            Server(self.other, 5353),
            DatagramTalk(self.world, self.address, 53) as talk,
        ):
            self.wait_for("TCP leads there", lambda: self.is_open(53))
            self.assertEqual(talk.seen_as(0.3), "")
            self.forward(self.floating, self.guest, "53", "5300", "udp")
            self.wait_for("UDP does too", lambda: talk.seen_as(0.3) == self.world.ip)

    def test_associations(self) -> None:
        """The first packets of SCTP, with right checksums both ways; from a port of its own each time."""
        self.forward(self.floating, self.guest, "36412", "3868", "sctp")
        own_ports = itertools.count(5000)
        with SctpServer(self.guest, 3868), SctpServer(self.other, 3868):

            def is_answered(port: int) -> bool:
                return begins_association(self.world, self.address, port, next(own_ports))

            self.wait_for("it leads there", lambda: is_answered(36412))
            self.assertFalse(is_answered(3868))
            self.assertTrue(begins_association(self.other, self.address, 36412, next(own_ports)))

    def test_pings(self) -> None:
        """The router answers them, unless they are forwarded: then the VM does, or does not; also one that goes on."""
        self.forward(self.floating, self.other, "80", "8080")
        self.wait_for("the router answers", lambda: self.world.can_reach(self.address, tries=1))
        self.other.vm.run("sysctl", "-q", "-w", "net.ipv4.icmp_echo_ignore_all=1")
        self._ping_on()
        made = self.forward(self.floating, self.other, "1", "1", "icmp")
        self.wait_for("the VM is asked", lambda: not self.world.can_reach(self.address, tries=1))
        self.wait_for("the same ping is not answered", lambda: not self._is_tracked("src=" + self.address))
        self.other.vm.run("sysctl", "-q", "-w", "net.ipv4.icmp_echo_ignore_all=0")
        self.wait_for("the VM answers", lambda: self.world.can_reach(self.address, tries=1))
        self.assertTrue(self._is_tracked("src=" + self.other.ip))
        self.remove_forwarding(self.floating, made)
        self.other.vm.run("sysctl", "-q", "-w", "net.ipv4.icmp_echo_ignore_all=1")
        self.wait_for("the router answers again", lambda: self.world.can_reach(self.address, tries=1))
        self.wait_for("nothing goes to the VM", lambda: not self._is_tracked("src=" + self.other.ip))

    def _ping_on(self) -> None:
        """Let the world ping the floating IP until the test ends."""
        command = ("ip", "netns", "exec", self.world.vm.namespace, "ping", "-n", "-q", "-i0.2", self.address)
        pings = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(pings.wait)
        self.addCleanup(pings.kill)

    def _is_tracked(self, text: str) -> bool:
        """Whether the router tracks an echo that is answered so."""
        lines = self.inside_router(self.router, "conntrack", "-L", "-p", "icmp").splitlines()
        return any(text in line.partition(" id=")[2] for line in lines)

    def test_ranges(self) -> None:
        """Each port to itself, each to one that is as far from the first, and all to one."""
        self.forward(self.floating, self.guest, "6000:6002", "6000:6002")
        self.forward(self.floating, self.guest, "7000:7002", "6100:6102")
        self.forward(self.floating, self.other, "8000:8002", "6200:6200")
        with ExitStack() as stack:
            for guest, ports in ((self.guest, (6000, 6001, 6002, 6100, 6101, 6102)), (self.other, (6200,))):
                for port in ports:
                    stack.enter_context(Server(guest, port))
            self.wait_for("the last leads there", lambda: self.is_open(8002))
            for port in (6000, 6001, 6002, 7000, 7001, 7002, 8000, 8001):
                self.assertTrue(self.is_open(port), port)
            for port in (5999, 6003, 6999, 7003, 7999, 8003):
                self.assertFalse(self.is_open(port), port)
        with Server(self.guest, 6101):
            self.assertEqual([port for port in (7000, 7001, 7002) if self.is_open(port)], [7001])

    def test_the_status_is_that_of_the_packets(self) -> None:
        """DOWN, ACTIVE while it forwards, and DOWN; then its address is nobody's."""
        self.assertEqual(self.floating["status"], "DOWN")
        made = self.forward(self.floating, self.guest, "80", "8080")
        with Server(self.guest, 8080):
            self.assertTrue(self.is_open(80))
        self.assertEqual(self.appliance.show("floatingip", self.floating["id"])["router_id"], self.router["id"])
        self.remove_forwarding(self.floating, made)
        now = self.appliance.show("floatingip", self.floating["id"])
        self.assertEqual((now["status"], now["router_id"]), ("DOWN", None))
        self.wait_for("nobody answers", lambda: not self.world.can_reach(self.address, tries=1))
        self.update("floatingip", self.floating["id"], port_id=self.guest.id)
        self.await_floating(self.floating, "ACTIVE")
        with Server(self.guest, 8080):
            self.assertTrue(self.is_open(8080))


class EndTests(ForwardingHost):
    """Connections end with what let them in, and no others."""

    def test_what_is_taken_away_ends_and_nothing_else(self) -> None:
        """One of a floating IP's forwardings goes, one is changed, one gets another description, one stays."""
        made = {80: self.forward(self.floating, self.guest, "80", "8080")}
        made |= {81: self.forward(self.floating, self.guest, "81", "8081")}
        made |= {82: self.forward(self.floating, self.other, "82", "8080")}
        with ExitStack() as stack:
            for guest in (self.guest, self.other):
                for port in (8080, 8081):
                    stack.enter_context(Server(guest, port))
            self.wait_for("the last leads there", lambda: self.is_open(82))
            talks = {port: stack.enter_context(Talk(self.world, self.address, port)) for port in made}
            self.assertEqual({talk.seen_as() for talk in talks.values()}, {self.world.ip})
            self.remove_forwarding(self.floating, made[80])
            self.wait_for("its connection ends", lambda: not talks[80].seen_as(0.5), END_SECONDS)
            self.assertFalse(self.is_open(80))
            self.change_forwarding(self.floating, made[81], description="the same")
            self.assertEqual([port for port, talk in talks.items() if talk.seen_as(1.0)], [81, 82])
            self.change_forwarding(self.floating, made[82], internal_port=8081)
            self.wait_for("its connection ends", lambda: not talks[82].seen_as(0.5), END_SECONDS)
            self.assertTrue(self.is_open(82))
            self.assertTrue(talks[81].seen_as())

    def test_a_floating_ip_beside_them_comes_and_goes(self) -> None:
        """Of the same VM: what comes by its forwarded port goes on, and what came by the other address ends."""
        self.forward(self.floating, self.guest, "80", "8080")
        with Server(self.guest, 8080):
            self.wait_for("it leads there", lambda: self.is_open(80))
            with Talk(self.world, self.address, 80) as forwarded:
                self.assertTrue(forwarded.seen_as())
                other = self.make_floating(self.outside, self.guest)
                with Talk(self.world, other["floating_ip_address"], 8080) as whole:
                    self.assertTrue(whole.seen_as())
                    self.assertTrue(self.is_open(80))
                    self.update("floatingip", other["id"], port_id=None)
                    self.wait_for("its connection ends", lambda: not whole.seen_as(0.5), END_SECONDS)
                self.assertTrue(forwarded.seen_as())

    def test_a_range_that_shrinks_ends_what_it_loses(self) -> None:
        """Those of the ports that it keeps go on, though the kernel has it as another range now."""
        made = self.forward(self.floating, self.guest, "6000:6003", "6000:6003")
        with ExitStack() as stack:
            for port in range(6000, 6004):
                stack.enter_context(Server(self.guest, port))
            self.wait_for("it leads there", lambda: self.is_open(6003))
            talks = {port: stack.enter_context(Talk(self.world, self.address, port)) for port in range(6000, 6004)}
            self.assertTrue(all(talk.seen_as() for talk in talks.values()))
            self.change_forwarding(
                self.floating, made, external_port_range="6001:6002", internal_port_range="6001:6002"
            )
            self.wait_for("that of a lost port ends", lambda: not talks[6003].seen_as(0.5), END_SECONDS)
            self.assertFalse(self.is_open(6003))
            self.assertEqual([port for port, talk in talks.items() if talk.seen_as(1.0)], [6001, 6002])

    def test_a_port_that_goes_takes_its_forwardings_with_it(self) -> None:
        """Those to the other stay."""
        self.forward(self.floating, self.guest, "80", "8080")
        self.forward(self.floating, self.other, "81", "8080")
        with Server(self.other, 8080):
            self.wait_for("it leads there", lambda: self.is_open(81))
            with Talk(self.world, self.address, 81) as talk:
                self.delete("port", self.guest.id)
                shown = self.appliance.show("floatingip", self.floating["id"])["port_forwardings"]
                self.assertEqual([each["external_port"] for each in shown], [81])
                self.assertTrue(talk.seen_as())


class RestartTests(ForwardingHost):
    """Nothing is lost."""

    def test_restarts_of_quantumd_change_nothing(self) -> None:
        """A connection goes on, and the kernel has the same rules and entries."""
        self.forward(self.floating, self.guest, "80", "8080")
        self.forward(self.floating, self.guest, "6000:6003", "6000:6003")
        self.forward(self.floating, self.guest, "7000:7003", "7100:7103")
        self.forward(self.floating, self.other, "8000:8003", "8100")
        with Server(self.guest, 8080):
            self.wait_for("it leads there", lambda: self.is_open(80))
            self.wait_for("all is done", lambda: "8000-8003" in self.rules())
            before = self.rules()
            with Talk(self.world, self.address, 80) as talk:
                self.assertTrue(talk.seen_as())
                self.appliance.restart("/readyz")
                self.assertTrue(talk.seen_as())
                self.appliance.kill()
                self.appliance.start("/readyz")
                self.assertTrue(talk.seen_as())
            self.assertEqual(self.appliance.show("floatingip", self.floating["id"])["status"], "ACTIVE")
            self.assertEqual(self.rules(), before)

    def test_what_was_taken_away_meanwhile_ends_at_the_start(self) -> None:
        """Though the process that let it in is gone: here strangers give a port another target."""
        self.forward(self.floating, self.guest, "80", "8080")
        element = f"{self.address} . tcp . 80 : {self.other.ip} . 8080"
        with Server(self.guest, 8080), Server(self.other, 8080):
            self.wait_for("it leads there", lambda: self.is_open(80))
            self.appliance.stop()
            for verb, what in (("delete", f"{self.address} . tcp . 80"), ("add", element)):
                self.inside_router(
                    self.router, "nft", verb, "element", "inet", "quantumd", "forwarded", f"{{ {what} }}"
                )
            with Talk(self.world, self.address, 80) as talk:
                self.assertTrue(talk.seen_as())
                self.appliance.start("/readyz")
                self.wait_for("it ends", lambda: not talk.seen_as(0.5))
            self.assertTrue(self.is_open(80))

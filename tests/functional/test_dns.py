"""DNS with real packets: dig in namespaces that stand for VMs, asking the server of their own network."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.bed.dhcp_client import udhcpc
from tests.bed.dns_case import DOMAIN, NAMING, DnsCase
from tests.bed.dns_upstream import LIES, SILENT, WELL
from tests.bed.host import Guest


class NamesTests(DnsCase):
    """Names of a network's own ports."""

    def setUp(self) -> None:
        """Two VMs on a network."""
        super().setUp()
        self.network = self.make_network("10.0.0.0/24")
        self.server = self.server_of(self.network)
        self.guest = self.plugged(self.network, dns_name="web", fixed_ips=[{"ip_address": "10.0.0.5"}])

    def asked(self, *words: str) -> str:
        """Return the short answer that the VM gets."""
        return self.dig(self.guest, *words, server=self.server)

    def test_names_and_addresses(self) -> None:
        """By the name of its own, and back; and by the name that follows from an address."""
        self.appliance.create("port", network_id=self.network["id"], fixed_ips=[{"ip_address": "10.0.0.9"}])
        for name in ("web", f"web.{DOMAIN}", f"WEB.{DOMAIN}"):
            self.wait_for(f"{name} is known", lambda name=name: self.asked(name) == "10.0.0.5")  # type: ignore[misc]
        self.assertEqual(self.asked("-x", "10.0.0.5"), f"web.{DOMAIN}.")
        self.wait_for("the other one is known", lambda: self.asked(f"host-10-0-0-9.{DOMAIN}") == "10.0.0.9")
        self.assertEqual(self.asked("-x", "10.0.0.9"), f"host-10-0-0-9.{DOMAIN}.")
        self.assertIn("NXDOMAIN", self.dig(self.guest, "-x", "10.0.0.77", server=self.server, short=False))
        self.assertEqual(self.upstream.asked, [])

    def test_by_tcp(self) -> None:
        """The same."""
        self.wait_for("it answers", lambda: self.asked("+tcp", "web") == "10.0.0.5")

    def test_dhcp_tells_of_it(self) -> None:
        """Where the subnet names no servers."""
        other = self.make_network("10.0.1.0/24", subnet={"dns_nameservers": ["192.0.2.53"]})
        lease = udhcpc(self.guest.vm, self.directory)
        self.assertEqual(lease.dns_servers, (self.server,))
        self.assertEqual(udhcpc(self.plugged(other).vm, self.directory).dns_servers, ("192.0.2.53",))

    def test_changes_are_seen_at_once(self) -> None:
        """Of a port that is called otherwise, comes, or goes; by VMs that asked before."""
        self.wait_for("it is known", lambda: self.asked("web") == "10.0.0.5")
        port = self.appliance.create("port", network_id=self.network["id"], dns_name="db")
        address = port["fixed_ips"][0]["ip_address"]
        for change, name, said in (
            (lambda: None, "db", address),
            (lambda: self.update("port", port["id"], dns_name="store"), "store", address),
            (lambda: self.update("port", port["id"], dns_name="store"), "db", ""),
            (lambda: self.delete("port", port["id"]), "store", ""),
        ):
            change()
            began = time.monotonic()
            self.wait_for(f"{name} is {said}", lambda name=name, said=said: self.asked(name) == said)  # type: ignore[misc]
            self.assertLess(time.monotonic() - began, 1)

    def test_domains(self) -> None:
        """Of the network and of the port, beside that of the settings."""
        self.update("network", self.network["id"], dns_domain="blue.example.")
        self.update("port", self.guest.id, dns_domain="own.example.")
        for domain in (DOMAIN, "blue.example", "own.example"):
            self.wait_for(f"it is in {domain}", lambda domain=domain: self.asked(f"web.{domain}") == "10.0.0.5")  # type: ignore[misc]
        self.assertEqual(self.asked("-x", "10.0.0.5"), "web.own.example.")

    def test_floating_ips(self) -> None:
        """On their own network, in its domain; other names of them are nobody's there but its project's."""
        outer: dict[str, Any] = {"router:external": True, "dns_domain": "out.example."}
        outside = self.make_network("203.0.113.0/24", **outer)
        guest, server = self.plugged(outside), self.server_of(outside)
        wanted = {"floating_network_id": outside["id"], "dns_name": "www"}
        floating = self.appliance.create("floatingip", dns_domain="a.out.example.", project_id="a" * 32, **wanted)
        foreign = self.appliance.create("floatingip", dns_domain="b.small.", project_id="a" * 32, **wanted)
        for made in (floating, foreign):
            self.addCleanup(self.delete, "floatingip", made["id"])
        address = floating["floating_ip_address"]
        self.wait_for("it is known", lambda: self.dig(guest, "www.a.out.example", server=server) == address)
        self.assertEqual(self.dig(guest, "-x", address, server=server), "www.a.out.example.")
        self.assertNotEqual(self.dig(guest, "www.b.small", server=server), foreign["floating_ip_address"])
        back = self.dig(guest, "-x", foreign["floating_ip_address"], server=server)
        self.assertRegex(back, r"^host-203-0-113-\d+\.out\.example\.$")

    def test_a_name_of_several_ports(self) -> None:
        """All addresses are told, and too many only by TCP."""
        for _ in range(40):
            self.appliance.create("port", network_id=self.network["id"], dns_name="many")
        self.wait_for("all are known", lambda: len(self.asked("+tcp", "many").split()) == 40)
        whole = self.dig(self.guest, "+notcp", "+ignore", "+noedns", "many", server=self.server, short=False)
        self.assertIn(" tc ", whole)
        self.assertEqual(len(self.asked("+noedns", "many").split()), 40)


class TenantsTests(DnsCase):
    """Networks with the same addresses."""

    def test_each_sees_its_own(self) -> None:
        """Of two tenants with the same addresses, and other names."""
        networks = [self.make_network("10.0.0.0/24", project_id=each * 32) for each in "ab"]
        ips = [{"ip_address": "10.0.0.5"}]
        one, two = (
            self.plugged(network, dns_name=name, fixed_ips=ips, project_id=network["project_id"])
            for network, name in zip(networks, ("red", "blue"), strict=True)
        )
        server = self.server_of(networks[0])
        self.assertEqual(self.server_of(networks[1]), server)
        for guest, own, other in ((one, "red", "blue"), (two, "blue", "red")):
            self.wait_for("it is answered", lambda guest=guest, own=own: self.dig(guest, own, server=server) != "")  # type: ignore[misc]
            self.assertEqual(self.dig(guest, own, server=server), "10.0.0.5")
            self.assertEqual(self.dig(guest, "-x", "10.0.0.5", server=server), f"{own}.{DOMAIN}.")
            self.assertEqual(self.dig(guest, other, server=server), "")
            self.assertEqual(self.dig(guest, "+tcp", own, server=server), "10.0.0.5")

    def test_a_stolen_address(self) -> None:
        """Who sends by its neighbour's address is answered nothing, guarded or not."""
        network = self.make_network("10.0.0.0/24")
        server, victim = self.server_of(network), self.plugged(network)
        for attributes in ({}, {"port_security_enabled": False, "security_groups": []}):
            thief = self.plugged(network, **attributes)
            self.wait_for("it is answered", lambda thief=thief: self.dig(thief, "a.small", server=server) != "")  # type: ignore[misc]
            thief.vm.run("ip", "address", "add", f"{victim.ip}/32", "dev", "eth0")
            for way in ("+notcp", "+tcp"):
                self.assertIn("timed out", self._stolen(thief, victim.ip, server, way))

    def _stolen(self, thief: Guest, address: str, server: str, way: str) -> str:
        return self.dig(thief, "-b", address, way, "+time=1", "a.small", server=server, short=False)

    def test_two_subnets(self) -> None:
        """Each with a server of its own, which answers from where it was asked."""
        network = self.make_network("10.0.0.0/24", "10.0.1.0/24")
        (port,) = self.dhcp_ports(network)
        guest = self.plugged(network, dns_name="web", fixed_ips=[{"ip_address": "10.0.0.5"}])
        guest.vm.run("ip", "route", "add", "10.0.1.0/24", "dev", "eth0")
        for fixed_ip in port["fixed_ips"]:
            server = fixed_ip["ip_address"]
            self.wait_for("it answers", lambda server=server: self.dig(guest, "web", server=server) == "10.0.0.5")  # type: ignore[misc]


class ForwardingTests(DnsCase):
    """What others know."""

    def setUp(self) -> None:
        """A VM."""
        super().setUp()
        network = self.make_network("10.0.0.0/24")
        self.server, self.guest = self.server_of(network), self.plugged(network)
        self.wait_for("it is answered", lambda: self.asked("a.small") == "198.51.100.1")
        self.upstream.asked.clear()

    def asked(self, *words: str, short: bool = True) -> str:
        """Return the answer that the VM gets."""
        return self.dig(self.guest, *words, server=self.server, short=short)

    def test_names_of_others(self) -> None:
        """As others say, also that there is none."""
        self.assertEqual(self.asked("b.small"), "198.51.100.1")
        self.assertIn("NXDOMAIN", self.asked("nobody.example", short=False))
        self.assertEqual(self.asked("+tcp", "b.small"), "198.51.100.1")

    def test_big_answers(self) -> None:
        """Are truncated by UDP, and whole by TCP."""
        self.assertIn(" tc ", self.asked("+notcp", "+ignore", "a.big", short=False))
        self.assertEqual(len(self.asked("a.big").split()), 100)
        self.assertEqual([is_tcp for _, is_tcp, _ in self.upstream.asked], [False, False, False, True])

    def test_sizes(self) -> None:
        """Others are asked for no more than fits, and no more than the client takes."""
        for words, size in ((("+bufsize=4096",), 1232), (("+bufsize=800",), 800), (("+noedns",), 512)):
            self.assertEqual(self.asked(*words, "echo.size"), f"192.0.{size // 256}.{size % 256}")

    def test_silence(self) -> None:
        """Is a failure within seconds, and forgotten when it ends."""
        self.upstream.mood = SILENT
        began = time.monotonic()
        self.assertIn("SERVFAIL", self.asked("c.small", short=False))
        self.assertLess(time.monotonic() - began, 2)
        self.upstream.mood = WELL
        self.assertEqual(self.asked("c.small"), "198.51.100.1")

    def test_nobody_there(self) -> None:
        """Is a failure at once."""
        self.upstream.stop()
        began = time.monotonic()
        self.assertIn("SERVFAIL", self.asked("d.small", short=False))
        self.assertLess(time.monotonic() - began, 0.5)
        self.upstream.start()
        self.assertEqual(self.asked("d.small"), "198.51.100.1")

    def test_false_answers(self) -> None:
        """Do not count."""
        self.upstream.mood = LIES
        self.assertEqual(self.asked("e.small"), "198.51.100.1")

    def test_nothing_is_to_be_guessed(self) -> None:
        """Neither the number nor the port that others are asked from."""
        self.upstream.sources.clear()
        for each in range(20):
            self.asked(f"{each}.small")
        self.assertGreater(len({number for _, _, number in self.upstream.asked}), 15)
        self.assertGreater(len(set(self.upstream.sources)), 15)


class SizeTests(DnsCase):
    """Networks with small and large frames."""

    settings: ClassVar[Mapping[str, str]] = {**NAMING, "network.mtu_bytes": "9000"}

    def test_mtus(self) -> None:
        """Answers fit, by UDP and TCP."""
        for mtu in (1280, 9000):
            network = self.make_network("10.0.0.0/24", mtu=mtu)
            guest = self.plugged(network)
            guest.vm.run("ip", "link", "set", "eth0", "mtu", str(mtu))
            server = self.server_of(network)
            self.wait_for("it is answered", lambda: self.dig(guest, "a.small", server=server) != "")  # noqa: B023
            said = self.dig(guest, "+bufsize=8192", "a.big", server=server)
            self.assertEqual(len(said.split()), 100, said)


class LimitTests(DnsCase):
    """What one port may take of the host."""

    settings: ClassVar[Mapping[str, str]] = {
        **NAMING, "dns.rate_per_port": "5", "dns.connections_per_port": "2", "dns.idle_seconds": "1",
    }  # fmt: skip

    def setUp(self) -> None:
        """Two VMs."""
        super().setUp()
        network = self.make_network("10.0.0.0/24")
        self.server = self.server_of(network)
        self.guest, self.other = self.plugged(network), self.plugged(network)
        self.wait_for("they are answered", lambda: self._answers(self.guest) and self._answers(self.other))

    def _answers(self, guest: Guest) -> bool:
        return self.dig(guest, "+time=1", "a.small", server=self.server) != ""

    def test_questions(self) -> None:
        """More than its share are dropped; others are answered."""
        script = (
            "import socket\n"
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            f"s.connect(('{self.server}', 53)); s.settimeout(1)\n"
            "q = b'\\0\\0\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\4host\\0\\0\\1\\0\\1'\n"
            "[s.send(q) for _ in range(100)]\n"
            "n = 0\n"
            "try:\n"
            "    while s.recv(512): n += 1\n"
            "except OSError: print(n)\n"
        )
        count = int(self.guest.vm.run(sys.executable, "-c", script))
        self.assertTrue(self._answers(self.other))
        self.assertTrue(5 <= count <= 20, count)

    def test_connections(self) -> None:
        """More than its share are ended, and so are those that ask nothing."""
        # One that is ended at once may be so while it is still being opened.
        script = (
            "import socket, time\n"
            "def hold():\n"
            f"  try: return socket.create_connection(('{self.server}', 53), 9)\n"
            "  except ConnectionError: return None\n"
            "def tell(one):\n"
            "  try: print(one.recv(1) if one is not None else 'ended')\n"
            "  except ConnectionError: print('ended')\n"
            "held = [hold() for _ in range(5)]\n"
            "tell(held[4])\n"
            "time.sleep(2)\n"
            "tell(held[0])\n"
        )
        self.assertEqual(self.guest.vm.run(sys.executable, "-c", script).split(), ["ended", "ended"])
        self.assertNotEqual(self.dig(self.guest, "+tcp", "a.small", server=self.server), "")

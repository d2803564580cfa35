"""Metadata with real packets: curl in namespaces that stand for VMs, and one listener for all of them."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from scapy.layers.inet import IP, TCP, fragment
from scapy.layers.l2 import Dot1Q, Ether

from tests.bed.certificates import Authority
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest
from tests.bed.metadata_api import BABBLES, BREAKS, CLOSES, HANGS, PORT, MetadataApi
from tests.bed.metadata_case import ANSWERING, IPV6, MetadataCase, NovaCase
from tests.bed.needs import OVS, missing
from tests.bed.openvswitch import run
from tests.bed.wire import Wire

_REPAIR_SECONDS = 5.0


class WhoAsksTests(NovaCase):
    """Nova is told who asks, and nobody can be told as somebody else."""

    def owned(self, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Create a VM that a server of a project of its own uses."""
        return self.link_guest(network, device_id=str(uuid4()), project_id=uuid4().hex, **attributes)

    def assert_told(self, guest: Guest, said: Mapping[str, Any], address: str) -> None:
        """Nova was told of this VM, and believes it."""
        expected = (guest.port["device_id"], guest.port["project_id"], address, True)
        self.assertEqual(tuple(said[name] for name in ("instance", "project", "address", "is_signed")), expected)

    def test_networks_with_the_same_addresses(self) -> None:
        """Two VMs with the same address, of two projects."""
        one, two = (
            self.owned(self.make_network("10.0.0.0/24"), fixed_ips=[{"ip_address": "10.0.0.5"}]) for _ in range(2)
        )
        for guest in (one, two, one):
            self.assert_told(guest, self.told(guest), "10.0.0.5")

    def test_ipv6(self) -> None:
        """By the address of the link, on networks without any IPv4 too."""
        one, two = (self.owned(self.make_network("fd00:1::/64")) for _ in range(2))
        for guest in (one, two):
            said = self.told(guest, root=IPV6)
            self.assert_told(guest, said, said["address"])
            self.assertTrue(said["address"].startswith("fe80::"))

    def test_behind_a_router(self) -> None:
        """The VM sends to the router's MAC address, and is answered all the same."""
        red, blue = self.make_network("10.0.0.0/24"), self.make_network("10.0.1.0/24")
        self.make_router(red, blue)
        guest = self.routed(red, device_id=str(uuid4()))
        self.assertTrue(guest.can_reach("10.0.0.1"))
        self.assert_told(guest, self.told(guest), guest.ip)

    def test_a_port_without_rules(self) -> None:
        """Security groups are about other ports."""
        guest = self.owned(self.make_network("10.0.0.0/24"), security_groups=[])
        self.assert_told(guest, self.told(guest), guest.ip)

    def test_a_second_address(self) -> None:
        """Nova is told by which one it was asked."""
        ips = [{"ip_address": "10.0.0.5"}, {"ip_address": "10.0.0.6"}]
        guest = self.owned(self.make_network("10.0.0.0/24"), fixed_ips=ips)
        guest.configure(address="10.0.0.6")
        for each in ("10.0.0.5", "10.0.0.6"):
            self.assert_told(guest, self.told(guest, "/latest/", "--interface", each), each)

    def test_a_changed_server(self) -> None:
        """Of a port that another server uses now."""
        guest = self.owned(self.make_network("10.0.0.0/24"))
        self.told(guest)
        other = str(uuid4())
        self.update("port", guest.id, device_id=other)
        self.wait_for("Nova is told of the other one", lambda: self.told(guest)["instance"] == other)

    def test_a_port_that_nothing_uses(self) -> None:
        """Nova is not asked."""
        guest = self.link_guest(self.make_network("10.0.0.0/24"))
        self.assertEqual(self.status(guest, "/"), "404")
        self.assertEqual(self.nova.requests, [])

    def test_what_a_vm_says_of_itself(self) -> None:
        """None of it comes to Nova."""
        guest = self.owned(self.make_network("10.0.0.0/24"))
        lies = [
            f"{name}: a lie"
            for name in (
                "X-Instance-ID", "X_Instance_ID", "x-tenant-id", "X-Tenant_ID", "X-Forwarded-For", "Forwarded",
                "X-Instance-ID-Signature", "X-Metadata-Provider", "X-Metadata-Provider-Signature", "X-Secret",
            )
        ]  # fmt: skip
        options = [word for lie in lies for word in ("-H", lie)]
        said = self.told(guest, "/latest/", *options, "-H", "Connection: X-Secret", "-H", "X-Plain: yes")
        self.assert_told(guest, said, guest.ip)
        (headers,) = self.nova.requests
        self.assertNotIn("a lie", headers.values())
        self.assertEqual(headers["x-plain"], "yes")

    def test_a_stolen_address(self) -> None:
        """Neither a guarded port nor one that is not is answered as its neighbour; it is not answered at all."""
        network = self.make_network("10.0.0.0/24")
        victim = self.owned(network)
        for attributes in ({}, {"port_security_enabled": False, "security_groups": []}):
            thief = self.owned(network, **attributes)
            thief.vm.run("ip", "address", "add", f"{victim.ip}/32", "dev", "eth0")
            self.assertEqual(self.status(thief, "/", "--interface", victim.ip, seconds=1), "000")
            self.assert_told(thief, self.told(thief, "/", "--interface", thief.ip), thief.ip)

    def test_a_stolen_mac_address(self) -> None:
        """And addresses with it."""
        network = self.make_network("10.0.0.0/24", "fd00:1::/64")
        victim, thief = self.owned(network), self.owned(network)
        thief.vm.run("ip", "link", "set", "eth0", "address", victim.mac)
        self.assertEqual(self.status(thief, "/", root=IPV6, seconds=1), "000")
        self.assertEqual(self.status(thief, "/", seconds=1), "000")

    def test_a_sub_port_of_a_trunk(self) -> None:
        """It asks for itself, by its tag; and so does the parent."""
        red, blue = self.make_network("10.0.0.0/24"), self.make_network("10.0.0.0/24")
        parent = self.make_guest(red)
        ips = [{"ip_address": "10.0.0.77"}]
        sub = self.appliance.create("port", network_id=blue["id"], mac_address=parent.mac, fixed_ips=ips)
        subs = [{"port_id": sub["id"], "segmentation_type": "vlan", "segmentation_id": 101}]
        self.appliance.create("trunk", port_id=parent.id, sub_ports=subs)
        self.plug(parent)
        parent.configure()
        self.look_on_link(parent)
        self.assertEqual(self.status(parent, "/"), "404")
        syn = IP(src="10.0.0.77", dst="169.254.169.254") / TCP(sport=4000, dport=80, flags="S")
        asking = bytes(Ether(src=parent.mac, dst="0e:51:a9:fe:a9:fe") / Dot1Q(vlan=101) / syn)
        to_sub_port = b"\xa9\xfe\xa9\xfe\x0a\x00\x00\x4d"
        with Wire(parent.vm.namespace) as wire:

            def is_answered() -> bool:
                wire.send(asking)
                time.sleep(0.2)
                return any(to_sub_port in each for each in wire.received())

            self.wait_for("the sub-port is answered", is_answered)

    def test_fragments(self) -> None:
        """Are never answered: what a later one belongs to nobody sees."""
        guest = self.owned(self.make_network("10.0.0.0/24"))
        self.told(guest)
        self.nova.requests.clear()
        packet = IP(src=guest.ip, dst="169.254.169.254") / TCP(sport=4000, dport=80, flags="S") / bytes(64)
        before = self._entered()
        with Wire(guest.vm.namespace) as wire:
            for each in fragment(packet, 40):
                wire.send(bytes(Ether(src=guest.mac, dst="0e:51:a9:fe:a9:fe") / each))
            time.sleep(0.5)
        self.assertEqual(self._entered(), before)

    def _entered(self) -> str:
        """How much went into the place of services."""
        return run("ip", "netns", "exec", self.place, "cat", "/proc/net/dev").split("services:")[1].split()[1]


class NovaTests(NovaCase):
    """What comes between a VM and Nova."""

    def setUp(self) -> None:
        """Plug a VM of a server."""
        super().setUp()
        self.guest = self.link_guest(self.make_network("10.0.0.0/24"), device_id=str(uuid4()))

    def test_paths_and_queries_are_passed_on(self) -> None:
        """As they are."""
        self.assertEqual(self.told(self.guest, "/latest/a%20b?c=d")["path"], "/latest/a%20b?c=d")

    def test_large_bodies(self) -> None:
        """Both ways; with a length, and in chunks."""
        body = bytes(range(256)) * 8_000
        file = Path(self.directory) / "body"
        file.write_bytes(body)
        said = self.told(self.guest, "/", "--data-binary", f"@{file}")
        self.assertEqual((said["body"], said["digest"]), (len(body), sha256(body).hexdigest()))
        for path in ("/large/20000000", "/chunked/3000000", "/large/0", "/chunked/0"):
            self.assertEqual(len(self.ask(self.guest, path)), int(path.rpartition("/")[2]))

    def test_one_connection_for_many_requests(self) -> None:
        """curl keeps it."""
        urls = ["http://169.254.169.254/latest/"] * 20
        out = self.guest.vm.run("curl", "-sS", "-w", "%{num_connects}\n", "-o", "/dev/null", *_each(urls))
        self.assertEqual(sum(map(int, out.split())), 1)

    def test_too_large_a_body(self) -> None:
        """Is refused before it comes."""
        file = Path(self.directory) / "body"
        file.write_bytes(bytes(3_000_001))
        self.assertEqual(self.status(self.guest, "/", "--data-binary", f"@{file}"), "413")
        self.assertEqual(self.status(self.guest, "/", "-H", "Transfer-Encoding: chunked", "-d", "x"), "411")
        self.assertEqual(self.status(self.guest, "/", "-H", f"X-Much: {'x' * 17_000}"), "431")
        self.assertEqual(self.nova.requests, [])

    def test_a_slow_nova(self) -> None:
        """Is given up."""
        self.nova.mood = HANGS
        began = time.monotonic()
        self.assertEqual(self.status(self.guest, "/", seconds=10), "504")
        self.assertLess(time.monotonic() - began, 4)

    def test_a_nova_that_makes_no_sense(self) -> None:
        """Is told as such; a body that breaks off breaks off for the VM too."""
        for mood in (CLOSES, BABBLES):
            self.nova.mood = mood
            self.assertEqual(self.status(self.guest, "/"), "502")
        self.nova.mood = BREAKS
        answer = self.guest.vm.run("sh", "-c", "curl -s -o /dev/null http://169.254.169.254/large/100000; echo $?")
        self.assertNotEqual(answer.strip(), "0")

    def test_a_dead_nova(self) -> None:
        """And one that is there again, without a restart of anything."""
        self.told(self.guest)
        self.nova.stop()
        self.assertEqual(self.status(self.guest, "/"), "502")
        self.nova.start()
        self.assertEqual(self.status(self.guest, "/"), "200")

    def test_who_reads_nothing_holds_nobody_up(self) -> None:
        """Ten VMs' worth of answers that nobody takes: others are answered meanwhile, and these are cut off."""
        other = self.link_guest(self.make_network("10.0.0.0/24"), device_id=str(uuid4()))
        script = (
            "import socket, time\n"
            "held = [socket.create_connection(('169.254.169.254', 80)) for _ in range(10)]\n"
            "[each.sendall(b'GET /large/20000000 HTTP/1.1\\r\\n\\r\\n') for each in held]\n"
            "time.sleep(14)\n"
            "total = 0\n"
            "for each in held:\n"
            "    try:\n"
            "        while piece := each.recv(1 << 20): total += len(piece)\n"
            "    except OSError: pass\n"
            "print(total)\n"
        )
        held = subprocess.Popen(
            ("ip", "netns", "exec", self.guest.vm.namespace, sys.executable, "-c", script),
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(1)
        for _ in range(5):
            self.assertEqual(self.status(other, "/"), "200")
        out, _ = held.communicate(timeout=60)
        self.assertLess(int(out), 200_000_000)

    def test_no_secret_is_logged(self) -> None:
        """Nor is it told to VMs."""
        self.nova.mood = CLOSES
        said = self.ask(self.guest, "/")
        self.assertNotIn("told to nobody else", said + self.appliance.log())


def _each(urls: list[str]) -> list[str]:
    """Return curl's words for many URLs whose bodies go nowhere."""
    return [word for url in urls for word in (url, "-o", "/dev/null")][:-2]


class SecureNovaTests(NovaCase):
    """Nova behind TLS."""

    authority: ClassVar[Authority]

    @classmethod
    def make_nova(cls) -> MetadataApi:
        """See NovaCase."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cls.authority.issue("nova").write(cls.directory, "nova"))
        return MetadataApi(cls.ovs.namespace, context)

    @classmethod
    def more_settings(cls) -> Mapping[str, str]:
        """See NovaCase."""
        cls.authority = Authority()
        certificate, _ = cls.authority.own.write(cls.directory, "authority")
        return {"metadata.nova_url": f"https://127.0.0.1:{PORT}", "metadata.ca_file": str(certificate)}

    def test_tls(self) -> None:
        """By certificates of an authority that the settings name; large bodies too."""
        guest = self.link_guest(self.make_network("10.0.0.0/24"), device_id=str(uuid4()))
        self.assertTrue(self.told(guest)["is_signed"])
        self.assertEqual(len(self.ask(guest, "/large/3000000")), 3_000_000)
        self.nova.stop()
        type(self).nova = MetadataApi(self.ovs.namespace, _stranger(self.directory))
        self.nova.start()
        self.addCleanup(self.nova.stop)
        self.wait_for("a stranger is not believed", lambda: self.status(guest, "/") == "502")


def _stranger(directory: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority().own.write(directory, "stranger"))
    return context


class LimitTests(MetadataCase):
    """What one port may take of the host."""

    settings: ClassVar[Mapping[str, str]] = {
        **ANSWERING, "metadata.rate_per_port": "5", "metadata.connections_per_port": "3",
    }  # fmt: skip

    def test_requests(self) -> None:
        """More than its share are refused, and told when to come again; others are answered."""
        network = self.make_network("10.0.0.0/24")
        guest, other = self.link_guest(network), self.link_guest(network)
        urls = _each(["http://169.254.169.254/latest/"] * 40)
        out = guest.vm.run("curl", "-sS", "-w", "%{http_code}\n", "-o", "/dev/null", *urls).split()
        self.assertEqual(out[:10], ["200"] * 10)
        self.assertIn("429", out[10:])
        self.assertIn("Retry-After: 1".lower(), self._head_of_refusal(guest).lower())
        self.assertEqual(self.status(other, "/"), "200")

    def _head_of_refusal(self, guest: Guest) -> str:
        for _ in range(50):
            said = self.ask(guest, "/", "-i")
            if " 429 " in said:
                return said
        return ""

    def test_connections(self) -> None:
        """More than its share are refused; such on which nothing comes are closed."""
        network = self.make_network("10.0.0.0/24")
        guest, other = self.link_guest(network), self.link_guest(network)
        script = (
            "import socket, time\n"
            "held = [socket.create_connection(('169.254.169.254', 80)) for _ in range(3)]\n"
            "[each.sendall(b'GET / HT') for each in held]\n"
            "time.sleep(0.3)\n"
            "more = socket.create_connection(('169.254.169.254', 80))\n"
            "print(more.recv(100).split()[1].decode())\n"
            "began = time.monotonic()\n"
            "for n in range(30):\n"
            "    time.sleep(0.5)\n"
            "    try: [each.sendall(b'x') for each in held]\n"
            "    except OSError: break\n"
            "print(time.monotonic() - began)\n"
        )
        refused, seconds = guest.vm.run("python3", "-c", script, timeout_seconds=60).split()
        self.assertEqual(refused, "503")
        self.assertLess(float(seconds), 12)
        self.assertEqual(self.status(other, "/"), "200")
        self.assertEqual(self.status(guest, "/"), "200")


class SizeTests(NovaCase):
    """Networks of any MTU."""

    @classmethod
    def more_settings(cls) -> Mapping[str, str]:
        """See NovaCase."""
        return {"network.mtu_bytes": "9050"}

    def test_small_and_large(self) -> None:
        """Bodies of many packets, in both directions."""
        body = Path(self.directory) / "body"
        body.write_bytes(bytes(500_000))
        for mtu in (1280, 9000):
            network = self.make_network("10.0.0.0/24", "fd00:1::/64", mtu=mtu)
            guest = self.link_guest(network, device_id=str(uuid4()))
            self.ovs.ip("link", "set", guest.vm.tap, "mtu", str(mtu))
            guest.vm.run("ip", "link", "set", "eth0", "mtu", str(mtu))
            for root in ("http://169.254.169.254", IPV6):
                self.assertEqual(len(self.ask(guest, "/large/1000000", root=root)), 1_000_000)
                self.assertEqual(self.told(guest, "/", "--data-binary", f"@{body}", root=root)["body"], 500_000)


class OwnTests(MetadataCase):
    """What the host answers by itself."""

    @classmethod
    def prepare_switch(cls) -> None:
        """Make the folder of files."""
        cls.folder = cls.directory / "metadata"
        cls.folder.mkdir()
        cls.appliance.settings = {**cls.settings, "metadata.folder": str(cls.folder)}

    folder: ClassVar[Path]

    def test_networks_with_the_same_addresses(self) -> None:
        """Each VM is told of itself, though they have the same address."""
        guests = []
        for name in ("red", "blue"):
            network = self.make_network("10.0.0.0/24", name=name)
            guests.append(self.link_guest(network, name=name, fixed_ips=[{"ip_address": "10.0.0.5"}]))
        for guest, name in zip(guests, ("red", "blue"), strict=True):
            self.assertEqual(self.ask(guest, "/latest/meta-data/hostname"), name)
            self.assertEqual(self.ask(guest, "/latest/meta-data/mac"), guest.mac)
            self.assertEqual(self.ask(guest, "/latest/meta-data/local-ipv4"), "10.0.0.5")
            self.assertEqual(json.loads(self.ask(guest, "/openstack/latest/meta_data.json"))["uuid"], guest.id)

    def test_tags_and_names(self) -> None:
        """Say what the VM is called, from the next request on."""
        guest = self.link_guest(self.make_network("10.0.0.0/24"))
        self.assertEqual(self.ask(guest, "/latest/meta-data/hostname"), f"host-{guest.ip.replace('.', '-')}")
        self.update("port", guest.id, name="db-1")
        self._await_name(guest, "db-1")
        answer = self.appliance.request(
            "PUT", f"/v2.0/ports/{guest.id}/tags", {"tags": ["metadata:hostname=web-1", "blue"]}
        )
        self.assertEqual(answer.status, 200)
        self._await_name(guest, "web-1")

    def _await_name(self, guest: Guest, name: str) -> None:
        self.wait_for(f"it is called {name}", lambda: self.ask(guest, "/latest/meta-data/hostname") == name, 5)

    def test_files(self) -> None:
        """User data and keys of a project, and of one port."""
        guest = self.link_guest(self.make_network("10.0.0.0/24"), project_id="blue")
        self.assertEqual(self.status(guest, "/latest/user-data"), "404")
        of_project, of_port = self.folder / "blue", self.folder / guest.id
        of_project.mkdir()
        of_port.mkdir()
        (of_project / "user_data").write_bytes(b"#!/bin/sh\n")
        (of_project / "public_keys").write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIblue blue\n")
        self.assertEqual(self.ask(guest, "/openstack/latest/user_data"), "#!/bin/sh\n")
        (of_port / "user_data").write_bytes(b"#cloud-config\n")
        self.assertEqual(self.ask(guest, "/latest/user-data"), "#cloud-config\n")
        key = self.ask(guest, "/latest/meta-data/public-keys/0/openssh-key")
        self.assertEqual(key, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIblue blue")

    def test_dhcp_leads_there(self) -> None:
        """With a gateway that is there, one that is not, and none at all."""
        for gateway in ({}, {"gateway_ip": None}):
            network = self.make_network("10.0.0.0/24", subnet=gateway)
            guest = self.make_guest(network)
            self.plug(guest)
            lease = udhcpc(guest.vm, self.directory)
            self.assertIn("169.254.169.254/32", dict(lease.routes))
            self.wait_for("it is answered", lambda guest=guest: self.status(guest, "/") == "200")  # type: ignore[misc] # its default
            self.assertEqual(self.ask(guest, "/latest/meta-data/local-ipv4"), guest.ip)

    test_dhcp_leads_there.skip = missing(*OVS, "udhcpc") or None  # type: ignore[attr-defined] # trial's own

    def test_only_reading(self) -> None:
        """Other methods are refused, and other ports and protocols not answered at all."""
        guest = self.link_guest(self.make_network("10.0.0.0/24"))
        self.assertEqual(self.status(guest, "/latest/", "-X", "PUT"), "405")
        self.assertEqual(self.status(guest, "/nowhere"), "404")
        self.assertEqual(self.status(guest, "/", root="http://169.254.169.254:8080", seconds=1), "000")
        self.assertFalse(guest.can_reach("169.254.169.254", tries=1))

    def test_many_networks_cost_no_thread_and_no_process(self) -> None:
        """One listener is for all of them."""
        before = self._threads()
        for _ in range(5):
            guest = self.link_guest(self.make_network("10.0.0.0/24"))
            self.assertEqual(self.ask(guest, "/latest/meta-data/local-ipv4"), guest.ip)
        self.wait_for("there are as many threads as before", lambda: self._threads() <= before + 1)
        listening = run("ip", "netns", "exec", self.place, "ss", "-Hltn").splitlines()
        self.assertEqual(len(listening), 2)

    def _threads(self) -> int:
        return len(list(Path(f"/proc/{self.appliance.pid}/task").iterdir()))


class RepairTests(MetadataCase):
    """What others take away is back within seconds."""

    def setUp(self) -> None:
        """Plug a VM that is answered."""
        super().setUp()
        self.guest = self.link_guest(self.make_network("10.0.0.0/24"))
        self.assertEqual(self.status(self.guest, "/"), "200")

    def assert_repaired(self, harm: Callable[[], object], is_harmed: Callable[[], bool]) -> None:
        """It is harmed, and set right."""
        harm()
        began = time.monotonic()
        self.wait_for("it is set right", lambda: not is_harmed() and self._answers(), _REPAIR_SECONDS)
        self.assertLess(time.monotonic() - began, _REPAIR_SECONDS)

    def _answers(self) -> bool:
        return self.status(self.guest, "/", seconds=0.5) == "200"

    def test_the_namespace(self) -> None:
        """Its name, with which others would find it."""
        self.assert_repaired(
            lambda: run("ip", "netns", "delete", self.place), lambda: self.place not in run("ip", "netns")
        )

    def test_the_device(self) -> None:
        """Which the switch does not notice."""
        self.assert_repaired(lambda: self.ovs.ip("link", "delete", "tap-services"), lambda: False)

    def test_what_is_in_the_namespace(self) -> None:
        """An address, a route, a device that is down."""
        inside = ("ip", "-n", self.place)
        for words in (
            ("address", "flush", "dev", "services"),
            ("route", "flush", "table", "main"),
            ("link", "set", "services", "down"),
        ):
            self.assert_repaired(lambda words=words: run(*inside, *words), lambda: False)  # type: ignore[misc] # its default

    def test_the_port(self) -> None:
        """Of the switch."""
        self.assert_repaired(lambda: self.ovs.vsctl("del-port", "tap-services"), lambda: False)

    def test_the_flows(self) -> None:
        """All of the feature."""
        self.assert_repaired(
            lambda: self.ovs.ofctl("del-flows", "cookie=0x5111000000000000/0xffff000000000000"),
            lambda: len(self.flows_with("cookie=0x5111")) < 10,
        )

    def test_a_restart_of_the_daemon(self) -> None:
        """Changes nothing: the same namespace, device and flows."""
        before = self._all()
        self.appliance.restart("/readyz")
        self.wait_for("it answers", self._answers)
        self.assertEqual(self._all(), before)
        self.assertEqual(self.appliance.metrics()["quantumd_repaired_services"], 0)

    def _all(self) -> tuple[str, str, list[str]]:
        inside = run("ip", "-n", self.place, "-o", "link", "show", "services").partition(":")[0]
        return inside, run("stat", "-c", "%i", f"/run/netns/{self.place}"), sorted(self.flows_with("cookie=0x5111"))

    def test_a_restart_of_the_switch(self) -> None:
        """Flows come back."""
        self.ovs.kill("ovs-vswitchd")
        self.ovs.start_vswitchd()
        self.wait_for("it answers", self._answers, 15)


class SwitchTests(MetadataCase):
    """Metadata are switched on and off for hosts with VMs that run."""

    settings: ClassVar[Mapping[str, str]] = {**ANSWERING, "metadata.enabled": "false"}

    def test_on_and_off(self) -> None:
        """VMs that were there before are answered; afterwards there is neither a port nor a flow of it."""
        guest = self.link_guest(self.make_network("10.0.0.0/24"), name="web")
        self.assertEqual(self.status(guest, "/", seconds=0.5), "000")
        self.set_enabled("true")
        self.wait_for("it is answered", lambda: self.status(guest, "/latest/meta-data/", seconds=0.5) == "200")
        self.assertEqual(self.ask(guest, "/latest/meta-data/hostname"), "web")
        self.set_enabled("false")
        self.wait_for("it is not answered", lambda: self.status(guest, "/", seconds=0.5) == "000")
        self.wait_for("nothing is left", lambda: not self.flows_with("cookie=0x5111"))
        self.assertNotIn("tap-services", self.ovs.vsctl("list-ports", "br-int"))

    def set_enabled(self, value: str) -> None:
        """Restart quantumd with other settings."""
        self.appliance.settings = {**self.settings, "metadata.enabled": value}
        self.appliance.restart("/readyz")

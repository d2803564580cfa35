"""Real clients, udhcpc and ISC dhclient, against the pure responder: needs root, ``ip``, ``udhcpc`` and ``dhclient``.

A veth pair joins the client's namespace with another, where a thread of the test reads frames from a packet socket and
answers them; there is no switch and no daemon.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import pack_ip, pack_mac
from quantumd.dhcp.message import MessageType
from quantumd.dhcp.reasons import Reason
from quantumd.dhcp.responder import answer
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, FixedIp
from tests.bed.needs import missing
from tests.bed.openvswitch import run
from tests.dhcp.client import MAC, NETWORK, PORT, SERVER_MAC, SUBNET

SETTINGS = DhcpSettings(lease_seconds=20)
ALL_FRAMES = 0x0003
_ARP_REQUEST = bytes.fromhex("0806 0001 0800 06 04 0001")
_WAIT_SECONDS = 25.0

UDHCPC_SCRIPT = """#!/bin/sh
env > "{directory}/udhcpc.$1.new"
mv "{directory}/udhcpc.$1.new" "{directory}/udhcpc.$1"
echo "$1" >> "{directory}/udhcpc.events"
case "$1" in
deconfig) ip address flush dev eth0 ;;
bound|renew) ip address flush dev eth0; ip address add "$ip/$mask" dev eth0 ;;
esac
"""

DHCLIENT_SCRIPT = """#!/bin/sh
env > "{directory}/dhclient.$reason.new"
mv "{directory}/dhclient.$reason.new" "{directory}/dhclient.$reason"
echo "$reason" >> "{directory}/dhclient.events"
case "$reason" in
EXPIRE|FAIL|RELEASE|STOP) ip address flush dev eth0 ;;
BOUND|RENEW|REBIND|REBOOT) ip address flush dev eth0; ip address add "$new_ip_address/24" dev eth0 ;;
esac
"""

DHCLIENT_CONF = """
option classless-routes code 121 = array of unsigned integer 8;
request subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, host-name, interface-mtu,
  classless-routes;
timeout 20; retry 1; reboot 5; initial-interval 1; backoff-cutoff 1;
"""

FOREIGN_LEASE = """
lease {{
  interface "eth0";
  fixed-address 10.0.0.99;
  option subnet-mask 255.255.255.0;
  option dhcp-lease-time 86400;
  option dhcp-server-identifier 10.0.0.2;
  renew 3 2037/01/07 00:00:00; rebind 3 2037/01/07 00:00:00; expire 3 2037/01/07 00:00:00;
}}
"""

T = TypeVar("T")


def inside(namespace: str, work: Callable[[], T]) -> T:
    """Run ``work`` in a network namespace, on a thread that ends with it; what it opens stays in the namespace."""
    results: list[T] = []

    def enter() -> None:
        descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            results.append(work())
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join(10)
    return results[0]


def open_socket() -> socket.socket:
    """Open a packet socket on eth0 of this namespace."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_FRAMES))
    opened.bind(("eth0", 0))
    return opened


class Wire:
    """Answers what comes over a packet socket: DHCP by the responder, ARP for the server's address as flows would."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        self.port: DhcpPortRecord = PORT
        self.network: DhcpNetworkRecord = NETWORK
        self.answered: list[tuple[MessageType | None, MessageType | None, Reason, bytes]] = []
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the socket."""
        self._is_stopping.set()
        self._thread.join(5)
        self.socket.close()

    def types(self) -> list[tuple[str, str]]:
        """Return what was asked and answered so far."""
        return [(asked.name, said.name) for asked, said, _, _ in tuple(self.answered) if asked and said]

    def _serve(self) -> None:
        while not self._is_stopping.is_set():
            if select.select([self.socket], [], [], 0.05)[0]:
                frame, sender = self.socket.recvfrom(65_536)
                if sender[2] != socket.PACKET_OUTGOING:
                    self._receive(frame)

    def _receive(self, frame: bytes) -> None:
        if frame[12:22] == _ARP_REQUEST:
            if frame[38:42] == pack_ip(SUBNET.server_address):
                mac = pack_mac(SERVER_MAC)
                reply = frame[6:12] + mac + frame[12:20] + b"\0\2" + mac + frame[38:42] + frame[22:32]
                self.socket.send(reply)
            return
        decided = answer(frame, self.port, self.network, SETTINGS)
        if decided.asked is not None:
            self.answered.append((decided.asked, decided.answered, decided.reason, frame))
        if decided.frame is not None:
            self.socket.send(decided.frame)


class ClientTests(SynchronousTestCase):
    """What the clients make of our answers."""

    skip = missing("ip", "udhcpc", "dhclient")

    def setUp(self) -> None:
        name = f"qdhcp-{uuid.uuid4().hex[:6]}"
        self.client, self.server = f"{name}-c", f"{name}-s"
        for namespace in (self.client, self.server):
            run("ip", "netns", "add", namespace)
            self.addCleanup(subprocess.run, ("ip", "netns", "del", namespace), check=False, capture_output=True)
        run(
            "ip", "-n", self.client, "link", "add", "eth0", "address", MAC, "type", "veth",
            "peer", "name", "eth0", "netns", self.server,
        )  # fmt: skip
        for namespace in (self.client, self.server):
            run("ip", "-n", namespace, "link", "set", "eth0", "up")
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)
        self.wire = Wire(inside(self.server, open_socket))
        self.addCleanup(self.wire.stop)

    def start(self, *command: str) -> int:
        """Start a client in its namespace; it is ended with the test. Return its process id."""
        process = subprocess.Popen(
            ("ip", "netns", "exec", self.client, *command),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.kill)
        return process.pid

    def write_script(self, name: str, text: str) -> str:
        """Write a client's script."""
        path = self.directory / name
        path.write_text(text.format(directory=self.directory))
        path.chmod(0o755)
        return str(path)

    def start_udhcpc(self, *more: str) -> int:
        """Start udhcpc."""
        script = self.write_script("udhcpc.sh", UDHCPC_SCRIPT)
        return self.start(
            "udhcpc", "-f", "-i", "eth0", "-s", script, "-T", "1", "-O", "staticroutes", "-O", "mtu", *more
        )

    def start_dhclient(self) -> int:
        """Start dhclient."""
        script = self.write_script("dhclient.sh", DHCLIENT_SCRIPT)
        configuration, leases = self.directory / "dhclient.conf", self.directory / "dhclient.leases"
        configuration.write_text(DHCLIENT_CONF)
        leases.touch()
        return self.start(
            "dhclient", "-d", "-4", "-sf", script, "-cf", str(configuration), "-lf", str(leases),
            "-pf", str(self.directory / "dhclient.pid"), "eth0",
        )  # fmt: skip

    def wait_for(self, what: str, is_there: Callable[[], bool], seconds: float = _WAIT_SECONDS) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not is_there():
            if time.monotonic() > deadline:
                self.fail(f"no {what} within {seconds:g} s; answered: {self.wire.types()}")
            time.sleep(0.02)

    def variables(self, event: str) -> dict[str, str]:
        """Wait for a call of a client's script and return its environment."""
        path = self.directory / event
        self.wait_for(event, path.exists)
        pairs = (line.partition("=") for line in path.read_text().splitlines())
        return {name: value for name, _, value in pairs}

    def events(self, client: str) -> list[str]:
        """Return the calls of a client's script so far."""
        path = self.directory / f"{client}.events"
        return path.read_text().split() if path.exists() else []

    def renewals(self) -> list[bytes]:
        """Return the acknowledged requests that came by unicast."""
        unicast = pack_mac(SERVER_MAC)
        return [
            frame for _, said, _, frame in tuple(self.wire.answered) if said is MessageType.ACK and frame[:6] == unicast
        ]

    def test_udhcpc_gets_all_of_its_lease(self) -> None:
        """Address, mask, gateway, routes, DNS, domain, host name, MTU."""
        self.start_udhcpc()
        told = self.variables("udhcpc.bound")
        expected = {
            "ip": "10.0.0.5",
            "mask": "24",
            "router": "10.0.0.1",
            "staticroutes": "10.8.0.0/16 10.0.0.9 0.0.0.0/0 10.0.0.1",
            "dns": "9.9.9.9 1.1.1.1",
            "domain": "openstacklocal",
            "hostname": "host-10-0-0-5",
            "mtu": "1442",
            "lease": "20",
            "serverid": "10.0.0.2",
        }
        self.assertEqual({name: told.get(name) for name in expected}, expected)
        self.assertEqual(self.wire.types(), [("DISCOVER", "OFFER"), ("REQUEST", "ACK")])

    def test_dhclient_gets_all_of_its_lease(self) -> None:
        """Address, mask, gateway, routes, DNS, domain, host name, MTU."""
        self.start_dhclient()
        told = self.variables("dhclient.BOUND")
        expected = {
            "new_ip_address": "10.0.0.5",
            "new_subnet_mask": "255.255.255.0",
            "new_broadcast_address": "10.0.0.255",
            "new_routers": "10.0.0.1",
            "new_classless_routes": "16 10 8 10 0 0 9 0 10 0 0 1",
            "new_domain_name_servers": "9.9.9.9 1.1.1.1",
            "new_domain_name": "openstacklocal",
            "new_host_name": "host-10-0-0-5",
            "new_interface_mtu": "1442",
            "new_dhcp_lease_time": "20",
            "new_dhcp_renewal_time": "10",
            "new_dhcp_rebinding_time": "17",
        }
        self.assertEqual({name: told.get(name) for name in expected}, expected)

    @pytest.mark.slow
    def test_udhcpc_renews_by_unicast(self) -> None:
        """With a lease of 20 s, from a kernel socket; this client renews none before 15 s have passed."""
        self.start_udhcpc()
        self.variables("udhcpc.bound")
        began = time.monotonic()
        self.wait_for("renewal", lambda: "renew" in self.events("udhcpc"))
        self.assertGreater(time.monotonic() - began, 5)
        self.assertGreaterEqual(len(self.renewals()), 1)

    @pytest.mark.slow
    def test_dhclient_renews_by_unicast_at_t1(self) -> None:
        """With a lease of 20 s, at about half of it; this client may ask twice at once."""
        self.start_dhclient()
        self.variables("dhclient.BOUND")
        self.wait_for("renewal", lambda: "RENEW" in self.events("dhclient"))
        self.assertGreaterEqual(len(self.renewals()), 1)

    def test_udhcpc_gives_up_an_address_that_is_no_longer_its_own(self) -> None:
        """NAK on renewal, then a lease of the new address."""
        pid = self.start_udhcpc()
        self.variables("udhcpc.bound")
        self.wire.port = evolve(PORT, fixed_ips=(FixedIp(SUBNET.id, "10.0.0.6"),))
        os.kill(pid, signal.SIGUSR1)
        self.wait_for("second lease", lambda: self.events("udhcpc").count("bound") == 2)
        self.assertEqual(self.variables("udhcpc.bound")["ip"], "10.0.0.6")
        self.assertIn(("REQUEST", "NAK"), self.wire.types())
        self.assertIn("nak", self.events("udhcpc"))

    def test_dhclient_gives_up_a_foreign_lease(self) -> None:
        """It remembers an address from elsewhere, is refused, and gets its own."""
        (self.directory / "dhclient.leases").write_text(FOREIGN_LEASE.format())
        self.start_dhclient()
        self.assertEqual(self.variables("dhclient.BOUND")["new_ip_address"], "10.0.0.5")
        # This client may say a thing twice.
        kinds = list(dict.fromkeys(self.wire.types()))
        self.assertEqual(kinds, [("REQUEST", "NAK"), ("DISCOVER", "OFFER"), ("REQUEST", "ACK")])

    def test_a_release_is_seen(self) -> None:
        """udhcpc gives its lease back."""
        pid = self.start_udhcpc()
        self.variables("udhcpc.bound")
        os.kill(pid, signal.SIGUSR2)
        self.wait_for("release", lambda: self.wire.answered[-1][0] is MessageType.RELEASE)
        self.assertIs(self.wire.answered[-1][2], Reason.NOTED)

"""DHCPv6 through real drivers, by ISC's client: Open vSwitch, Linux bridges, and routers that advertise. Needs root."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import Ether

from quantumd.dhcp.addresses6 import link_local, show_ip6
from quantumd.edge.dhcpv6.messages import Code6, MessageType6, Status6
from tests.bed.bridges import BRIDGES, BridgedCase
from tests.bed.dhcp_client import NoLease, dhclient
from tests.bed.dhcp_client6 import Dhclient6, await_link_local, dhclient6, inform6
from tests.bed.host import Guest, HostCase
from tests.bed.needs import OVS, missing
from tests.bed.routed import RouterCase
from tests.bed.wire import Wire
from tests.dhcp.client6 import CLIENT, Received6, frame6_of, ia, payload6, read6

LEASE_SECONDS = 20
SILENCE_SECONDS = 0.7
STATEFUL = {"ipv6_address_mode": "dhcpv6-stateful", "dns_nameservers": ["fd00::53"]}
STATELESS = {"ipv6_address_mode": "dhcpv6-stateless", "dns_nameservers": ["fd00::53"]}
_SPEAK = """\
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 546))
s.sendto(bytes.fromhex(sys.argv[1]), (sys.argv[2], 547, 0, socket.if_nametoindex("eth0")))
"""
SLAAC = {"ipv6_address_mode": "slaac"}


def is_reply(frame: bytes) -> bool:
    """Whether a frame is from a DHCPv6 server to a client."""
    return frame[12:14] == b"\x86\xdd" and frame[20] == 17 and frame[54:58] == b"\x02\x23\x02\x22"


def is_request(frame: bytes) -> bool:
    """Whether a frame is from a DHCPv6 client to servers."""
    return frame[12:14] == b"\x86\xdd" and frame[20] == 17 and frame[56:58] == b"\x02\x23"


def solicit(mac: str, **frame: Any) -> bytes:
    """Return a frame that looks for servers."""
    return frame6_of(payload6(MessageType6.SOLICIT, (CLIENT, ia())), source_mac=mac, **frame)


class Leasing(HostCase):
    """What holds whatever carries the ports."""

    # Collected only in the classes that say what does.
    __test__ = False
    settings: ClassVar[Mapping[str, str]] = {"dhcp.lease_seconds": str(LEASE_SECONDS)}

    def setUp(self) -> None:
        """A place for what clients write."""
        super().setUp()
        self.files = Path(self.mktemp())

    def guest_on(self, *cidrs: str, mode: Mapping[str, Any] = STATEFUL, **attributes: Any) -> Guest:
        """Return a plugged VM without addresses, on a network of its own."""
        guest = self.make_guest(self.make_network(*cidrs, subnet=mode), **attributes)
        self.plug(guest)
        return guest

    def client(self, guest: Guest, *more: str) -> Dhclient6:
        """Return a running client, which ends with the test."""
        client = Dhclient6(guest.vm, self.files, more)
        self.addCleanup(client.stop)
        client.start()
        return client

    def server_of(self, guest: Guest) -> dict[str, Any]:
        """Return the DHCP port of a VM's network."""
        query = f"network_id={guest.port['network_id']}&device_owner=network:dhcp"
        (port,) = self.appliance.request("GET", f"/v2.0/ports?{query}").body["ports"]
        found: dict[str, Any] = port
        return found

    def ask(self, wire: Wire, frame: bytes) -> Received6:
        """Send a message and return the reply to it."""
        wire.send(frame)
        return read6(wire.await_frame(is_reply))

    def expect_silence(self, guest: Guest, *frames: bytes) -> None:
        """None of the frames is answered."""
        with Wire(guest.vm.namespace) as wire:
            wire.send(*frames)
            self.assertIsNone(wire.await_frame(is_reply, SILENCE_SECONDS))

    def test_a_client_gets_the_address_of_its_port(self) -> None:
        """And is told name servers and domain; its port drops by default, and the lease comes all the same."""
        guest = self.guest_on("fd00:1::/64")
        lease = dhclient6(guest.vm, self.files)
        self.assertEqual(
            (lease.ip_address, lease.preferred_seconds, lease.valid_seconds), (guest.ip, LEASE_SECONDS, LEASE_SECONDS)
        )
        self.assertEqual((lease.dns_servers, lease.search), (("fd00::53",), ("openstacklocal.",)))
        self.assertEqual((self.status_of(guest), self.server_of(guest)["status"]), ("ACTIVE", "ACTIVE"))

    def test_two_vms_with_leases_reach_each_other(self) -> None:
        """Without a router, and without anything set by hand but the way to the link."""
        network = self.make_network("fd00:1::/64", subnet=STATEFUL)
        guests = [self.make_guest(network, port_security_enabled=False, security_groups=[]) for _ in range(2)]
        self.plug(*guests)
        for guest in guests:
            self.assertEqual(dhclient6(guest.vm, self.files).ip_address, guest.ip)
            guest.vm.run("ip", "route", "replace", "fd00:1::/64", "dev", "eth0")
        self.assertTrue(guests[0].can_reach(guests[1].ip))

    def test_rapid_commit(self) -> None:
        """One message each way."""
        guest = self.guest_on("fd00:1::/64")
        with Wire(guest.vm.namespace) as wire:
            options = (CLIENT, ia(), (Code6.RAPID_COMMIT, b""))
            reply = self.ask(wire, frame6_of(payload6(MessageType6.SOLICIT, options), source_mac=guest.mac))
        self.assertEqual((reply.kind, reply.granted[0].addresses[0][0]), (MessageType6.REPLY, guest.ip))

    def test_a_client_asks_for_information_alone(self) -> None:
        """``-S``: where it computes its address, and where DHCP gives it."""
        for mode in (STATELESS, STATEFUL):
            guest = self.guest_on("fd00:1::/64", mode=mode)
            told = inform6(guest.vm, self.files)
            self.assertEqual((told.ip_address, told.dns_servers), ("", ("fd00::53",)))
            self.assertEqual(told.search, ("openstacklocal.",))

    def test_no_address_is_given_where_none_is_to_be_had(self) -> None:
        """Stateless: a status; SLAAC, or no DHCP: silence."""
        guest = self.guest_on("fd00:1::/64", mode=STATELESS)
        with Wire(guest.vm.namespace) as wire:
            reply = self.ask(wire, solicit(guest.mac))
        self.assertEqual((reply.granted[0].addresses, reply.granted[0].status), ((), Status6.NO_ADDRS_AVAIL))
        for mode in (SLAAC, {"enable_dhcp": False}):
            guest = self.guest_on("fd00:1::/64", mode=mode)
            self.expect_silence(guest, solicit(guest.mac))

    def test_a_subnet_without_a_mode_gives_addresses(self) -> None:
        """As it does in Neutron."""
        guest = self.guest_on("fd00:1::/64", mode={})
        self.assertEqual(dhclient6(guest.vm, self.files).ip_address, guest.ip)

    def test_enable_dhcp_is_followed(self) -> None:
        """While the VM runs: silence, answers, silence."""
        network = self.make_network("fd00:1::/64", subnet={"enable_dhcp": False})
        guest = self.make_guest(network)
        self.plug(guest)
        self.expect_silence(guest, solicit(guest.mac))
        (subnet_id,) = self.appliance.show("network", network["id"])["subnets"]
        self.update("subnet", subnet_id, enable_dhcp=True)
        self.assertEqual(dhclient6(guest.vm, self.files).ip_address, guest.ip)
        self.update("subnet", subnet_id, enable_dhcp=False)
        with Wire(guest.vm.namespace) as wire:

            def is_silent() -> bool:
                wire.send(solicit(guest.mac))
                return wire.await_frame(is_reply, SILENCE_SECONDS) is None

            self.wait_for("silence", is_silent)

    def test_both_versions_at_once(self) -> None:
        """A port with an address of each has a lease of each."""
        network = self.make_network("10.0.0.0/24", "fd00:1::/64")
        guest = self.make_guest(network)
        self.plug(guest)
        addresses = {each["ip_address"] for each in guest.port["fixed_ips"]}
        leases = {dhclient(guest.vm, self.files).ip_address, dhclient6(guest.vm, self.files).ip_address}
        self.assertEqual(leases, addresses)

    def test_a_port_with_several_addresses(self) -> None:
        """All of them in one association; one in each of two."""
        network = self.make_network("fd00:1::/64", subnet=STATEFUL)
        fixed = [{"ip_address": "fd00:1::a"}, {"ip_address": "fd00:1::b"}]
        guest = self.make_guest(network, fixed_ips=fixed)
        self.plug(guest)
        for more in ((), ("-N", "-N")):
            client = self.client(guest, *more)
            self.wait_for("both", lambda client=client: len(client.addresses()) == 2, 20.0)  # type: ignore[misc]
            self.assertCountEqual(client.addresses(), ["fd00:1::a", "fd00:1::b"])
            client.stop()

    def test_a_port_has_options_of_its_own(self) -> None:
        """By name and by number; of IPv6 alone."""
        options = [
            {"opt_name": "bootfile-url", "opt_value": "tftp://[fd00::1]/x", "ip_version": 6},
            {"opt_name": "31", "opt_value": "fd00::9", "ip_version": 6},
            {"opt_name": "dns-server", "opt_value": "10.0.0.9", "ip_version": 4},
        ]
        guest = self.guest_on("fd00:1::/64", extra_dhcp_opts=options)
        lease = dhclient6(guest.vm, self.files)
        told = {name: lease.told.get(f"new_dhcp6_{name}") for name in ("bootfile_url", "sntp_servers")}
        self.assertEqual(told, {"bootfile_url": "tftp://[fd00::1]/x", "sntp_servers": "fd00::9"})
        self.assertEqual(lease.dns_servers, ("fd00::53",))

    def test_the_old_address_ends_when_the_port_has_another(self) -> None:
        """With the renewal after half of the lease: the VM has the new one, and the old one no longer."""
        guest = self.guest_on("fd00:1::/64")
        client = self.client(guest)
        client.await_event("BOUND6")
        self.update("port", guest.id, fixed_ips=[{"ip_address": "fd00:1::77"}])

        def has_changed() -> bool:
            shown = guest.vm.run("ip", "-6", "address", "show", "dev", "eth0")
            return "fd00:1::77/" in shown and guest.ip not in shown

        self.wait_for("the new address alone", has_changed, LEASE_SECONDS + 5)

    @pytest.mark.slow
    def test_a_lease_is_renewed_across_a_kill_of_the_daemon(self) -> None:
        """Nothing is kept of leases, so there is nothing to lose."""
        guest = self.guest_on("fd00:1::/64")
        client = self.client(guest)
        client.await_event("BOUND6")
        self.appliance.kill()
        self.appliance.start("/readyz")
        self.assertEqual(client.await_event("RENEW6", LEASE_SECONDS).ip_address, guest.ip)

    def test_a_client_that_comes_back_confirms_its_address(self) -> None:
        """And one that was somewhere else starts anew."""
        guest = self.guest_on("fd00:1::/64")
        with Wire(guest.vm.namespace) as wire:
            for address, status in ((guest.ip, Status6.SUCCESS), ("2001:db8::1", Status6.NOT_ON_LINK)):
                message = payload6(MessageType6.CONFIRM, (CLIENT, ia(address)))
                self.assertEqual(self.ask(wire, frame6_of(message, source_mac=guest.mac)).status, status)

    def test_who_speaks_to_the_server_alone_is_sent_to_the_group(self) -> None:
        """A kernel's socket finds the server's MAC by neighbour discovery."""
        guest = self.guest_on("fd00:1::/64")
        server = self.server_of(guest)
        address = show_ip6(link_local(server["mac_address"]))
        await_link_local(guest.vm)
        with Wire(guest.vm.namespace) as wire:
            offered = self.ask(wire, solicit(guest.mac))
            options = (CLIENT, (Code6.SERVER_ID, offered.option(Code6.SERVER_ID) or b""), ia(guest.ip))
            message = payload6(MessageType6.RENEW, options)
            guest.vm.run("python3", "-c", _SPEAK, message.hex(), address)
            reply = read6(wire.await_frame(is_reply))
        self.assertEqual((reply.status, reply.granted), (Status6.USE_MULTICAST, ()))
        self.assertIn(server["mac_address"], guest.vm.run("ip", "-6", "neigh", "show", address))

    def test_neighbours_neither_hear_nor_answer(self) -> None:
        """What the server says is for the one who asked; a VM is no server."""
        network = self.make_network("fd00:1::/64", subnet=STATEFUL)
        guest, other = self.make_guest(network), self.make_guest(network)
        self.plug(guest, other)
        with Wire(guest.vm.namespace) as wire, Wire(other.vm.namespace) as overheard:
            reply = self.ask(wire, solicit(guest.mac))
            self.assertIsNone(overheard.await_frame(is_reply, 0.3))
            head = Ether(src=other.mac, dst=guest.mac) / IPv6(
                src=show_ip6(link_local(other.mac)), dst=reply_target(reply)
            )
            overheard.send(bytes(head / UDP(sport=547, dport=546) / reply.datagram.payload))
            self.assertIsNone(wire.await_frame(is_reply, SILENCE_SECONDS))

    def test_strangers_are_not_answered(self) -> None:
        """A foreign MAC, a neighbour's too; another's address; a relay."""
        network = self.make_network("fd00:1::/64", subnet=STATEFUL)
        guest, other = self.make_guest(network), self.make_guest(network)
        self.plug(guest, other)
        self.expect_silence(
            guest,
            solicit("fa:16:3e:66:66:66"),
            solicit(other.mac),
            solicit(guest.mac, source="fd00:1::99"),
            solicit(guest.mac, source="::"),
            frame6_of(payload6(MessageType6.RELAY_FORWARD, (CLIENT,)), source_mac=guest.mac),
        )

    def test_fragments_are_not_answered(self) -> None:
        """A message in two pieces, and one in a single piece that says it is one of many."""
        guest = self.guest_on("fd00:1::/64", port_security_enabled=False, security_groups=[])
        message = payload6(MessageType6.SOLICIT, (CLIENT, ia(), (0xFFF0, bytes(1400))))
        head = IPv6(src=show_ip6(link_local(guest.mac)), dst="ff02::1:2")
        whole = head / IPv6ExtHdrFragment() / UDP(sport=546, dport=547) / message
        pieces = fragment6(whole, 1280)
        self.assertEqual(len(pieces), 2)
        short = payload6(MessageType6.SOLICIT, (CLIENT, ia()))
        atom = head / IPv6ExtHdrFragment(m=1) / UDP(sport=546, dport=547) / short
        ether = Ether(src=guest.mac, dst="33:33:00:01:00:02")
        self.expect_silence(guest, *(bytes(ether / each) for each in (*pieces, atom)))
        with Wire(guest.vm.namespace) as wire:
            self.assertIs(self.ask(wire, solicit(guest.mac)).kind, MessageType6.ADVERTISE)


def reply_target(reply: Received6) -> str:
    """Return the address that a reply went to."""
    return show_ip6(reply.datagram.target_ip)


class SwitchTests(Leasing):
    """Open vSwitch."""

    __test__ = True
    skip = missing(*OVS, "ping", "dhclient")

    def test_requests_reach_nobody_else(self) -> None:
        """The process takes them off the network, on which another server may listen."""
        network = self.make_network("fd00:1::/64", subnet=STATEFUL)
        guest = self.make_guest(network)
        other = self.make_guest(network, port_security_enabled=False, security_groups=[])
        self.plug(guest, other)
        with Wire(guest.vm.namespace) as wire, Wire(other.vm.namespace) as overheard:
            self.ask(wire, solicit(guest.mac))
            self.assertIsNone(overheard.await_frame(is_request, 0.3))

    def test_requests_pass_where_nobody_answers_them(self) -> None:
        """A VM may serve a network that has no DHCP of ours."""
        network = self.make_network("fd00:1::/64", subnet={"enable_dhcp": False})
        guest = self.make_guest(network)
        other = self.make_guest(network, port_security_enabled=False, security_groups=[])
        self.plug(guest, other)
        with Wire(guest.vm.namespace) as wire, Wire(other.vm.namespace) as overheard:
            wire.send(solicit(guest.mac))
            self.assertIsNotNone(overheard.await_frame(is_request))

    def test_the_servers_addresses_answer_while_the_daemon_is_down(self) -> None:
        """By flows: what the API shows of the DHCP port is there."""
        guest = self.guest_on("fd00:1::/64")
        guest.configure(64)
        server = self.server_of(guest)
        self.appliance.stop()
        self.addCleanup(self.appliance.start, "/readyz")
        self.assertTrue(guest.can_reach(server["fixed_ips"][0]["ip_address"], tries=3))
        self.assertTrue(guest.can_reach(f"{show_ip6(link_local(server['mac_address']))}%eth0", tries=3))

    def test_a_flood_from_one_port_is_limited(self) -> None:
        """Twenty a second reach the process."""
        guest = self.guest_on("fd00:1::/64")
        with Wire(guest.vm.namespace) as wire:
            wire.send(*[solicit(guest.mac)] * 1000)
            time.sleep(SILENCE_SECONDS)
            answered = sum(map(is_reply, wire.received()))
        self.assertGreater(answered, 0)
        self.assertLess(answered, 60)

    def test_no_lease_on_a_network_of_ipv4(self) -> None:
        """Nor any answer."""
        guest = self.guest_on("10.0.0.0/24", mode={})
        self.expect_silence(guest, solicit(guest.mac))
        self.assertRaises(NoLease, dhclient6, guest.vm, self.files, 2.0)


class BridgeTests(BridgedCase, Leasing):
    """Linux bridges."""

    __test__ = True
    skip = missing(*BRIDGES, "dhclient")


class AdvertisedTests(RouterCase):
    """A VM that does what the router says: its kernel learns the way, and the flags say whom to ask."""

    skip = missing(*OVS, "dhclient")

    def test_managed(self) -> None:
        """No address from the advertisement, one from DHCP, and with both the way to another network."""
        networks = []
        for number, mode in enumerate(("dhcpv6-stateful", "slaac"), 1):
            network = self.appliance.create("network")
            modes = {"ipv6_ra_mode": mode, "ipv6_address_mode": mode}
            self.appliance.create("subnet", network_id=network["id"], cidr=f"fd00:{number}::/64", ip_version=6, **modes)
            networks.append(network)
        self.make_router(*networks)
        managed, other = (self.make_guest(each, port_security_enabled=False) for each in networks)
        self.plug(managed, other)
        self.wait_for("there is a way", lambda: "default via fe80" in managed.vm.run("ip", "-6", "route"), 20.0)
        self.assertNotIn("fd00:1:", managed.vm.run("ip", "-6", "address"))
        self.assertEqual(dhclient6(managed.vm, Path(self.mktemp())).ip_address, managed.ip)
        self.wait_for("it has its address", lambda: other.ip in other.vm.run("ip", "address"))
        self.assertTrue(managed.can_reach(other.ip))

    def test_other_configuration(self) -> None:
        """The address from the advertisement, and the name servers from DHCP."""
        network = self.appliance.create("network")
        mode = "dhcpv6-stateless"
        self.appliance.create(
            "subnet", network_id=network["id"], cidr="fd00:1::/64", ip_version=6, ipv6_ra_mode=mode,
            ipv6_address_mode=mode, dns_nameservers=["fd00::53"],
        )  # fmt: skip
        self.make_router(network)
        guest = self.make_guest(network, port_security_enabled=False)
        self.plug(guest)
        self.wait_for("it has its address", lambda: guest.ip in guest.vm.run("ip", "address"), 20.0)
        told = inform6(guest.vm, Path(self.mktemp()))
        self.assertEqual((told.ip_address, told.dns_servers), ("", ("fd00::53",)))

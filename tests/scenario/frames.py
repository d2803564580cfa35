"""Frames as VMs send them, made by hand, and answers read by scapy."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import DUID_LL, DHCP6_Solicit, DHCP6OptClientId, DHCP6OptIA_NA, DHCP6OptIAAddress
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether

from quantumd.dhcp.addresses6 import link_local as packed_link_local
from quantumd.dhcp.addresses6 import show_ip6

BROADCAST = b"\xff" * 6
_KINDS = {2: "offer", 5: "ack", 6: "nak"}


def plain(sender: dict[str, Any], target: dict[str, Any]) -> bytes:
    """An IPv4 frame from one port to another."""
    packet = IP(src=address_of(sender), dst=address_of(target)) / UDP(sport=4000, dport=4000)
    return bytes(Ether(src=sender["mac_address"], dst=target["mac_address"]) / packet)


def address_of(port: dict[str, Any]) -> str:
    """The port's first address."""
    return str(port["fixed_ips"][0]["ip_address"])


def arp_request(sender: dict[str, Any], address: str) -> bytes:
    """Who has the address?"""
    mac = sender["mac_address"]
    arp = ARP(op=1, hwsrc=mac, psrc=address_of(sender), pdst=address)
    return bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / arp)


def dhcp_discover(mac: str) -> bytes:
    """A client's first word."""
    return bytes(
        Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="0.0.0.0", dst="255.255.255.255")
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=bytes.fromhex(mac.replace(":", "")), xid=7)
        / DHCP(options=[("message-type", "discover"), "end"])
    )


def dhcp_solicit(mac: str, iaid: int = 7) -> Any:
    """A client's first word over IPv6, as a packet that may be bent."""
    packet = IPv6(src=link_local(mac), dst="ff02::1:2") / UDP(sport=546, dport=547)
    packet /= DHCP6_Solicit(trid=7) / DHCP6OptClientId(duid=DUID_LL(lladdr=mac)) / DHCP6OptIA_NA(iaid=iaid)
    return Ether(src=mac, dst="33:33:00:01:00:02") / packet


def link_local(mac: str) -> str:
    """The address that a device gives itself on its link."""
    return show_ip6(packed_link_local(mac))


def read_dhcp6(frame: bytes) -> tuple[str, str]:
    """Where a server's frame over IPv6 is from, and the address it offers."""
    packet = Ether(frame)
    given = [each for each in packet[DHCP6OptIA_NA].ianaopts if isinstance(each, DHCP6OptIAAddress)]
    return packet[IPv6].src, given[0].addr


def read_dhcp(frame: bytes) -> tuple[str, str]:
    """What a server's frame says: its kind and the address it gives."""
    packet = Ether(frame)
    options = dict(option for option in packet[DHCP].options if isinstance(option, tuple) and len(option) == 2)
    return _KINDS[options["message-type"]], str(IPv4Address(packet[BOOTP].yiaddr))

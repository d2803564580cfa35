"""Frames as VMs send them, made by hand, and answers read by scapy."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

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


def read_dhcp(frame: bytes) -> tuple[str, str]:
    """What a server's frame says: its kind and the address it gives."""
    packet = Ether(frame)
    options = dict(option for option in packet[DHCP].options if isinstance(option, tuple) and len(option) == 2)
    return _KINDS[options["message-type"]], str(IPv4Address(packet[BOOTP].yiaddr))

"""What a guarded VM may send with tags on a transparent network: one table, for the packet walker and for real VMs."""

from __future__ import annotations

from typing import Final

from attrs import frozen
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_RA, IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw

BROADCAST: Final = "ff:ff:ff:ff:ff:ff"
_OTHER_MAC: Final = "fa:16:3e:66:66:66"
_OTHER_IP: Final = "10.0.0.99"


@frozen
class Ends:
    """MAC and IPv4 address of the sender, and of who listens."""

    mac: str
    ip: str
    to_mac: str
    to_ip: str


@frozen
class Row:
    """A frame with these tags, outer one first, and whether it is heard. Negative tags are 802.1ad's."""

    name: str
    tags: tuple[int, ...]
    kind: str
    is_heard: bool

    def frame(self, ends: Ends) -> bytes:
        """Return the frame; it carries the name of the row."""
        ether, packet = _KINDS[self.kind](ends)
        for tag in self.tags:
            ether /= Dot1Q(vlan=tag, prio=5) if tag >= 0 else Dot1AD(vlan=-tag)
        return bytes(ether / packet / Raw(self.mark))

    @property
    def mark(self) -> bytes:
        """What tells the frame from others."""
        return f"<{self.name}>".encode()


def _ether(ends: Ends, mac: str = "", to: str = "") -> Packet:
    return Ether(src=mac or ends.mac, dst=to or ends.to_mac)


def _echo(ends: Ends, ip: str = "") -> Packet:
    return IP(src=ip or ends.ip, dst=ends.to_ip) / ICMP(id=7)


def _arp(ends: Ends, mac: str = "", ip: str = "") -> Packet:
    return ARP(op=1, hwsrc=mac or ends.mac, psrc=ip or ends.ip, pdst=ends.to_ip)


_OFFER: Final = UDP(sport=67, dport=68) / BOOTP(op=2, xid=7) / DHCP(options=[("message-type", "offer"), "end"])
_ADVERTISEMENT: Final = IPv6(src="fe80::1", dst="ff02::1", hlim=255) / ICMPv6ND_RA()

_KINDS: Final = {
    "echo": lambda ends: (_ether(ends), _echo(ends)),
    "broadcast": lambda ends: (_ether(ends, to=BROADCAST), IP(src=ends.ip, dst="255.255.255.255") / UDP(dport=9)),
    "question": lambda ends: (_ether(ends, to=BROADCAST), _arp(ends)),
    "strange mac": lambda ends: (_ether(ends, mac=_OTHER_MAC), _echo(ends)),
    "strange address": lambda ends: (_ether(ends), _echo(ends, _OTHER_IP)),
    "question of another": lambda ends: (_ether(ends, to=BROADCAST), _arp(ends, ip=_OTHER_IP)),
    "question with another mac": lambda ends: (_ether(ends, to=BROADCAST), _arp(ends, mac=_OTHER_MAC)),
    "offer": lambda ends: (_ether(ends, to=BROADCAST), IP(src=ends.ip, dst="255.255.255.255") / _OFFER),
    "router": lambda ends: (_ether(ends, to="33:33:00:00:00:01"), _ADVERTISEMENT),
}


ROWS: Final = (
    Row("no tag", (), "echo", True),
    Row("a tag", (5,), "echo", True),
    Row("the first tag", (1,), "echo", True),
    Row("the last tag", (4094,), "echo", True),
    Row("a priority", (0,), "echo", True),
    Row("a broadcast", (5,), "broadcast", True),
    Row("a question", (5,), "question", True),
    Row("the reserved tag", (4095,), "echo", False),
    Row("the reserved tag to all", (4095,), "broadcast", False),
    Row("two tags", (5, 6), "echo", False),
    Row("the same tag twice", (5, 5), "broadcast", False),
    Row("a service tag", (-5,), "echo", True),
    Row("a service tag around a tag", (-5, 6), "echo", False),
    Row("a tag around a service tag", (5, -6), "echo", False),
    Row("three tags", (5, 6, 7), "broadcast", False),
    Row("a strange mac in a tag", (5,), "strange mac", False),
    Row("a strange address in a tag", (5,), "strange address", False),
    Row("a strange address after a priority", (0,), "strange address", False),
    Row("a question of another in a tag", (5,), "question of another", False),
    Row("a question with another mac in a tag", (5,), "question with another mac", False),
    Row("an offer in a tag", (5,), "offer", False),
    Row("a router in a tag", (5,), "router", False),
    Row("a router after a service tag", (-5,), "router", False),
)
"""The listener is not guarded, and hears all that gets to it."""

"""What a VM with a trunk may send: one table, for the packet walker and for real VMs.

The VM's own port is ``parent``; its sub-ports are ``first`` with the tag 101, and ``second`` with 102. Each of the
three is on a network of its own, on which one other VM listens: its name in ``heard_by`` is that of the port. All
networks have the same addresses. The listeners have no port security, the three have it.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw

VLAN_OF: Final = {"first": 101, "second": 102}
PORTS: Final = ("parent", "first", "second")


@frozen
class Row:
    """A broadcast with these tags, outer one first, from the MAC and the address of a port, and who hears it.

    Negative tags are 802.1ad's.
    """

    name: str
    tags: tuple[int, ...]
    mac_of: str
    ip_of: str
    heard_by: frozenset[str]

    def frame(self, mac: str, ip: str) -> bytes:
        """Return the frame, with this MAC and this address; it carries the name of the row."""
        tagged: Packet = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
        for tag in self.tags:
            tagged /= Dot1Q(vlan=tag) if tag >= 0 else Dot1AD(vlan=-tag)
        return bytes(tagged / IP(src=ip, dst="255.255.255.255") / UDP(sport=4000, dport=5000) / Raw(self.mark))

    @property
    def mark(self) -> bytes:
        """What tells the frame from others."""
        return f"<{self.name}>".encode()


def _row(name: str, tags: tuple[int, ...], mac_of: str, *heard_by: str, ip_of: str = "") -> Row:
    return Row(name, tags, mac_of, ip_of or mac_of, frozenset(heard_by))


ROWS: Final = (
    _row("no tag", (), "parent", "parent"),
    _row("the tag of a sub-port", (101,), "first", "first"),
    _row("the tag of another", (102,), "second", "second"),
    _row("a tag that no sub-port has", (103,), "first"),
    _row("the first tag that there is", (1,), "first"),
    _row("a tag that says nothing but a priority", (0,), "parent"),
    _row("the tag that is reserved", (4095,), "first"),
    _row("the MAC of the parent on a sub-port", (101,), "parent"),
    _row("the MAC of another sub-port", (101,), "second"),
    _row("the address of another sub-port", (101,), "first", ip_of="second"),
    _row("the MAC of a sub-port without its tag", (), "first"),
    _row("two tags, both own", (101, 102), "first"),
    _row("the same tag twice", (101, 101), "first"),
    _row("a strange tag around the own", (103, 101), "first"),
    _row("a strange tag in the own", (101, 103), "first"),
    _row("a priority around the own", (0, 101), "first"),
    _row("a service tag around the own", (-101, 101), "first"),
    _row("a service tag in the own", (101, -101), "first"),
    _row("a strange service tag around the own", (-103, 101), "first"),
    _row("three tags", (101, 101, 101), "first"),
)

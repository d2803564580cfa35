"""An attacker and a victim on one host, and which frames of the one reach the other. Needs root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from tests.bed.host import Guest, HostCase
from tests.bed.wire import Wire

SETTLE_SECONDS = 0.5


class AttackCase(HostCase):
    """An attacker and a victim on one network of both families; the victim's port lets everything in."""

    settings: ClassVar[Mapping[str, str]] = {"quota.security_group": "-1"}

    def setUp(self) -> None:
        """Plug both."""
        super().setUp()
        self.network = self.make_network("10.0.0.0/24", "fd00:1::/64")
        self.victim = self.guest(port_security_enabled=False)
        self.attacker = self.guest()

    def guest(self, **attributes: Any) -> Guest:
        """Plug a VM that says nothing of its own accord."""
        guest = self.make_guest(self.network, **attributes)
        guest.vm.run("ip", "link", "set", "eth0", "down")
        guest.vm.run("sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1")
        guest.vm.run("ip", "link", "set", "eth0", "up")
        self.plug(guest)
        return guest

    def ipv4(self, guest: Guest) -> str:
        """The guest's IPv4 address."""
        return self.address(guest, ".")

    def ipv6(self, guest: Guest) -> str:
        """The guest's IPv6 address."""
        return self.address(guest, ":")

    def address(self, guest: Guest, mark: str) -> str:
        """The guest's address that contains the mark."""
        return next(str(ip["ip_address"]) for ip in guest.port["fixed_ips"] if mark in ip["ip_address"])

    def arrived(self, frames: Mapping[str, Packet], sender: Guest | None = None) -> list[str]:
        """Let the attacker send named frames; return the names of those that reach the victim."""
        marked = {name: bytes(frame / Raw(f"<{name}>".encode())) for name, frame in frames.items()}
        return self.marked_arrived(marked, sender)

    def marked_arrived(self, frames: Mapping[str, bytes], sender: Guest | None = None) -> list[str]:
        """As ``arrived``, of frames that contain their names in angle brackets."""
        speaker = sender or self.attacker
        with Wire(self.victim.vm.namespace) as ear, Wire(speaker.vm.namespace) as mouth:
            # Frames keep their order: what was not heard before the last one is not coming.
            mouth.send(*frames.values(), bytes(self.own(speaker) / Raw(b"<the end>")))
            heard = _names_until_the_end(ear)
        return [name for name in frames if name in heard]

    def own(self, sender: Guest) -> Packet:
        """A packet that every port may send."""
        packet = IP(src=self.ipv4(sender), dst=self.ipv4(self.victim)) / ICMP()
        return Ether(src=sender.mac, dst=self.victim.mac) / packet


def _names_until_the_end(ear: Wire) -> frozenset[str]:
    heard = bytearray()

    def is_end(frame: bytes) -> bool:
        heard.extend(frame)
        return b"<the end>" in frame

    ear.await_frame(is_end, SETTLE_SECONDS)
    return frozenset(part.partition(">")[0] for part in heard.decode("latin-1").split("<")[1:])


def link_local(mac: str) -> str:
    """Return the link-local address that follows from a MAC."""
    parts = [int(part, 16) for part in mac.split(":")]
    return f"fe80::{parts[0] ^ 2:02x}{parts[1]:02x}:{parts[2]:02x}ff:fe{parts[3]:02x}:{parts[4]:02x}{parts[5]:02x}"

"""A small pipeline with everything that walks, and frames for it: compared between the walker and Open vSwitch."""

from __future__ import annotations

from quantumd.edge.openflow import actions as a
from quantumd.edge.openflow.interfaces import Flow, Group, SwitchChange
from quantumd.edge.openflow.match import Value, mac, match

ONE, TWO, THREE = 1, 2, 3
"""The three ports: all tests give them these numbers."""
PUNT_ID = 77

MAC_ONE, MAC_TWO, MAC_US = (mac(f"fa:16:3e:00:00:0{n}") for n in (1, 2, 9))
IP_ONE, IP_TWO = 0x0A000001, 0x0A000002
V6_ONE, V6_TWO, V6_US = (0xFD << 120 | n for n in (1, 2, 9))


def _flow(table: int, priority: int, packed: bytes, goto: int | None = None, **fields: Value) -> Flow:
    return Flow(table, priority, match(**fields), table << 8 | priority, a.instructions(packed, goto=goto))


_ARP_REPLY = (
    a.move("eth_src", "eth_dst") + a.set_field("eth_src", MAC_US) + a.set_field("arp_op", 2)
    + a.move("arp_sha", "arp_tha") + a.move("arp_spa", "arp_tpa")
    + a.set_field("arp_sha", MAC_US) + a.set_field("arp_spa", 0x0A0000FE) + a.output(a.IN_PORT)
)  # fmt: skip
_ECHO_REPLY = (
    a.move("eth_src", "eth_dst") + a.set_field("eth_src", MAC_US) + a.move("ipv4_src", "reg3")
    + a.move("ipv4_dst", "ipv4_src") + a.move("reg3", "ipv4_dst") + a.set_field("icmp_type", 0) + a.set_ttl(64)
    + a.load("in_port", 0) + a.output_reg("reg1")
)  # fmt: skip
_ADVERTISE = (
    a.move("eth_src", "eth_dst") + a.set_field("eth_src", MAC_US) + a.move("ipv6_src", "ipv6_dst")
    + a.set_field("ipv6_src", V6_US) + a.set_field("icmpv6_type", 136)
)  # fmt: skip
_ADVERTISED = (
    a.set_field("nd_reserved", 0x60000000) + a.set_field("nd_options_type", 2) + a.move("eth_src", "nd_tll")
    + a.output(a.IN_PORT)
)  # fmt: skip

FLOWS: tuple[Flow, ...] = (
    _flow(0, 100, a.load("reg1", ONE) + a.set_field("reg6", 7), 10, in_port=ONE, vlan_vid=0),
    _flow(0, 100, a.load("reg1", TWO) + a.load("reg6", 7, 0, 16), 10, in_port=TWO, vlan_vid=0),
    _flow(0, 100, a.pop_vlan() + a.set_field("reg6", 5), 10, in_port=THREE, vlan_vid=0x1005),
    _flow(0, 90, a.output(TWO), in_port=THREE, vlan_vid=(0x1000, 0x1000)),
    _flow(0, 0, a.DROP),
    _flow(10, 90, _ARP_REPLY, eth_type=0x0806, arp_op=1, arp_tpa=0x0A0000FE),
    _flow(10, 90, _ADVERTISE, 45, eth_type=0x86DD, ip_proto=58, icmpv6_type=135, icmpv6_code=0, nd_target=V6_US),
    _flow(10, 80, a.group(7), eth_dst=(1 << 40, 1 << 40)),
    _flow(10, 70, _ECHO_REPLY, eth_type=0x0800, ip_proto=1, icmp_type=8, icmp_code=0, ipv4_dst=0x0A0000FE),
    _flow(10, 60, a.controller(b"dhcp", PUNT_ID), eth_type=0x0800, ip_proto=17, udp_src=68, udp_dst=67),
    _flow(10, 50, a.ct(zone="reg6", table=20), eth_type=0x0800, reg6=7),
    _flow(10, 50, a.resubmit(30) + a.set_field("reg5", 0), eth_type=0x86DD),
    _flow(10, 40, a.dec_ttl() + a.set_field("eth_src", MAC_US) + a.output(ONE), eth_type=0x0800),
    _flow(10, 1, a.resubmit(30), 40),
    _flow(20, 50, a.conjunction(9, 1, 2), eth_type=0x0800, ipv4_src=(0x0A000000, 0xFFFFFF00)),
    _flow(20, 50, a.conjunction(9, 2, 2), eth_type=0x0800, ip_proto=17, udp_dst=(0x0100, 0xFF00)),
    _flow(20, 50, a.conjunction(9, 2, 2), eth_type=0x0800, ip_proto=6, tcp_dst=80),
    _flow(20, 50, a.resubmit(30), conj_id=9, ct_state=(0x21, 0x21), ct_zone=7, eth_type=0x0800),
    _flow(20, 10, a.DROP),
    _flow(20, 20, a.move("reg6", "reg7", 0, 8, 16) + a.output(THREE), eth_type=0x0800, ip_frag=(2, 2)),
    _flow(30, 10, a.set_field("reg5", TWO), 35, eth_dst=MAC_TWO),
    _flow(30, 10, a.set_field("reg5", ONE), 35, eth_dst=MAC_ONE),
    _flow(35, 60, a.set_field("nd_target", V6_ONE) + a.output(THREE), eth_type=0x86DD, ip_proto=58, icmpv6_type=135),
    _flow(35, 50, a.dec_ttl() + a.set_field("ipv6_src", V6_TWO) + a.set_field("udp_dst", 53) + a.output_reg("reg5"),
          eth_type=0x86DD, ip_proto=17),
    _flow(35, 10, a.set_field("udp_src", 99) + a.set_field("ipv4_src", IP_TWO) + a.output_reg("reg5"),
          eth_type=0x0800, ip_proto=17),
    _flow(35, 10, a.set_field("tcp_dst", 8080) + a.push_vlan() + a.set_field("vlan_vid", 0x1005) + a.output(THREE)
          + a.pop_vlan() + a.output_reg("reg5"), eth_type=0x0800, ip_proto=6),
    _flow(35, 1, a.output_reg("reg5", 0, 16)),
    _flow(40, 1, a.set_field("metadata", 3) + a.output(THREE), reg5=0),
    _flow(45, 10, _ADVERTISED, eth_type=0x86DD, ip_proto=58, icmpv6_type=136, icmpv6_code=0),
)  # fmt: skip

GROUPS: tuple[Group, ...] = (
    Group(7, (
        a.output(ONE),
        a.output(TWO),
        a.push_vlan() + a.set_field("vlan_vid", 0x1005) + a.output(THREE),
        a.set_field("reg5", 4) + a.resubmit(35),
    )),
)  # fmt: skip

CHANGE = SwitchChange(put_groups=GROUPS, put_flows=FLOWS)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = sum(int.from_bytes(data[n : n + 2].ljust(2, b"\0"), "big") for n in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(payload: bytes, kind: int, source: int = MAC_ONE, target: int = MAC_TWO, vid: int | None = None) -> bytes:
    """A frame of at least 60 bytes."""
    tag = b"" if vid is None else b"\x81\x00" + vid.to_bytes(2, "big")
    return (target.to_bytes(6, "big") + source.to_bytes(6, "big") + tag + kind.to_bytes(2, "big") + payload).ljust(
        60, b"\0"
    )


def arp(target: int, op: int = 1) -> bytes:
    """An ARP message of port one."""
    return b"\x00\x01\x08\x00\x06\x04" + b"".join(
        value.to_bytes(size, "big") for value, size in ((op, 2), (MAC_ONE, 6), (IP_ONE, 4), (0, 6), (target, 4))
    )


def ipv4(
    proto: int, payload: bytes, target: int = IP_TWO, ttl: int = 64, fragment: int = 0, source: int = IP_ONE
) -> bytes:
    """An IPv4 packet with right checksums (none in UDP when it says so)."""
    header = bytearray(b"\x45\x00" + (20 + len(payload)).to_bytes(2, "big") + b"\x00\x01" + fragment.to_bytes(2, "big"))
    header += bytes((ttl, proto, 0, 0)) + source.to_bytes(4, "big") + target.to_bytes(4, "big")
    header[10:12] = checksum(bytes(header)).to_bytes(2, "big")
    return bytes(header) + payload


def _with_checksum(payload: bytes, at: int, pseudo: bytes) -> bytes:
    return payload[:at] + checksum(pseudo + payload).to_bytes(2, "big") + payload[at + 2 :]


def _pseudo4(proto: int, length: int) -> bytes:
    return IP_ONE.to_bytes(4, "big") + IP_TWO.to_bytes(4, "big") + bytes((0, proto)) + length.to_bytes(2, "big")


def udp(source: int, target: int, data: bytes = b"abcde", pseudo: bytes | None = None) -> bytes:
    """A UDP datagram between the IPv4 addresses of ports one and two."""
    length = 8 + len(data)
    plain = b"".join(n.to_bytes(2, "big") for n in (source, target, length, 0)) + data
    return _with_checksum(plain, 6, _pseudo4(17, length) if pseudo is None else pseudo)


def tcp(source: int, target: int) -> bytes:
    """A TCP SYN between the IPv4 addresses of ports one and two."""
    plain = source.to_bytes(2, "big") + target.to_bytes(2, "big") + bytes(8) + b"\x50\x02\x10\x00" + bytes(4)
    return _with_checksum(plain, 16, _pseudo4(6, len(plain)))


def echo() -> bytes:
    """An ICMP echo request."""
    return _with_checksum(b"\x08\x00\x00\x00\x12\x34\x00\x01hello", 2, b"")


def ipv6(proto: int, payload: bytes, hops: int = 64) -> bytes:
    """An IPv6 packet from port one to port two."""
    head = b"\x60\x00\x00\x00" + len(payload).to_bytes(2, "big") + bytes((proto, hops))
    return head + V6_ONE.to_bytes(16, "big") + V6_TWO.to_bytes(16, "big") + payload


def _pseudo6(proto: int, length: int) -> bytes:
    ends = V6_ONE.to_bytes(16, "big") + V6_TWO.to_bytes(16, "big")
    return ends + length.to_bytes(4, "big") + bytes((0, 0, 0, proto))


def solicitation(target: int = V6_TWO, options: bytes = b"\x01\x01" + MAC_ONE.to_bytes(6, "big")) -> bytes:
    """A neighbour solicitation for an address, that of port two unless another is given."""
    plain = b"\x87\x00\x00\x00" + bytes(4) + target.to_bytes(16, "big") + options
    return _with_checksum(plain, 2, _pseudo6(58, len(plain)))


_UDP6 = udp(1024, 256, pseudo=_pseudo6(17, 13))

FRAMES: dict[str, tuple[int, bytes]] = {
    "ARP for us": (ONE, ethernet(arp(0x0A0000FE), 0x0806, target=(1 << 48) - 1)),
    "ARP flooded": (ONE, ethernet(arp(IP_TWO), 0x0806, target=(1 << 48) - 1)),
    "ARP reply to a MAC": (ONE, ethernet(arp(IP_TWO, 2), 0x0806)),
    "echo for us": (ONE, ethernet(ipv4(1, echo(), 0x0A0000FE), 0x0800)),
    "echo through": (ONE, ethernet(ipv4(1, echo()), 0x0800)),
    "DHCP": (ONE, ethernet(ipv4(17, udp(68, 67)), 0x0800)),
    "UDP allowed": (ONE, ethernet(ipv4(17, udp(1024, 0x0155)), 0x0800)),
    "UDP without checksum": (ONE, ethernet(ipv4(17, udp(1024, 0x0155)[:6] + b"\0\0" + b"abcde"), 0x0800)),
    "UDP refused": (ONE, ethernet(ipv4(17, udp(1024, 0x0255)), 0x0800)),
    "TCP allowed": (ONE, ethernet(ipv4(6, tcp(1024, 80)), 0x0800)),
    "TCP refused": (ONE, ethernet(ipv4(6, tcp(1024, 81)), 0x0800)),
    "to itself": (TWO, ethernet(ipv4(17, udp(1024, 0x0155)), 0x0800)),
    "to nobody": (ONE, ethernet(arp(IP_TWO, 2), 0x0806, target=MAC_US)),
    "tagged for us": (THREE, ethernet(ipv4(17, udp(1, 2)), 0x0800, vid=5)),
    "tagged, TTL used up": (THREE, ethernet(ipv4(17, udp(1, 2), ttl=1), 0x0800, vid=5)),
    "tagged otherwise": (THREE, ethernet(ipv4(17, udp(1, 2)), 0x0800, vid=6)),
    "untagged where tags are": (THREE, ethernet(ipv4(17, udp(1, 2)), 0x0800)),
    "unknown kind": (ONE, ethernet(bytes(46), 0x88CC)),
    "multicast IPv6": (ONE, ethernet(ipv6(58, solicitation(), 255), 0x86DD, target=mac("33:33:ff:00:00:02"))),
    "solicitation for us": (
        ONE,
        ethernet(ipv6(58, solicitation(V6_US), 255), 0x86DD, target=mac("33:33:ff:00:00:09")),
    ),
    "solicitation for us without an option": (ONE, ethernet(ipv6(58, solicitation(V6_US, b""), 255), 0x86DD)),
    "unicast solicitation": (ONE, ethernet(ipv6(58, solicitation(), 255), 0x86DD)),
    "UDP over IPv6": (ONE, ethernet(ipv6(17, _UDP6), 0x86DD)),
    "broken IPv4": (ONE, ethernet(b"\x45\x00\xff\xff" + bytes(42), 0x0800)),
    "short frame": (ONE, ethernet(b"", 0x0800)),
}
"""Named frames with the port where they come in."""

"""Fields of a packet as OpenFlow names them: the OXM headers that match and change them.

Sources: OpenFlow 1.4.0, 7.2.3; ovs-fields(7) for the Nicira fields and for prerequisites.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import field, frozen

from quantumd.errors import QuantumdError

OPENFLOW_BASIC = 0x8000
NICIRA_0 = 0x0000
NICIRA_1 = 0x0001
ERICSSON = 0x1000

VLAN_PRESENT = 0x1000
"""Set in ``vlan_vid`` of a tagged frame; ``vlan_vid=0`` matches frames without a tag."""

ETH_IPV4 = 0x0800
ETH_ARP = 0x0806
ETH_IPV6 = 0x86DD
ETH_VLAN = 0x8100
ETH_QINQ = 0x88A8
IP_ICMP = 1
IP_TCP = 6
IP_UDP = 17
IP_ICMPV6 = 58
IP_SCTP = 132


class WireError(QuantumdError):
    """Bytes that are not OpenFlow as the switch speaks it; ``str()`` says what is wrong."""


@frozen
class Field:
    """One field: ``size`` in bytes, ``bits`` that count; ``order`` is its place in a match that OVS reports.

    ``oxm`` and ``oxm_masked`` are the packed headers used in matches and set_field; ``nxm`` is the header (a number) by
    which OVS names the field in move, load and register arguments. ``needs`` are the fields and values that must be
    matched for this one to exist in a packet (any one of the values).
    """

    name: str
    order: int
    size: int
    bits: int
    header: int
    nxm: int
    text: str
    maskable: bool = True
    needs: tuple[tuple[str, tuple[int, ...]], ...] = ()
    oxm: bytes = field(init=False)
    oxm_masked: bytes = field(init=False)
    full: int = field(init=False)

    @oxm.default
    def _oxm(self) -> bytes:
        return self.header.to_bytes(4, "big")

    @oxm_masked.default
    def _oxm_masked(self) -> bytes:
        return ((self.header & ~0xFF) | 0x100 | (2 * self.size)).to_bytes(4, "big")

    @full.default
    def _full(self) -> int:
        return (1 << self.bits) - 1


def _header(oxm_class: int, number: int, size: int) -> int:
    return oxm_class << 16 | number << 9 | size


_Needs = tuple[tuple[str, tuple[int, ...]], ...]
_IP: _Needs = (("eth_type", (ETH_IPV4, ETH_IPV6)),)
_V4: _Needs = (("eth_type", (ETH_IPV4,)),)
_V6: _Needs = (("eth_type", (ETH_IPV6,)),)
_ARP: _Needs = (("eth_type", (ETH_ARP,)),)
_TCP: _Needs = (*_IP, ("ip_proto", (IP_TCP,)))
_UDP: _Needs = (*_IP, ("ip_proto", (IP_UDP,)))
_SCTP: _Needs = (*_IP, ("ip_proto", (IP_SCTP,)))
_ICMP: _Needs = (*_V4, ("ip_proto", (IP_ICMP,)))
_ICMPV6: _Needs = (*_V6, ("ip_proto", (IP_ICMPV6,)))
_ND: _Needs = (*_ICMPV6, ("icmpv6_type", (135, 136)))
_NS: _Needs = (*_ICMPV6, ("icmpv6_type", (135,)))
_NA: _Needs = (*_ICMPV6, ("icmpv6_type", (136,)))

# name, bits, (class, number), (class, number) by which OVS names it in actions or None when the same, text, needs.
# In the order in which OVS reports them (seen on OVS 3.1; a functional test compares every one with a real switch).
_ROWS: tuple[tuple[str, int, tuple[int, int], tuple[int, int] | None, str, bool, _Needs], ...] = (
    ("conj_id", 32, (NICIRA_1, 37), None, "NXM_NX_CONJ_ID", False, ()),
    ("in_port", 32, (OPENFLOW_BASIC, 0), None, "OXM_OF_IN_PORT", False, ()),
    ("eth_src", 48, (OPENFLOW_BASIC, 4), (NICIRA_0, 2), "NXM_OF_ETH_SRC", True, ()),
    ("eth_dst", 48, (OPENFLOW_BASIC, 3), (NICIRA_0, 1), "NXM_OF_ETH_DST", True, ()),
    ("eth_type", 16, (OPENFLOW_BASIC, 5), (NICIRA_0, 3), "NXM_OF_ETH_TYPE", False, ()),
    ("vlan_vid", 13, (OPENFLOW_BASIC, 6), None, "OXM_OF_VLAN_VID", True, ()),
    ("ipv4_src", 32, (OPENFLOW_BASIC, 11), (NICIRA_0, 7), "NXM_OF_IP_SRC", True, _V4),
    ("ipv4_dst", 32, (OPENFLOW_BASIC, 12), (NICIRA_0, 8), "NXM_OF_IP_DST", True, _V4),
    ("ipv6_src", 128, (OPENFLOW_BASIC, 26), (NICIRA_1, 19), "NXM_NX_IPV6_SRC", True, _V6),
    ("ipv6_dst", 128, (OPENFLOW_BASIC, 27), (NICIRA_1, 20), "NXM_NX_IPV6_DST", True, _V6),
    ("ip_frag", 8, (NICIRA_1, 26), None, "NXM_NX_IP_FRAG", True, _IP),
    ("ip_dscp", 6, (OPENFLOW_BASIC, 8), None, "OXM_OF_IP_DSCP", False, _IP),
    ("ip_ttl", 8, (NICIRA_1, 29), None, "NXM_NX_IP_TTL", False, _IP),
    ("ip_proto", 8, (OPENFLOW_BASIC, 10), (NICIRA_0, 6), "NXM_OF_IP_PROTO", False, _IP),
    ("tcp_src", 16, (OPENFLOW_BASIC, 13), (NICIRA_0, 9), "NXM_OF_TCP_SRC", True, _TCP),
    ("tcp_dst", 16, (OPENFLOW_BASIC, 14), (NICIRA_0, 10), "NXM_OF_TCP_DST", True, _TCP),
    ("udp_src", 16, (OPENFLOW_BASIC, 15), (NICIRA_0, 11), "NXM_OF_UDP_SRC", True, _UDP),
    ("udp_dst", 16, (OPENFLOW_BASIC, 16), (NICIRA_0, 12), "NXM_OF_UDP_DST", True, _UDP),
    ("sctp_src", 16, (OPENFLOW_BASIC, 17), None, "OXM_OF_SCTP_SRC", True, _SCTP),
    ("sctp_dst", 16, (OPENFLOW_BASIC, 18), None, "OXM_OF_SCTP_DST", True, _SCTP),
    ("icmp_type", 8, (OPENFLOW_BASIC, 19), (NICIRA_0, 13), "NXM_OF_ICMP_TYPE", False, _ICMP),
    ("icmp_code", 8, (OPENFLOW_BASIC, 20), (NICIRA_0, 14), "NXM_OF_ICMP_CODE", False, _ICMP),
    ("icmpv6_type", 8, (OPENFLOW_BASIC, 29), (NICIRA_1, 21), "NXM_NX_ICMPV6_TYPE", False, _ICMPV6),
    ("icmpv6_code", 8, (OPENFLOW_BASIC, 30), (NICIRA_1, 22), "NXM_NX_ICMPV6_CODE", False, _ICMPV6),
    ("nd_reserved", 32, (ERICSSON, 1), None, "ERICOXM_OF_ICMPV6_ND_RESERVED", False, _ND),
    ("nd_target", 128, (OPENFLOW_BASIC, 31), (NICIRA_1, 23), "NXM_NX_ND_TARGET", True, _ND),
    ("nd_options_type", 8, (ERICSSON, 2), None, "ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE", False, _ND),
    ("nd_sll", 48, (OPENFLOW_BASIC, 32), (NICIRA_1, 24), "NXM_NX_ND_SLL", True, _NS),
    ("nd_tll", 48, (OPENFLOW_BASIC, 33), (NICIRA_1, 25), "NXM_NX_ND_TLL", True, _NA),
    ("arp_op", 16, (OPENFLOW_BASIC, 21), (NICIRA_0, 15), "NXM_OF_ARP_OP", False, _ARP),
    ("arp_spa", 32, (OPENFLOW_BASIC, 22), (NICIRA_0, 16), "NXM_OF_ARP_SPA", True, _ARP),
    ("arp_tpa", 32, (OPENFLOW_BASIC, 23), (NICIRA_0, 17), "NXM_OF_ARP_TPA", True, _ARP),
    ("arp_sha", 48, (OPENFLOW_BASIC, 24), (NICIRA_1, 17), "NXM_NX_ARP_SHA", True, _ARP),
    ("arp_tha", 48, (OPENFLOW_BASIC, 25), (NICIRA_1, 18), "NXM_NX_ARP_THA", True, _ARP),
    ("tun_id", 64, (OPENFLOW_BASIC, 38), (NICIRA_1, 16), "NXM_NX_TUN_ID", True, ()),
    ("tun_src", 32, (NICIRA_1, 31), None, "NXM_NX_TUN_IPV4_SRC", True, ()),
    ("tun_dst", 32, (NICIRA_1, 32), None, "NXM_NX_TUN_IPV4_DST", True, ()),
    ("tun_ipv6_src", 128, (NICIRA_1, 109), None, "NXM_NX_TUN_IPV6_SRC", True, ()),
    ("tun_ipv6_dst", 128, (NICIRA_1, 110), None, "NXM_NX_TUN_IPV6_DST", True, ()),
    *((f"reg{n}", 32, (NICIRA_1, n), None, f"NXM_NX_REG{n}", True, ()) for n in range(16)),
    ("ct_state", 32, (NICIRA_1, 105), None, "NXM_NX_CT_STATE", True, ()),
    ("ct_zone", 16, (NICIRA_1, 106), None, "NXM_NX_CT_ZONE", False, ()),
    ("ct_mark", 32, (NICIRA_1, 107), None, "NXM_NX_CT_MARK", True, ()),
    ("metadata", 64, (OPENFLOW_BASIC, 2), None, "OXM_OF_METADATA", True, ()),
)


def _fields() -> dict[str, Field]:
    made = {}
    for order, (name, bits, wire, named, text, maskable, needs) in enumerate(_ROWS):
        size = (bits + 7) // 8
        header = _header(*wire, size)
        made[name] = Field(name, order, size, bits, header, _header(*(named or wire), size), text, maskable, needs)
    return made


FIELDS: Mapping[str, Field] = MappingProxyType(_fields())
"""Every field that quantumd's flows may use, by name, in the order of a match."""

FIELD_OF_HEADER: Mapping[int, Field] = MappingProxyType(
    {header: f for f in FIELDS.values() for header in (f.header & ~0x1FF, f.nxm & ~0x1FF)}
)
"""The field behind an OXM or NXM header, the mask bit and length cleared."""

CT_STATE_BITS: Mapping[str, int] = MappingProxyType(
    {"new": 0x01, "est": 0x02, "rel": 0x04, "rpl": 0x08, "inv": 0x10, "trk": 0x20, "snat": 0x40, "dnat": 0x80}
)


def field_named(name: str) -> Field:
    """Return the field; a name that is none is a bug of the caller and raises ValueError."""
    try:
        return FIELDS[name]
    except KeyError:
        raise ValueError(f"there is no field {name!r}; fields are {', '.join(FIELDS)}") from None

"""One of each match and action that the builders offer, for tests that compare all of them with something else."""

from __future__ import annotations

from collections.abc import Mapping

from quantumd.edge.openflow import actions as a
from quantumd.edge.openflow.match import Value
from quantumd.edge.openflow.oxm import FIELDS, Field

Fields = dict[str, Value]

_PATTERN = 0x0123456789ABCDEF0123456789ABCDEF
_VALUES: Mapping[str, Value] = {
    "in_port": 5, "vlan_vid": 0x1005, "ct_state": (0x21, 0x21), "ip_frag": (1, 1),
    "eth_type": 0x0800, "ip_proto": 6, "arp_op": 2,
}  # fmt: skip


def needs_of(field: Field) -> Fields:
    """What must be matched before the field can be."""
    return {name: values[0] for name, values in field.needs}


def _one(field: Field) -> Fields:
    return {**needs_of(field), field.name: _VALUES.get(field.name, _PATTERN & field.full)}


def _masked(field: Field) -> list[Fields]:
    whole = _one(field)
    value = whole[field.name]
    if not field.maskable or not isinstance(value, int):
        return []
    masks = (field.full & field.full << 3, 1 << field.bits - 1, field.full, 0)
    return [{**whole, field.name: (value, mask)} for mask in masks]


_PIPELINE: Fields = {
    **{f"reg{n}": n + 1 for n in range(16)},
    "metadata": 5, "ct_mark": 4, "ct_zone": 3, "ct_state": (0x21, 0x3F), "tun_id": 9, "vlan_vid": 0x1003,
    "tun_src": (2, 0xFFF), "tun_dst": 7, "eth_dst": 2, "eth_src": (1, 0xFF), "in_port": 1, "conj_id": 4,
}  # fmt: skip
_FULL: tuple[Fields, ...] = (
    {"tcp_dst": 2, "tcp_src": (1, 0xFFF), "ipv4_dst": 2, "ipv4_src": (1, 0xFFFF), "ip_ttl": 4, "ip_frag": (0, 2),
     "ip_proto": 6, "eth_type": 0x0800},
    {"udp_dst": (2, 2), "udp_src": 1, "ipv6_dst": 2, "ipv6_src": (1 << 127, 1 << 127), "ip_proto": 17,
     "eth_type": 0x86DD},
    {"icmp_code": 0, "icmp_type": 8, "ip_proto": 1, "eth_type": 0x0800},
    {"nd_sll": 5, "nd_options_type": 1, "nd_target": 4, "nd_reserved": 6,
     "icmpv6_code": 0, "icmpv6_type": 135, "ip_proto": 58, "eth_type": 0x86DD},
    {"nd_tll": 5, "nd_options_type": 1, "nd_target": 4, "nd_reserved": 6,
     "icmpv6_code": 0, "icmpv6_type": 136, "ip_proto": 58, "eth_type": 0x86DD},
    {"arp_tha": 5, "arp_sha": 4, "arp_tpa": 3, "arp_spa": (2, 0xFF), "arp_op": 1, "eth_type": 0x0806},
)  # fmt: skip

MATCHES: tuple[Fields, ...] = (
    {},
    {"vlan_vid": 0},
    {"vlan_vid": (0, 0x1000)},
    {"vlan_vid": (0x1000, 0x1000)},
    {"eth_dst": (1 << 40, 1 << 40)},
    *(_one(field) for field in FIELDS.values()),
    *(fields for field in FIELDS.values() for fields in _masked(field)),
    *({**fields, **_PIPELINE} for fields in _FULL),
)
"""Every field alone, with masks, and all that go together at once; named in an order that is not the switch's."""

_TAGGED: Fields = {"vlan_vid": (0x1000, 0x1000)}
_IPV4: Fields = {"eth_type": 0x0800}


def _of_fields() -> dict[str, tuple[bytes, Fields]]:
    found = {}
    for name in a.SETTABLE:
        field = FIELDS[name]
        needs = _TAGGED if name == "vlan_vid" else needs_of(field)
        found[f"set {name}"] = a.set_field(name, 0x1005 if name == "vlan_vid" else 5), needs
        if name != "vlan_vid":
            found[f"load part of {name}"] = a.load(name, 1, 1, 3), needs
            found[f"load {name}"] = a.load(name, 5, 0, min(field.bits, 64)), needs
        if field.bits == 32:
            found[f"move {name}"] = a.move(name, "reg3"), needs
            found[f"move to {name}"] = a.move("reg4", name), needs
    return found


ACTIONS: Mapping[str, tuple[bytes, Fields]] = {
    **_of_fields(),
    "output": (a.output(3), {}),
    "in_port": (a.output(a.IN_PORT), {}),
    "local": (a.output(a.LOCAL), {}),
    "output_reg": (a.output_reg("reg5"), {}),
    "output part of a register": (a.output_reg("reg5", 3, 16), {}),
    "group": (a.group(7), {}),
    "resubmit": (a.resubmit(9), {}),
    "load in_port": (a.load("in_port", 0), {}),
    "move in_port": (a.move("in_port", "reg1"), {}),
    "move eth": (a.move("eth_src", "eth_dst"), {}),
    "move arp": (a.move("arp_sha", "arp_tha") + a.move("arp_spa", "arp_tpa"), {"eth_type": 0x0806}),
    "move bits": (a.move("reg3", "reg4", 0, 16, 16), {}),
    "move ipv6": (a.move("ipv6_src", "ipv6_dst"), {"eth_type": 0x86DD}),
    "push_vlan": (a.push_vlan() + a.set_field("vlan_vid", 0x1005) + a.output(1), {}),
    "pop_vlan": (a.pop_vlan() + a.output(1), _TAGGED),
    "dec_ttl": (a.dec_ttl(), _IPV4),
    "set_ttl": (a.set_ttl(64), _IPV4),
    "ct": (a.ct(zone=9), _IPV4),
    "ct commit": (a.ct(commit=True, zone="reg6", table=5), _IPV4),
    "ct force": (a.ct(commit=True, force=True, zone="reg6", nested=a.load("ct_mark", 1)), _IPV4),
    "ct mark": (a.ct(commit=True, zone=9, nested=a.set_field("ct_mark", 1)), _IPV4),
    "ct move": (a.ct(commit=True, zone="reg6", table=5, nested=a.move("reg3", "ct_mark")), _IPV4),
    "controller": (a.controller(b"x", 3), {}),
    "controller 0": (a.controller(b"0123456789", 0), {}),
    "controller max_len": (a.controller(b"0123456789", 3, max_len=128), {}),
    "controller meter": (a.controller(b"0123456789", 3, meter=1), {}),
    "check_larger": (a.check_larger(1500, "reg15", 3), {}),
    "conjunction": (a.conjunction(3, 1, 2) + a.conjunction(5, 1, 3), {}),
}
"""Each action with what a flow must match to have it."""

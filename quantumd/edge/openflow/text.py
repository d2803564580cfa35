"""Flows in words much like those of ovs-ofctl, for traces, logs and the failures of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from quantumd.edge.openflow import decoded
from quantumd.edge.openflow.decode import unpack_instructions
from quantumd.edge.openflow.decoded import Action, Bits
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import FieldMatch, unpack_match
from quantumd.edge.openflow.oxm import CT_STATE_BITS, Field, WireError

_PORT_NAMES = {0xFFFFFFF8: "IN_PORT", 0xFFFFFFFD: "CONTROLLER", 0xFFFFFFFE: "LOCAL"}
_HEXADECIMAL = ("eth_type", "vlan_vid", "ct_mark", "metadata", "tun_id")


def flow_text(flow: Flow) -> str:
    """Return a whole flow on one line."""
    match = match_text(flow.match)
    return (
        f"cookie={flow.cookie:#x}, table={flow.table}, priority={flow.priority}{',' if match else ''}{match} "
        f"actions={instructions_text(flow.instructions)}"
    )


def match_text(packed: bytes) -> str:
    """Return a match as field=value pairs; what cannot be unpacked is shown in hexadecimal."""
    try:
        return ",".join(map(_field_text, unpack_match(packed)))
    except WireError as error:
        return f"<{packed.hex()}: {error}>"


def instructions_text(packed: bytes) -> str:
    """Return what a flow does; ``drop`` for nothing."""
    try:
        found = unpack_instructions(packed)
    except WireError as error:
        return f"<{packed.hex()}: {error}>"
    parts = [f"meter:{found.meter}"] if found.meter is not None else []
    parts += map(action_text, found.actions)
    parts += [f"<{piece.hex()}>" for piece in found.unknown]
    if found.goto is not None:
        parts.append(f"goto_table:{found.goto}")
    return ",".join(parts) or "drop"


def actions_text(actions: Iterable[Action]) -> str:
    """Return actions, separated by commas."""
    return ",".join(map(action_text, actions))


def action_text(action: Action) -> str:
    """Return one action."""
    return _TEXTS[type(action)](action)


def value_text(field: Field, value: int) -> str:
    """Return a value as people write it: addresses as addresses, ports by name."""
    name = field.name
    if field.bits == 48:
        return ":".join(f"{byte:02x}" for byte in value.to_bytes(6, "big"))
    if field.bits == 128:
        return str(IPv6Address(value))
    if name in ("ipv4_src", "ipv4_dst", "arp_spa", "arp_tpa", "tun_src", "tun_dst"):
        return str(IPv4Address(value))
    if name == "in_port":
        return _PORT_NAMES.get(value, str(value))
    return f"{value:#x}" if name in _HEXADECIMAL or name.startswith("reg") else str(value)


def _field_text(found: FieldMatch) -> str:
    field, value, mask = found.field, found.value, found.mask
    if field.name == "ct_state":
        return "ct_state=" + "".join(
            ("+" if value & bit else "-") + name for name, bit in CT_STATE_BITS.items() if mask & bit
        )
    if found.is_exact:
        return f"{field.name}={value_text(field, value)}"
    prefix = field.bits - (field.full & ~mask).bit_length()
    if field.full & ~mask == (1 << (field.bits - prefix)) - 1 and field.name[:4] in ("ipv4", "ipv6", "arp_"):
        return f"{field.name}={value_text(field, value)}/{prefix}"
    return f"{field.name}={value_text(field, value)}/{value_text(field, mask)}"


def _bits(bits: Bits) -> str:
    inside = "" if bits.is_whole else f"{bits.first}..{bits.first + bits.count - 1}"
    return f"{bits.field.text}[{inside}]"


def _set_text(action: decoded.SetField) -> str:
    if action.target.is_whole:
        return f"set_field:{value_text(action.target.field, action.value)}->{action.target.field.name}"
    return f"load:{action.value:#x}->{_bits(action.target)}"


def _ct_text(action: decoded.Ct) -> str:
    zone = _bits(action.zone) if isinstance(action.zone, Bits) else str(action.zone)
    parts = (["commit"] if action.is_commit else []) + (["force"] if action.is_forced else [])
    parts += [f"table={action.table}"] if action.table is not None else []
    parts.append(f"zone={zone}")
    parts += [f"exec({actions_text(action.nested)})"] if action.nested else []
    return f"ct({','.join(parts)})"


def _punt_text(action: decoded.Punt) -> str:
    parts = [f"userdata={action.userdata.hex('.')}"]
    parts += [f"id={action.controller_id}"] if action.controller_id else []
    parts += [f"max_len={action.max_len}"] if action.max_len != 0xFFFF else []
    parts += [f"meter_id={action.meter}"] if action.meter is not None else []
    return f"controller({','.join(parts)})"


_TEXTS: dict[type, Callable[[Any], str]] = {
    decoded.Output: lambda a: f"output:{_PORT_NAMES.get(a.port, a.port)}",
    decoded.OutputBits: lambda a: f"output:{_bits(a.source)}",
    decoded.ToGroup: lambda a: f"group:{a.number}",
    decoded.PushVlan: lambda a: f"push_vlan:{a.ethertype:#06x}",
    decoded.PopVlan: lambda a: "pop_vlan",
    decoded.SetTtl: lambda a: f"mod_nw_ttl:{a.ttl}",
    decoded.DecTtl: lambda a: "dec_ttl",
    decoded.SetField: _set_text,
    decoded.Move: lambda a: f"move:{_bits(a.source)}->{_bits(a.target)}",
    decoded.Resubmit: lambda a: f"resubmit(,{a.table})",
    decoded.Ct: _ct_text,
    decoded.Punt: _punt_text,
    decoded.Conjunct: lambda a: f"conjunction({a.number},{a.clause}/{a.clauses})",
    decoded.CheckLarger: lambda a: f"check_pkt_larger({a.length})->{_bits(a.target)}",
    decoded.Clone: lambda a: f"clone({actions_text(a.nested)})",
    decoded.Unknown: lambda a: f"<{a.raw.hex()}>",
}

"""Actions and instructions, packed in the form in which OVS reports them.

Each builder returns the bytes of one action; concatenate them, then wrap them with ``instructions``.
Sources: OpenFlow 1.4.0, 7.2.4 and 7.2.5; ovs-actions(7) for the Nicira actions.
"""

from __future__ import annotations

from struct import Struct

from quantumd.edge.openflow.oxm import FIELDS, Field, field_named

IN_PORT = 0xFFFFFFF8
"""Out by the port where the frame came in; any other output to that port is suppressed."""
LOCAL = 0xFFFFFFFE
CONTROLLER = 0xFFFFFFFD

DROP = b""
"""The instructions of a flow that drops."""

NICIRA = 0x00002320
_VENDOR = 0xFFFF

_HEAD = Struct("!HH4x")
_OUTPUT = Struct("!HHIH6x")
_WORD = Struct("!HHI")
_HALF = Struct("!HHH2x")
_BYTE = Struct("!HHB3x")
_NX = Struct("!HHIH6x")
_RESUBMIT = Struct("!HHIHHB3x")
_LOAD = Struct("!HHIHHIQ")
_MOVE = Struct("!HHIHHHHII")
_OUTPUT_REG = Struct("!HHIHHIH6x")
_CONJUNCTION = Struct("!HHIHBBI")
_LARGER = Struct("!HHIHHHI6x")
_CT = Struct("!HHIHHIHB3xH")


def output(port: int) -> bytes:
    """Send the frame out by an OpenFlow port; by the port where it came in only as IN_PORT."""
    return _OUTPUT.pack(0, 16, port, 0)


def output_reg(field: str, first_bit: int = 0, bits: int | None = None) -> bytes:
    """Send the frame out by the port whose number stands in a register (or some bits of it)."""
    f = field_named(field)
    return _OUTPUT_REG.pack(_VENDOR, 24, NICIRA, 15, first_bit << 6 | ((bits or f.bits) - 1), f.nxm, 0xFFFF)


def group(number: int) -> bytes:
    """Give the frame to a group."""
    return _WORD.pack(22, 8, number)


def resubmit(table: int) -> bytes:
    """Look the frame up in any table, then go on with the actions after this one."""
    return _RESUBMIT.pack(_VENDOR, 16, NICIRA, 14, 0xFFF8, table)


def set_field(field: str, value: int) -> bytes:
    """Set a whole field or register. What the frame must have (say a VLAN tag) is the flow's to match.

    :raises ValueError: no such field, or the value does not fit.
    """
    f = field_named(field)
    try:
        oxm = f.oxm + value.to_bytes(f.size, "big")
    except OverflowError:
        raise ValueError(f"{value:#x} does not fit {field}") from None
    length = (4 + len(oxm) + 7) & ~7
    return _OXM_SET[length] + oxm + bytes(length - 4 - len(oxm))


_OXM_SET = {length: (25).to_bytes(2, "big") + length.to_bytes(2, "big") for length in range(8, 64, 8)}


def load(field: str, value: int, first_bit: int = 0, bits: int | None = None) -> bytes:
    """Set some bits of a field or register (all when ``bits`` is None), at most 64.

    :raises ValueError: no such field or bits, or the value does not fit them.
    """
    f = field_named(field)
    count = f.bits - first_bit if bits is None else bits
    _check_bits(f, first_bit, count)
    if count > 64 or value >> count:
        raise ValueError(f"{value:#x} does not fit {count} bits of {field}")
    return _LOAD.pack(_VENDOR, 24, NICIRA, 7, first_bit << 6 | (count - 1), f.nxm, value)


def move(source: str, target: str, source_bit: int = 0, target_bit: int = 0, bits: int | None = None) -> bytes:
    """Copy a field, or ``bits`` of it, to another.

    :raises ValueError: no such field or bits; without ``bits``, the two differ in size.
    """
    s, t = field_named(source), field_named(target)
    if bits is None and s.bits != t.bits:
        raise ValueError(f"{source} has {s.bits} bits, {target} {t.bits}: say how many to move")
    count = bits or s.bits
    _check_bits(s, source_bit, count)
    _check_bits(t, target_bit, count)
    return _MOVE.pack(_VENDOR, 24, NICIRA, 6, count, source_bit, target_bit, s.nxm, t.nxm)


def _check_bits(field: Field, first: int, count: int) -> None:
    if first < 0 or count < 1 or first + count > field.bits:
        raise ValueError(f"{field.name} has no bits {first} to {first + count - 1}")


def push_vlan(ethertype: int = 0x8100) -> bytes:
    """Put an 802.1Q tag (VLAN 0) before what the frame carries; set ``vlan_vid`` after it."""
    return _HALF.pack(17, 8, ethertype)


def pop_vlan() -> bytes:
    """Take the outer VLAN tag off."""
    return _HEAD.pack(18, 8)


def dec_ttl() -> bytes:
    """Decrement the TTL or hop limit; what would reach 0 is dropped."""
    return _HEAD.pack(24, 8)


def set_ttl(ttl: int) -> bytes:
    """Set the TTL or hop limit."""
    return _BYTE.pack(23, 8, ttl)


def ct(
    *, commit: bool = False, zone: int | str = 0, table: int | None = None, nested: bytes = b"", force: bool = False
) -> bytes:
    """Track the connection in a zone: a number, or a field whose low 16 bits hold it.

    With ``table`` a copy goes on there with ct_state set, while the frame itself goes on with the actions after
    this one. ``nested`` are set_field, load and move of ct_mark, done with the commit.
    """
    if isinstance(zone, str):
        zone_source, zone_value = field_named(zone).nxm, 15
    else:
        zone_source, zone_value = 0, zone
    flags = (1 if commit else 0) | (2 if force else 0)
    return (
        _CT.pack(
            _VENDOR, 24 + len(nested), NICIRA, 35, flags, zone_source, zone_value, 255 if table is None else table, 0
        )
        + nested
    )


def controller(userdata: bytes, controller_id: int, meter: int | None = None, max_len: int = 0xFFFF) -> bytes:
    """Send the frame with ``userdata`` to the connections that took this controller id.

    ``meter`` limits how many go; without one OVS's own limits apply.

    :raises ValueError: empty userdata, which OVS would turn into another action.
    """
    if not userdata:
        raise ValueError("userdata must not be empty: it says which flow sent the frame")
    # In OVS's order and with its defaults left out: max_len 0xffff, controller id 0 (encode_CONTROLLER).
    parts = []
    if max_len != 0xFFFF:
        parts.append(_property(0, max_len.to_bytes(2, "big") + bytes(2)))
    if controller_id:
        parts.append(_property(1, controller_id.to_bytes(2, "big") + bytes(2)))
    parts.append(_property(3, userdata))
    if meter is not None:
        parts.append(_property(5, meter.to_bytes(4, "big")))
    body = b"".join(parts)
    return _NX.pack(_VENDOR, 16 + len(body), NICIRA, 37) + body


def _property(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return kind.to_bytes(2, "big") + length.to_bytes(2, "big") + value + bytes(-length % 8)


def check_larger(length: int, field: str, bit: int) -> bytes:
    """Set a bit of a register if the frame is longer than ``length`` bytes, else clear it.

    Open vSwitch does the actions after it for both cases, on a copy of the frame of its own.
    """
    return _LARGER.pack(_VENDOR, 24, NICIRA, 49, length, bit, field_named(field).nxm)


def conjunction(number: int, clause: int, clauses: int) -> bytes:
    """Say that the flow matches clause ``clause`` (from 1) of ``clauses`` of a conjunction.

    Flows of the same match in several conjunctions are ONE flow with one of these actions for each.
    """
    return _CONJUNCTION.pack(_VENDOR, 16, NICIRA, 34, clause - 1, clauses, number)


def clone(nested: bytes) -> bytes:
    """Do actions with a copy of the frame; what they change of it is forgotten after."""
    return _NX.pack(_VENDOR, 16 + len(nested), NICIRA, 42) + nested


def instructions(actions: bytes = b"", *, goto: int | None = None, meter: int | None = None) -> bytes:
    """Pack what a flow does: pass the meter, apply the actions in their order, go on in a later table."""
    packed = _WORD.pack(6, 8, meter) if meter is not None else b""
    if actions:
        packed += _HEAD.pack(4, 8 + len(actions)) + actions
    if goto is not None:
        packed += _BYTE.pack(1, 8, goto)
    return packed


SETTABLE: tuple[str, ...] = tuple(
    name
    for name in FIELDS
    if name not in ("conj_id", "in_port", "eth_type", "ip_frag", "ip_ttl", "ip_proto", "ct_state", "ct_zone", "ct_mark")
)
"""Fields that set_field takes in a flow's own actions (in_port only by ``load``; ct_mark only nested in ct)."""

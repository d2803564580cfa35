"""Packed actions and instructions, taken apart into values."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, error

from quantumd.edge.openflow.decoded import (
    Action,
    Bits,
    CheckLarger,
    Clone,
    Conjunct,
    Ct,
    DecTtl,
    Instructions,
    Move,
    Output,
    OutputBits,
    PopVlan,
    Punt,
    PushVlan,
    Resubmit,
    SetField,
    SetTtl,
    ToGroup,
    Unknown,
)
from quantumd.edge.openflow.match import read_oxm
from quantumd.edge.openflow.oxm import FIELD_OF_HEADER, Field, WireError

_HEAD = Struct("!HH")
_NICIRA_HEAD = Struct("!IH")
_NICIRA = 0x2320


def unpack_instructions(packed: bytes) -> Instructions:
    """Return what packed instructions say.

    :raises WireError: truncated, or lengths that do not fit.
    """
    meter, goto, actions, unknown = None, None, (), []  # type: int | None, int | None, tuple[Action, ...], list[bytes]
    at = 0
    while at < len(packed):
        kind, piece = _piece(packed, at)
        if kind == 1:
            goto = piece[4]
        elif kind == 4:
            actions = unpack_actions(piece[8:])
        elif kind == 6:
            meter = int.from_bytes(piece[4:8], "big")
        else:
            unknown.append(piece)
        at += len(piece)
    return Instructions(meter, actions, goto, tuple(unknown))


def unpack_actions(packed: bytes) -> tuple[Action, ...]:
    """Return the actions of a list.

    :raises WireError: truncated, lengths that do not fit, or a field unknown to quantumd.
    """
    found: list[Action] = []
    at = 0
    while at < len(packed):
        kind, piece = _piece(packed, at)
        try:
            found.append(_action(kind, piece))
        except (error, IndexError):
            raise WireError(f"action {kind} at byte {at} is too short") from None
        at += len(piece)
    return tuple(found)


def _piece(packed: bytes, at: int) -> tuple[int, bytes]:
    if at + 8 > len(packed):
        raise WireError(f"truncated at byte {at} of {len(packed)}")
    kind, length = _HEAD.unpack_from(packed, at)
    if length < 8 or length % 8 or at + length > len(packed):
        raise WireError(f"wrong length {length} at byte {at}")
    return kind, packed[at : at + length]


def _action(kind: int, piece: bytes) -> Action:
    if kind == 0xFFFF:
        vendor, subtype = _NICIRA_HEAD.unpack_from(piece, 4)
        unpack = _OF_NICIRA.get(subtype) if vendor == _NICIRA else None
    else:
        unpack = _OF_OPENFLOW.get(kind)
    return unpack(piece) if unpack is not None else Unknown(piece)


def _named(header: int) -> Field:
    field = FIELD_OF_HEADER.get(header & ~0x1FF)
    if field is None:
        raise WireError(f"unknown field {header:#010x} in an action")
    return field


def _output(piece: bytes) -> Action:
    return Output(*Struct("!IH").unpack_from(piece, 4))


def _set_field(piece: bytes) -> Action:
    return _set(piece, 4)


def _set(piece: bytes, at: int) -> Action:
    field, has_mask, value, mask, _ = read_oxm(piece, at)
    if not has_mask:
        return SetField(Bits(field, 0, field.bits), value)
    bits = _mask_bits(field, mask)
    return SetField(bits, value >> bits.first)


def _mask_bits(field: Field, mask: int) -> Bits:
    first = (mask & -mask).bit_length() - 1
    count = mask.bit_length() - first
    if mask == 0 or mask >> first != (1 << count) - 1:
        raise WireError(f"mask {mask:#x} of {field.name} has holes")
    return Bits(field, first, count)


def _load(piece: bytes) -> Action:
    place, header, value = Struct("!HIQ").unpack_from(piece, 10)
    bits = Bits(_named(header), place >> 6, (place & 0x3F) + 1)
    if value >> bits.count:
        raise WireError(f"{value:#x} does not fit {bits.count} bits of {bits.field.name}")
    return SetField(bits, value)


def _load2(piece: bytes) -> Action:
    return _set(piece, 16)


def _move(piece: bytes) -> Action:
    count, source_bit, target_bit, source, target = Struct("!HHHII").unpack_from(piece, 10)
    return Move(Bits(_named(source), source_bit, count), Bits(_named(target), target_bit, count))


def _output_bits(piece: bytes) -> Action:
    place, header = Struct("!HI").unpack_from(piece, 10)
    return OutputBits(Bits(_named(header), place >> 6, (place & 0x3F) + 1))


def _resubmit(piece: bytes) -> Action:
    return Resubmit(*Struct("!HB").unpack_from(piece, 10))


def _ct(piece: bytes) -> Action:
    flags, header, place, table = Struct("!HIHB").unpack_from(piece, 10)
    zone: int | Bits = Bits(_named(header), place >> 6, (place & 0x3F) + 1) if header else place
    nested = unpack_actions(piece[24:])
    return Ct(bool(flags & 1), bool(flags & 2), zone, None if table == 255 else table, nested)


def _punt(piece: bytes) -> Action:
    values: dict[int, bytes] = {}
    at = 16
    while at < len(piece):
        kind, length = _HEAD.unpack_from(piece, at)
        if length < 4 or at + length > len(piece):
            raise WireError(f"property {kind} of a controller action has a wrong length")
        values[kind] = piece[at + 4 : at + length]
        at += length + -length % 8
    max_len = int.from_bytes(values.get(0, b"\xff\xff")[:2], "big")
    meter = int.from_bytes(values[5], "big") if 5 in values else None
    return Punt(values.get(3, b""), int.from_bytes(values.get(1, b"")[:2], "big"), max_len, meter)


def _conjunct(piece: bytes) -> Action:
    clause, clauses, number = Struct("!BBI").unpack_from(piece, 10)
    return Conjunct(number, clause + 1, clauses)


def _check_larger(piece: bytes) -> Action:
    length, bit, header = Struct("!HHI").unpack_from(piece, 10)
    return CheckLarger(length, Bits(_named(header), bit, 1))


def _word(piece: bytes) -> int:
    return int.from_bytes(piece[4:8], "big")


_OF_OPENFLOW: dict[int, Callable[[bytes], Action]] = {
    0: _output,
    17: lambda piece: PushVlan(_word(piece) >> 16),
    18: lambda piece: PopVlan(),
    22: lambda piece: ToGroup(_word(piece)),
    23: lambda piece: SetTtl(piece[4]),
    24: lambda piece: DecTtl(),
    25: _set_field,
}
_OF_NICIRA: dict[int, Callable[[bytes], Action]] = {
    6: _move,
    7: _load,
    14: _resubmit,
    15: _output_bits,
    33: _load2,
    34: _conjunct,
    35: _ct,
    37: _punt,
    42: lambda piece: Clone(unpack_actions(piece[16:])),
    49: _check_larger,
}

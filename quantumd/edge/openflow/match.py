"""Matches: packed as OVS reports them, so that what was sent and what is read back compare equal byte by byte."""

from __future__ import annotations

from attrs import frozen

from quantumd.edge.openflow.oxm import FIELD_OF_HEADER, FIELDS, Field, WireError

Value = int | tuple[int, int]
"""A whole value, or (value, mask). Addresses are numbers: int(IPv4Address(...)), mac(...)."""

_ORDER = {name: f.order for name, f in FIELDS.items()}
_ORDER_OF = _ORDER.__getitem__
_EXACT = {name: (f.oxm, f.size) for name, f in FIELDS.items()}


def match(**fields: Value) -> bytes:
    """Return the OXM fields of a match, without header and padding, in the order in which OVS reports them.

    Bits of a value outside its mask are cleared, a full mask is left out and an empty one drops the field, as OVS
    does. ``vlan_vid=0`` is a frame without a tag, ``vlan_vid=0x1000 | vid`` one with that tag,
    ``vlan_vid=(0x1000, 0x1000)`` one with any. Fields that others need (eth_type for ipv4_dst …) are the
    caller's to name; the switch refuses a flow without them.

    :raises ValueError: no such field, a value too large, or a mask on a field that takes none.
    """
    parts = []
    try:
        for name in sorted(fields, key=_ORDER_OF):
            value = fields[name]
            if isinstance(value, int):
                header, size = _EXACT[name]
                parts.append(header)
                parts.append(value.to_bytes(size, "big"))
            else:
                parts.append(_masked(FIELDS[name], *value))
    except KeyError as error:
        raise ValueError(f"there is no field {error}") from None
    except OverflowError:
        raise ValueError(f"a value does not fit its field: {fields}") from None
    return b"".join(parts)


def _masked(field: Field, value: int, mask: int) -> bytes:
    if mask == 0:
        return b""
    if mask == field.full:
        return field.oxm + value.to_bytes(field.size, "big")
    if not field.maskable:
        raise ValueError(f"{field.name} takes no mask")
    return field.oxm_masked + (value & mask).to_bytes(field.size, "big") + mask.to_bytes(field.size, "big")


@frozen
class FieldMatch:
    """One field of a match; ``mask`` has every bit set when the whole value must be equal."""

    field: Field
    value: int
    mask: int

    @property
    def is_exact(self) -> bool:
        """Whether the whole value is matched."""
        return self.mask == self.field.full


def unpack_match(packed: bytes) -> tuple[FieldMatch, ...]:
    """Return the fields of a packed match in the order in which they stand.

    :raises WireError: truncated, a field unknown to quantumd, or a length that is not the field's.
    """
    found = []
    at = 0
    while at < len(packed):
        field, has_mask, value, mask, at = read_oxm(packed, at)
        found.append(FieldMatch(field, value, mask if has_mask else field.full))
    return tuple(found)


def read_oxm(packed: bytes, at: int) -> tuple[Field, bool, int, int, int]:
    """Read one OXM field: (field, whether it has a mask, value, mask, where the next one begins)."""
    if at + 4 > len(packed):
        raise WireError(f"match field header truncated at {at} of {len(packed)} bytes")
    header = int.from_bytes(packed[at : at + 4], "big")
    field = FIELD_OF_HEADER.get(header & ~0x1FF)
    if field is None:
        raise WireError(f"unknown match field {header:#010x}")
    has_mask = bool(header & 0x100)
    size = field.size
    end = at + 4 + (2 * size if has_mask else size)
    if header & 0xFF != end - at - 4 or end > len(packed):
        raise WireError(f"match field {field.name} has a wrong length")
    value = int.from_bytes(packed[at + 4 : at + 4 + size], "big")
    mask = int.from_bytes(packed[at + 4 + size : end], "big") if has_mask else field.full
    return field, has_mask, value, mask, end


def mac(text: str) -> int:
    """Return the number of a MAC address written with colons."""
    return int(text.replace(":", ""), 16)


def missing_needs(fields: tuple[FieldMatch, ...]) -> str | None:
    """Say which field lacks what must be matched before it exists in a packet; None when all is well."""
    exact = {f.field.name: f.value for f in fields if f.is_exact}
    for f in fields:
        for name, values in f.field.needs:
            if exact.get(name) not in values:
                return f"{f.field.name} needs {name} to be one of {', '.join(map(str, values))}"
    return None

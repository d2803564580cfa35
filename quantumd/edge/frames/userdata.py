"""What a flow that sends frames to the process says of them: one byte of purpose and 16 of the port's UUID.

Of a sub-port there are two more, its VLAN id: the tag that the frame had, and that an answer must have.
"""

from __future__ import annotations

from attrs import frozen

from quantumd.edge.frames.interfaces import Purpose

USERDATA_BYTES = 17
TAGGED_BYTES = 19
_VLAN_IDS = range(1, 4095)


@frozen
class Userdata:
    """What a flow says. ``vlan_id`` is 0 where frames have no tag."""

    purpose: Purpose
    port_id: str
    vlan_id: int = 0


def pack_userdata(purpose: Purpose, port_id: str, vlan_id: int = 0) -> bytes:
    """Return the userdata of a flow. ValueError when the id is no UUID."""
    packed = bytes((purpose,)) + bytes.fromhex(port_id.replace("-", ""))
    if len(packed) != USERDATA_BYTES:
        raise ValueError(f"{port_id!r} is no UUID")
    return packed + vlan_id.to_bytes(2, "big") if vlan_id else packed


def unpack_userdata(userdata: bytes) -> Userdata | None:
    """Return what a flow said, None when this is no userdata of ours or its purpose is not known."""
    if len(userdata) not in (USERDATA_BYTES, TAGGED_BYTES) or userdata[0] not in _PURPOSES:
        return None
    vlan_id = int.from_bytes(userdata[USERDATA_BYTES:], "big")
    if len(userdata) == TAGGED_BYTES and vlan_id not in _VLAN_IDS:
        return None
    digits = userdata[1:USERDATA_BYTES].hex()
    port_id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return Userdata(Purpose(userdata[0]), port_id, vlan_id)


_PURPOSES = frozenset(Purpose)

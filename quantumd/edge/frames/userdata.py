"""What a flow that sends frames to the process says of them: one byte of purpose and 16 of the port's UUID."""

from __future__ import annotations

from quantumd.edge.frames.interfaces import Purpose

USERDATA_BYTES = 17


def pack_userdata(purpose: Purpose, port_id: str) -> bytes:
    """Return the userdata of a flow. ValueError when the id is no UUID."""
    packed = bytes((purpose,)) + bytes.fromhex(port_id.replace("-", ""))
    if len(packed) != USERDATA_BYTES:
        raise ValueError(f"{port_id!r} is no UUID")
    return packed


def unpack_userdata(userdata: bytes) -> tuple[Purpose, str] | None:
    """Return purpose and port id, None when this is no userdata of ours or its purpose is not known."""
    if len(userdata) != USERDATA_BYTES or userdata[0] not in _PURPOSES:
        return None
    digits = userdata[1:].hex()
    port_id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return Purpose(userdata[0]), port_id


_PURPOSES = frozenset(Purpose)

"""Ids of what is made: UUIDs as text."""

from __future__ import annotations

UUID_BITS = 128
"""How many random bits an id is made of; six of them are not used."""

_VERSION_4 = 4 << 76
_VARIANT = 8 << 60
_FREE = (1 << UUID_BITS) - 1 - (0xF << 76) - (0xC << 60)


def uuid_text(randomness: int) -> str:
    """Return the UUID of these bits as text: random, version 4 (RFC 9562, 5.4).

    Python's UUID objects take five times as long, and every request needs one or two.
    """
    digits = f"{randomness & _FREE | _VERSION_4 | _VARIANT:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

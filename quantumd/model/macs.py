"""MAC addresses: which a port may have, and how one is made."""

from __future__ import annotations

GENERATED_BITS = 24
"""How many bits of a generated address are random."""


def is_port_mac(mac: str) -> bool:
    """Whether a port may have the (canonical) address: one station's, not a group's, and not all zero."""
    return int(mac[:2], 16) & 1 == 0 and mac != "00:00:00:00:00:00"


def canonical_mac(given: object) -> str | None:
    """Return a MAC address in lower case with colons; None when it is no text of one."""
    if not isinstance(given, str):
        return None
    digits = given.lower().replace(":", "").replace("-", "").replace(".", "")
    if len(digits) != 12 or any(digit not in "0123456789abcdef" for digit in digits):
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def generate_mac(base: str, randomness: int) -> str:
    """Return an address with the first three octets of ``base`` and the lowest 24 bits of ``randomness``."""
    low = randomness & ((1 << GENERATED_BITS) - 1)
    return f"{base[:8].lower()}:{low >> 16:02x}:{low >> 8 & 255:02x}:{low & 255:02x}"

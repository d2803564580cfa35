"""Values of options that users give by name or number, written as for dnsmasq: what both IP versions share.

Source: dnsmasq(8), --dhcp-option.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

Encoder = Callable[[str], bytes]


def option_code(name: str, names: Mapping[str, int], protocol: Collection[int], highest: int) -> int | None:
    """Return the number of an option; None where there is none, or the protocol itself speaks with it."""
    code = int(name) if name.isascii() and name.isdecimal() else names.get(name.lower())
    return None if code is None or not 0 < code <= highest or code in protocol else code


def words_of(value: str) -> list[str]:
    """Return what commas part."""
    return [word.strip() for word in value.split(",")]


def text(value: str) -> bytes:
    """Return a text as it is."""
    return value.encode()


def number_of(size: int) -> Encoder:
    """Return what encodes numbers of so many bytes. It raises ValueError for what is none."""

    def encode(value: str) -> bytes:
        number = int(value)
        if not 0 <= number < 1 << 8 * size:
            raise ValueError(f"{value!r} is no number of {size} bytes")
        return number.to_bytes(size, "big")

    return encode


def guessed(value: str, addresses: Encoder) -> bytes:
    """Return the bytes of a value of which only the number of its option is known.

    Hexadecimal bytes with colons, a number in as many bytes as it needs, addresses, else the text.
    """
    parts = value.split(":")
    if len(parts) > 1 and all(len(part) == 2 for part in parts):
        return bytes.fromhex("".join(parts))
    if value.isascii() and value.isdecimal():
        size = next((size for size in (1, 2, 4) if int(value) < 1 << 8 * size), None)
        return text(value) if size is None else number_of(size)(value)
    try:
        return addresses(value)
    except ValueError:
        return text(value)

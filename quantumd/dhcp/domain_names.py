"""Domain names as options carry them. Source: RFC 1035 3.1 and 2.3.4."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_LABEL, _LONGEST_NAME = 63, 253


def encode_names(names: Iterable[str]) -> bytes:
    """Return domain names as lists of labels. ValueError when one is none."""
    return b"".join(map(encode_name, names))


def encode_name(name: str) -> bytes:
    """Return a domain name as a list of labels. ValueError when it is none."""
    labels = name.rstrip(".").encode("ascii").split(b".")
    if len(name) > _LONGEST_NAME or not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        raise ValueError(f"{name!r} is no domain name")
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"

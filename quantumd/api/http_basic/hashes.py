"""Passwords and their bcrypt hashes. What is here takes long on purpose: never call it on the reactor thread."""

from __future__ import annotations

from typing import Final

import bcrypt

from quantumd.core import roam
from quantumd.errors import QuantumdError

COST: Final = 12
"""bcrypt's cost of new hashes: some tenths of a second for a verification."""

LONGEST_PASSWORD_BYTES: Final = 72
"""bcrypt looks at no more of a password."""

# 22 signs of salt, of which the last has only two bits, and 31 of what no password makes.
_NOBODYS: Final = "." * 22 + "./" * 15 + "."


class BadPassword(QuantumdError):
    """The password cannot be one. The sentence does not show it."""


def hash_password(password: str, cost: int = COST) -> str:
    """Return the hash of a new password.

    :raises BadPassword: it is empty, longer than bcrypt takes, or holds what cannot be typed.
    """
    raw = password.encode(errors="surrogateescape")
    if not raw or len(raw) > LONGEST_PASSWORD_BYTES:
        raise BadPassword(f"a password has 1 to {LONGEST_PASSWORD_BYTES} bytes")
    if not password.isprintable():
        raise BadPassword("a password holds no signs that cannot be seen")
    return bcrypt.hashpw(raw, bcrypt.gensalt(cost)).decode()


def nobodys_hash(cost: int) -> str:
    """Return a hash of a cost that is no password's: to verify it takes as long as to verify another."""
    return f"$2b${cost:02d}${_NOBODYS}"


def is_password_of(password: bytes, password_hash: str) -> bool:
    """Return whether a hash is that of a password of at most LONGEST_PASSWORD_BYTES."""
    roam()
    return bcrypt.checkpw(password, password_hash.encode())

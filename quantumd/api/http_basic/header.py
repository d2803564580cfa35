"""The header in which a caller says name and password. Pure."""

from __future__ import annotations

import binascii
from typing import Final

from attrs import field, frozen

from quantumd.api.http_basic.hashes import LONGEST_PASSWORD_BYTES
from quantumd.api.http_basic.users import LONGEST_NAME

_LONGEST_HEADER_BYTES: Final = 2048


@frozen
class Login:
    """What a caller says: a name, and a password that nobody has looked at yet."""

    name: str
    password: bytes = field(repr=False)


def read_login(header: bytes) -> Login | None:
    """Return what an ``Authorization`` header says; None when it is nothing that could be right.

    Source: RFC 7617, The 'Basic' HTTP Authentication Scheme; the text is UTF-8.
    """
    scheme, _, encoded = header.strip().partition(b" ")
    if scheme.lower() != b"basic" or len(header) > _LONGEST_HEADER_BYTES:
        return None
    try:
        raw = binascii.a2b_base64(encoded.strip(), strict_mode=True)
        name, colon, password = raw.partition(b":")
        login = Login(name.decode(), password)
    except ValueError:
        return None
    is_possible = 0 < len(login.name) <= LONGEST_NAME and 0 < len(password) <= LONGEST_PASSWORD_BYTES
    return login if colon and is_possible and b"\0" not in password else None

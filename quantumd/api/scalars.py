"""Values that are one thing: converters paired with their JSON schemas. See values.py for lists, objects and filters.

Every converter takes what JSON can hold and returns what the rules work with. ``InvalidInput`` says that the value
cannot be converted, ``InvalidValue`` (its child) that it can but is not allowed; clients know two messages for the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any, Final, NamedTuple
from unicodedata import category
from uuid import UUID as ParsedUuid

from quantumd.api.errors import InvalidInput, InvalidValue

Convert = Callable[[Any], Any]

_SHOWN_CHARACTERS: Final = 300
_LARGEST_INTEGER: Final = 2**63 - 1
_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "true", "on", "y", "yes"), True),
    **dict.fromkeys(("0", "f", "false", "off", "n", "no"), False),
}
_LONGEST_UUID: Final = 47
_CANONICAL_UUID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UUID_SIGNS: Final = re.compile("^(urn:)?(uuid:)?{?|-|}$")
_LAST_OF_NAMES: Final = "\ufffe"
_LONGEST_MAC: Final = 17
_UNUSABLE_MACS: Final = ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")


class Value(NamedTuple):
    """A converter and the JSON schema of what it takes, in the order in which ``Attribute`` takes them."""

    convert: Convert
    schema: Mapping[str, Any]


def shown(value: Any) -> str:
    """Return the value as error messages show it, cut short when it is long."""
    text = str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int)):
        known = _BOOLEANS.get(str(value).strip().lower())
        if known is not None:
            return known
    raise InvalidInput(f"'{shown(value)}' cannot be converted to boolean")


BOOLEAN: Final = Value(_boolean, {"type": "boolean"})
"""true or false, also as the text or number that clients send for them."""


def _string(max_length: int, value: Any) -> str:
    # PostgreSQL cannot hold NUL in text, and no name needs it.
    if not isinstance(value, str) or "\x00" in value:
        raise InvalidValue(f"'{shown(value)}' is not a valid string")
    if len(value) > max_length:
        raise InvalidValue(f"'{shown(value)}' exceeds maximum length of {max_length}")
    return value


def string(max_length: int) -> Value:
    """Text of at most ``max_length`` characters."""
    return Value(partial(_string, max_length), {"type": "string", "maxLength": max_length})


def _name(max_length: int, value: Any) -> str:
    text = _string(max_length, value)
    if text and not (_is_sign(text[0]) and _is_sign(text[-1]) and _is_printable(text)):
        raise InvalidValue(f"'{shown(value)}' is not a valid string")
    return text


def _is_printable(text: str) -> bool:
    if text.isascii():
        return text.isprintable()
    return all(sign <= _LAST_OF_NAMES and (category(sign) == "Zs" or category(sign)[0] not in "CZ") for sign in text)


def _is_sign(character: str) -> bool:
    return category(character)[0] not in "CZ"


def name_of(max_length: int) -> Value:
    """A name: printable text of one line, of Unicode's basic plane, without spaces around it."""
    return Value(partial(_name, max_length), {"type": "string", "maxLength": max_length})


NAME: Final = name_of(255)
DESCRIPTION: Final = string(255)


def or_none(value: Value) -> Value:
    """The same value, or null."""

    def convert(given: Any) -> Any:
        return None if given is None else value.convert(given)

    return Value(convert, {"anyOf": [dict(value.schema), {"type": "null"}]})


def none_as(replacement: Any, value: Value) -> Value:
    """The same value; null stands for ``replacement``."""

    def convert(given: Any) -> Any:
        return value.convert(replacement if given is None else given)

    return Value(convert, {"anyOf": [dict(value.schema), {"type": "null"}]})


def _uuid(value: Any) -> str:
    if isinstance(value, str) and _CANONICAL_UUID.fullmatch(value):
        return value
    if isinstance(value, str) and 32 <= len(value) <= _LONGEST_UUID:
        try:
            parsed = ParsedUuid(value)
        except ValueError:
            parsed = None
        # The parser drops hyphens and braces wherever they are; what is left must be all there was.
        if parsed is not None and parsed.hex == _UUID_SIGNS.sub("", value).lower():
            return str(parsed)
    raise InvalidValue(f"'{shown(value)}' is not a valid UUID")


UUID: Final = Value(_uuid, {"type": "string", "format": "uuid"})
UUID_OR_NONE: Final = or_none(UUID)


def _cidr(value: Any) -> str:
    if isinstance(value, str) and "/" in value and "%" not in value:
        try:
            return str(ip_network(value, strict=False))
        except ValueError:
            pass
    raise InvalidInput(f"{shown(value)} is not in a CIDR format")


CIDR: Final = Value(_cidr, {"type": "string", "format": "cidr"})
"""A prefix of either family in canonical form; bits of the host part are dropped, as today."""


def _ip_address(value: Any) -> str:
    if isinstance(value, str) and "%" not in value:
        try:
            return str(ip_address(value))
        except ValueError:
            pass
    raise InvalidValue(f"'{shown(value)}' is not a valid IP address")


IP_ADDRESS: Final = Value(_ip_address, {"type": "string", "format": "ip-address"})
"""An address of either family in canonical form (RFC 5952 for IPv6)."""
IP_ADDRESS_OR_NONE: Final = or_none(IP_ADDRESS)


def _mac_address(value: Any) -> str:
    if isinstance(value, str) and len(value) <= _LONGEST_MAC:
        digits = _mac_digits(value.lower())
        if len(digits) == 12 and all(digit in "0123456789abcdef" for digit in digits):
            mac = ":".join(digits[at : at + 2] for at in range(0, 12, 2))
            if mac not in _UNUSABLE_MACS:
                return mac
    raise InvalidValue(f"'{shown(value)}' is not a valid MAC address")


def _mac_digits(text: str) -> str:
    """Return the digits of six groups of up to two, three groups of up to four, or none."""
    for separator, count in ((":", 6), ("-", 6), (".", 3), (":", 3), ("-", 3)):
        groups = text.split(separator)
        if len(groups) == count:
            size = 12 // count
            return "".join(group.zfill(size) for group in groups) if all(groups) else ""
    return text


MAC_ADDRESS: Final = Value(_mac_address, {"type": "string", "format": "mac-address"})
"""A MAC address in lower case with colons, whichever of the usual forms it came in."""
MAC_ADDRESS_OR_NONE: Final = or_none(MAC_ADDRESS)


def _integer(value: Any) -> int:
    try:
        number = int(value)
        is_exact = not isinstance(value, (bool, float)) or (isinstance(value, float) and value == number)
        if is_exact and -_LARGEST_INTEGER <= number <= _LARGEST_INTEGER:
            return number
    except (ValueError, TypeError, OverflowError):
        pass
    raise InvalidInput(f"'{shown(value)}' is not an integer")


def _range(lowest: int, highest: int, value: Any) -> int:
    number = _integer(value)
    if number < lowest:
        raise InvalidValue(f"'{number}' is too small - must be at least '{lowest}'")
    if number > highest:
        raise InvalidValue(f"'{number}' is too large - must be no larger than '{highest}'")
    return number


def integer(lowest: int = -_LARGEST_INTEGER, highest: int = _LARGEST_INTEGER) -> Value:
    """A whole number from ``lowest`` to ``highest``, both included; the text of one is taken too."""
    return Value(partial(_range, lowest, highest), {"type": "integer", "minimum": lowest, "maximum": highest})


def one_of(*choices: str | int) -> Value:
    """One of the choices; the text of a number is taken for the number."""
    by_text = {str(choice): choice for choice in choices}

    def convert(given: Any) -> str | int:
        is_known = isinstance(given, (str, int)) and not isinstance(given, bool)
        if not is_known or str(given) not in by_text:
            raise InvalidValue(f"'{shown(given)}' is not in {list(choices)}")
        return by_text[str(given)]

    return Value(convert, {"enum": list(choices)})

"""Values of attributes of groups and rules: converters paired with their JSON schemas."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import Any, Final

from quantumd.api.errors import InvalidValue
from quantumd.api.extensions.security_groups.errors import (
    InvalidCIDR,
    SecurityGroupDefaultAlreadyExists,
    SecurityGroupInvalidPortValue,
    SecurityGroupRuleInvalidEtherType,
    SecurityGroupRuleInvalidProtocol,
)
from quantumd.api.values import NAME, Value, shown
from quantumd.model.security import ANY_PROTOCOL, DEFAULT_NAME, ETHERTYPES, PROTOCOLS

_ETHERTYPES = {each.lower(): each for each in ETHERTYPES}


def _group_name(value: Any) -> str:
    name = str(NAME.convert(value))
    if name != name.strip() or not name.isprintable():
        raise InvalidValue(f"'{shown(name)}' is not a valid string")
    if name.lower() == DEFAULT_NAME:
        raise SecurityGroupDefaultAlreadyExists()
    return name


GROUP_NAME: Final = Value(_group_name, NAME.schema)
"""A name that can be printed and is not that of the group which each project has by itself."""


def _number(value: Any, highest: int) -> int | None:
    try:
        number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else -1
    except ValueError:
        return None
    return number if 0 <= number <= highest else None


def _protocol(value: Any) -> str | None:
    if value is None:
        return None
    number = _number(value, 255)
    if number is not None:
        return str(number)
    name = value.lower() if isinstance(value, str) else ""
    if name == ANY_PROTOCOL:
        return None
    if name not in PROTOCOLS:
        raise SecurityGroupRuleInvalidProtocol(shown(value))
    return name


PROTOCOL: Final = Value(
    _protocol,
    {
        "anyOf": [
            {"enum": [None, ANY_PROTOCOL, *PROTOCOLS]},
            {"type": "integer", "minimum": 0, "maximum": 255},
            {"type": "string", "pattern": "^(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$"},
        ]
    },
)
"""A protocol's name in lower case, or its number as text; null is every protocol."""


def _ethertype(value: Any) -> str:
    if isinstance(value, str) and value.lower() in _ETHERTYPES:
        return _ETHERTYPES[value.lower()]
    raise SecurityGroupRuleInvalidEtherType(shown(value))


ETHERTYPE: Final = Value(_ethertype, {"enum": list(ETHERTYPES)})
"""IPv4 or IPv6, however the letters are written."""


def _port(value: Any) -> int | None:
    if value is None:
        return None
    number = _number(value, 65_535)
    if number is None:
        raise SecurityGroupInvalidPortValue(shown(value))
    return number


PORT: Final = Value(_port, {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 65_535}, {"type": "null"}]})
"""A port, or an ICMP type or code; the text of a number is taken too."""


def _prefix(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and "%" not in value:
        try:
            return ip_interface(value).with_prefixlen
        except ValueError:
            pass
    raise InvalidCIDR(shown(value))


PREFIX: Final = Value(_prefix, {"anyOf": [{"type": "string", "format": "cidr"}, {"type": "null"}]})
"""A prefix, with bits of its host part as they were given; an address is the prefix of itself alone."""


def _reference(value: Any) -> str | None:
    text = str(value) if value else None
    if text is not None and "\x00" in text:
        raise InvalidValue(f"'{shown(value)}' is not a valid string")
    return text


REFERENCE: Final = Value(_reference, {"anyOf": [{"type": "string"}, {"type": "null"}]})
"""The id of another resource; what is none, of whatever kind, is not found later, as today."""

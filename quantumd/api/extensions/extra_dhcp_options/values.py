"""The value of ``extra_dhcp_opts``."""

from __future__ import annotations

from typing import Any

from quantumd.api.errors import InvalidValue
from quantumd.api.values import Value, integer, one_of, shown, string

Option = dict[str, Any]
"""``opt_name``, ``opt_value`` (None takes the option away) and ``ip_version``."""

_NAME = string(64)
_VALUE = string(255)
_VERSION = one_of(4, 6)
_KEYS = frozenset({"opt_name", "opt_value", "ip_version"})
_MAY_BE_BLANK = frozenset({"router", "classless-static-route"})
"""Options that a blank value switches off."""


def _options(given: Any) -> tuple[Option, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise InvalidValue(f"'{shown(given)}' is not a list")
    return tuple(_option(each) for each in given)


def _option(given: Any) -> Option:
    if not isinstance(given, dict):
        raise InvalidValue(f"'{shown(given)}' is not a dictionary")
    unknown = [name for name in given if name not in _KEYS]
    if unknown:
        raise InvalidValue(f"Unexpected keys supplied: {shown(', '.join(map(str, unknown)))}")
    if "opt_name" not in given or "opt_value" not in given:
        raise InvalidValue(
            "Validation of dictionary's keys failed. "
            f"Expected keys: ['opt_name', 'opt_value'] Provided keys: {sorted(given)}"
        )
    name = _line(_NAME, given["opt_name"])
    value = given["opt_value"]
    if value is not None:
        value = _VALUE.convert(value) if name in _MAY_BE_BLANK else _line(_VALUE, value)
    version = _VERSION.convert(integer().convert(given["ip_version"])) if "ip_version" in given else 4
    return {"opt_name": name, "opt_value": value, "ip_version": version}


def _line(text: Value, given: Any) -> str:
    line: str = text.convert(given)
    if not line.strip():
        raise InvalidValue(f"'{shown(line)}' Blank strings are not permitted")
    if "\n" in line or "\r" in line:
        raise InvalidValue(f"'{shown(line)}' should not contain newline characters")
    return line


_SCHEMA = {
    "type": "object",
    "properties": {
        "opt_name": dict(_NAME.schema),
        "opt_value": {"anyOf": [dict(_VALUE.schema), {"type": "null"}]},
        "ip_version": dict(_VERSION.schema),
    },
    "required": ["opt_name", "opt_value"],
    "additionalProperties": False,
}

OPTIONS = Value(_options, {"anyOf": [{"type": "array", "items": _SCHEMA}, {"type": "null"}]})
"""A list of options; null is none."""

"""The attribute map of subnet pools, and what pools add to subnets."""

from __future__ import annotations

from typing import Any, Final

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.errors import InvalidValue
from quantumd.api.resources.standard_attributes import ID, PROJECT_ID, STANDARD
from quantumd.api.resources.subnet_attributes import NON_NEGATIVE
from quantumd.api.values import (
    BOOLEAN,
    CIDR,
    NAME,
    UUID_OR_NONE,
    Value,
    filter_boolean,
    filter_integer,
    filter_text,
    filter_uuid,
    list_of,
    one_of,
    shown,
)


def _not_blank(value: Any) -> str:
    if isinstance(value, str) and not value.strip():
        raise InvalidValue(f"'{shown(value)}' Blank strings are not permitted")
    text: str = NAME.convert(value)
    return text


_POOL_NAME = Value(_not_blank, {**NAME.schema, "minLength": 1})

PREFIXES: Final = list_of(CIDR, wrong_item="'{value}' is not a valid IP subnet")
"""The prefixes of a pool, as they are named."""


def _length(name: str) -> Attribute:
    return Attribute(name, *NON_NEGATIVE, in_post=True, in_put=True, filter_convert=filter_integer)


POOL_ATTRIBUTES = (
    ID,
    Attribute("name", *_POOL_NAME, in_post=True, in_put=True, default=REQUIRED, filter_convert=filter_text),
    PROJECT_ID,
    Attribute("prefixes", *PREFIXES, in_post=True, in_put=True, default=REQUIRED),
    Attribute("default_quota", *NON_NEGATIVE, in_post=True, in_put=True, filter_convert=filter_integer),
    Attribute("ip_version", *one_of(4, 6), filter_convert=filter_integer),
    _length("default_prefixlen"),
    _length("min_prefixlen"),
    _length("max_prefixlen"),
    Attribute(
        "is_default",
        *BOOLEAN,
        in_post=True,
        in_put=True,
        default=False,
        filter_convert=filter_boolean,
    ),
    Attribute(
        "shared",
        *BOOLEAN,
        in_post=True,
        default=False,
        filter_convert=filter_boolean,
    ),
    Attribute(
        "address_scope_id",
        *UUID_OR_NONE,
        in_post=True,
        in_put=True,
        filter_convert=filter_uuid,
        extension="address-scope",
    ),
    *STANDARD,
)

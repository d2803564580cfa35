"""The attribute maps of metering labels and their rules. Neither can be changed."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import Any, Final

from attrs import evolve

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.errors import InvalidValue
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID
from quantumd.api.values import (
    BOOLEAN,
    UUID,
    Value,
    filter_boolean,
    filter_text,
    filter_uuid,
    one_of,
    shown,
    string,
)


def _prefix(value: Any) -> str:
    """Return a prefix as it was written: bits of the host part are kept, as today, and mean nothing."""
    if isinstance(value, str) and "/" in value and "%" not in value:
        try:
            address = ip_interface(value)
        except ValueError:
            pass
        else:
            if address.version == 6 or str(address) == value:
                return value
    raise InvalidValue(f"'{shown(value)}' is not a valid IP subnet")


_PREFIX: Final = Value(_prefix, {"type": "string", "format": "cidr"})

LABEL_ATTRIBUTES: Final = (
    ID,
    evolve(NAMED, in_put=False),
    PROJECT_ID,
    Attribute("description", *string(1024), in_post=True, default="", filter_convert=filter_text),
    Attribute("shared", *BOOLEAN, in_post=True, default=False, filter_convert=filter_boolean),
)

RULE_ATTRIBUTES: Final = (
    ID,
    Attribute("metering_label_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute("direction", *one_of("ingress", "egress"), in_post=True, default=REQUIRED, filter_convert=filter_text),
    Attribute("excluded", *BOOLEAN, in_post=True, default=False, filter_convert=filter_boolean),
    Attribute("remote_ip_prefix", *_PREFIX, in_post=True, default=REQUIRED, filter_convert=filter_text),
    Attribute("project_id", *string(255), in_post=True, is_sort_key=False),
)

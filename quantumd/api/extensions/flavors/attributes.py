"""The attribute maps of flavors and service profiles."""

from __future__ import annotations

from typing import Any, Final

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.extensions.flavors.errors import InvalidServiceType
from quantumd.api.resources.standard_attributes import ID, NAMED
from quantumd.api.values import (
    BOOLEAN,
    UUID,
    Value,
    filter_boolean,
    filter_text,
    list_of,
    or_none,
    shown,
    string,
)

SERVICE_TYPES: Final = ("CORE", "FLAVORS", "L3_ROUTER_NAT", "METERING", "QOS", "SEGMENTS", "TRUNK")
"""The kinds of services that flavors may be of."""

_LONG = string(1024)


def _service_type(value: Any) -> str:
    if value not in SERVICE_TYPES:
        raise InvalidServiceType(shown(value))
    return str(value)


_DESCRIPTION = Attribute(
    "description", *or_none(_LONG), in_post=True, in_put=True, default="", filter_convert=filter_text
)
_ENABLED = Attribute(
    "enabled", *or_none(BOOLEAN), in_post=True, in_put=True, default=True, filter_convert=filter_boolean
)

FLAVOR_ATTRIBUTES: Final = (
    ID,
    NAMED,
    _DESCRIPTION,
    Attribute(
        "service_type",
        *Value(_service_type, {"enum": list(SERVICE_TYPES)}),
        in_post=True,
        default=REQUIRED,
        filter_convert=filter_text,
    ),
    Attribute("service_profiles", *list_of(UUID), in_post=True, in_put=True, default=()),
    _ENABLED,
)

PROFILE_ATTRIBUTES: Final = (
    ID,
    _DESCRIPTION,
    Attribute("driver", *_LONG, in_post=True, in_put=True, default="", filter_convert=filter_text),
    _ENABLED,
    Attribute("metainfo", *string(4096), in_post=True, in_put=True, default="", is_sort_key=True),
)

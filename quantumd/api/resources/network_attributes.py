"""The attribute map of networks."""

from __future__ import annotations

from typing import Any

from quantumd.api.attributes import Attribute
from quantumd.api.resources.standard_attributes import ADMIN_STATE_UP, ID, NAMED, PROJECT_ID, STANDARD, STATUS
from quantumd.api.values import (
    BOOLEAN,
    UUID,
    filter_boolean,
    filter_integer,
    filter_text,
    integer,
    list_of,
    or_none,
    string,
)

_PROVIDER: dict[str, Any] = {
    "in_post": True,
    "read_rule": "admin",
    "create_rule": "admin",
    "update_rule": "admin",
    "extension": "provider",
}

NETWORK_ATTRIBUTES = (
    ID,
    NAMED,
    PROJECT_ID,
    ADMIN_STATE_UP,
    Attribute("mtu", *integer(68, 65_535), filter_convert=filter_integer, extension="net-mtu"),
    STATUS,
    Attribute("subnets", *list_of(UUID)),
    Attribute(
        "shared",
        *BOOLEAN,
        in_post=True,
        in_put=True,
        default=False,
        filter_convert=filter_boolean,
        create_rule="admin",
        update_rule="admin",
    ),
    Attribute("provider:network_type", *or_none(string(16)), filter_convert=filter_text, **_PROVIDER),
    Attribute("provider:physical_network", *or_none(string(64)), filter_convert=filter_text, **_PROVIDER),
    Attribute("provider:segmentation_id", *or_none(integer()), filter_convert=filter_integer, **_PROVIDER),
    *STANDARD,
)
"""``mtu`` follows from the settings. The provider attributes are an administrator's to name and to see."""

"""The attribute map of networks."""

from __future__ import annotations

from typing import Any

from quantumd.api.attributes import Attribute
from quantumd.api.resources.network_values import DNS_DOMAIN, SEGMENTS
from quantumd.api.resources.standard_attributes import ADMIN_STATE_UP, ID, NAMED, PROJECT_ID, SHARED, STANDARD, STATUS
from quantumd.api.values import (
    BOOLEAN,
    UUID,
    filter_integer,
    filter_text,
    integer,
    list_of,
    string,
)

_ADMINS: dict[str, Any] = {"in_post": True}
_PROVIDER: dict[str, Any] = {**_ADMINS, "in_put": True, "is_sort_key": False, "extension": "provider"}

NETWORK_ATTRIBUTES = (
    ID,
    NAMED,
    PROJECT_ID,
    ADMIN_STATE_UP,
    Attribute(
        "mtu",
        *integer(0, 65_535),
        in_post=True,
        in_put=True,
        default=0,
        filter_convert=filter_integer,
        extension="net-mtu",
    ),
    STATUS,
    Attribute("subnets", *list_of(UUID)),
    SHARED,
    Attribute("provider:network_type", *string(32), filter_convert=filter_text, **_PROVIDER),
    Attribute("provider:physical_network", *string(64), filter_convert=filter_text, **_PROVIDER),
    Attribute("provider:segmentation_id", *integer(), filter_convert=filter_integer, **_PROVIDER),
    Attribute("segments", *SEGMENTS, in_put=True, extension="multi-provider", **_ADMINS),
    Attribute("port_security_enabled", *BOOLEAN, in_post=True, in_put=True, default=True, extension="port-security"),
    Attribute("dns_domain", *DNS_DOMAIN, in_post=True, in_put=True, default="", extension="dns-integration"),
    *STANDARD,
)
"""An ``mtu`` of 0 asks for the largest that the network's segments carry. The provider attributes and ``segments`` are
an administrator's to name and to see; a network of several segments shows ``segments`` instead of the others."""

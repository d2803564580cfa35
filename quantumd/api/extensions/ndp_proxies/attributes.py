"""The attribute maps of NDP proxies, and of what routers say of them."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID, STANDARD_WITH_LONG_DESCRIPTION
from quantumd.api.values import (
    BOOLEAN,
    IP_ADDRESS_OR_NONE,
    UUID,
    filter_boolean,
    filter_ip_address,
    filter_uuid,
    or_none,
)

ALIAS: Final = "l3-ndp-proxy"
OF_ROUTERS: Final = "l3-ext-ndp-proxy"
ENABLE: Final = "enable_ndp_proxy"

ATTRIBUTES: Final = (
    ID,
    NAMED,
    PROJECT_ID,
    Attribute("router_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute("port_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute("ip_address", *IP_ADDRESS_OR_NONE, in_post=True, default=None, filter_convert=filter_ip_address),
    *(
        evolve(each, is_sort_key=False) if each.name == "description" else each
        for each in STANDARD_WITH_LONG_DESCRIPTION
    ),
)
"""Left out, ``ip_address`` is the first address of the port that the router reaches."""

ENABLED: Final = Attribute(
    ENABLE,
    *or_none(BOOLEAN),
    in_post=True,
    in_put=True,
    default=None,
    filter_convert=filter_boolean,
    is_sort_key=False,
    extension=OF_ROUTERS,
)
"""What routers have more. Null is as if it were left out: then it stays as it is, and is false of a new router."""

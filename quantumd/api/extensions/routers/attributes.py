"""The attribute map of routers."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve

from quantumd.api.attributes import Attribute
from quantumd.api.extensions.ndp_proxies.attributes import ENABLED
from quantumd.api.resources.network_values import ZONE_HINTS
from quantumd.api.resources.port_attributes import FIXED_IPS
from quantumd.api.resources.standard_attributes import ADMIN_STATE_UP, ID, NAMED, PROJECT_ID, STANDARD, STATUS
from quantumd.api.resources.subnet_attributes import ROUTES
from quantumd.api.values import (
    BOOLEAN,
    OBJECT,
    UUID,
    UUID_OR_NONE,
    Member,
    Value,
    dict_of,
    list_of,
    none_as,
    or_none,
    string,
)

ALIAS: Final = "router"
GATEWAY: Final = "external_gateway_info"
GATEWAYS: Final = "external_gateways"
MULTIHOMING: Final = "external-gateway-multihoming"
ECMP: Final = "enable_default_route_ecmp"
BY_ECMP: Final = "enable-default-route-ecmp"
MOST_GATEWAYS: Final = 16
"""As many as one router may have."""
BY_ZONE: Final = "router_availability_zone"
FLAVORED: Final = "l3-flavors"
FLAVOR: Final = "flavor_id"
HINTS: Final = "availability_zone_hints"
ZONES: Final = "availability_zones"

_GATEWAY = dict_of(
    {
        "network_id": Member(UUID, True),
        "external_fixed_ips": Member(FIXED_IPS),
        "enable_snat": Member(BOOLEAN),
        "qos_policy_id": Member(UUID_OR_NONE),
    }
)
EVERY_GATEWAY: Final = list_of(_GATEWAY, max_items=MOST_GATEWAYS, different=lambda each: None)
"""Several gateways; two may look alike."""


def _gateway_or_none(given: Any) -> Any:
    # As today, nothing of any kind is no gateway.
    return None if given is None or given in ("", [], {}) else _GATEWAY.convert(given)


ATTRIBUTES: Final = (
    ID,
    NAMED,
    PROJECT_ID,
    ADMIN_STATE_UP,
    evolve(STATUS, filter_convert=None, is_sort_key=True),
    Attribute(GATEWAY, *Value(_gateway_or_none, or_none(_GATEWAY).schema), in_post=True, in_put=True, default=None),
    Attribute(GATEWAYS, *or_none(EVERY_GATEWAY), default=None, extension=MULTIHOMING),
    Attribute(ECMP, *or_none(BOOLEAN), in_post=True, in_put=True, default=None, extension=BY_ECMP),
    Attribute(HINTS, *ZONE_HINTS, in_post=True, default=(), extension=BY_ZONE),
    Attribute(ZONES, *list_of(string(255)), extension=BY_ZONE),
    Attribute("routes", *none_as([], ROUTES), in_put=True, extension="extraroute"),
    ENABLED,
    Attribute(FLAVOR, *UUID_OR_NONE, in_post=True, default=None, is_sort_key=True, extension=FLAVORED),
    Attribute("conntrack_helpers", *list_of(OBJECT), is_sort_key=False, extension="expose-l3-conntrack-helper"),
    *STANDARD,
)
"""A gateway of null, or of an empty object, is none. Left out, ``enable_snat`` of a gateway is true."""

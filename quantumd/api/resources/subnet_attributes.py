"""The attribute map of subnets."""

from __future__ import annotations

from typing import Any

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.errors import InvalidValue
from quantumd.api.resources.standard_attributes import ID, NAMED, NETWORK_ID, PROJECT_ID, STANDARD
from quantumd.api.values import (
    BOOLEAN,
    CIDR,
    IP_ADDRESS,
    IP_ADDRESS_OR_NONE,
    Member,
    Value,
    dict_of,
    filter_boolean,
    filter_cidr,
    filter_integer,
    filter_ip_address,
    list_of,
    none_as,
    one_of,
    shown,
)


def _only_null(reason: str) -> Value:
    def convert(given: Any) -> None:
        if given is not None:
            raise InvalidValue(f"'{shown(given)}' is not supported: {reason}")

    return Value(convert, {"type": "null"})


_RANGE = dict_of({"start": Member(IP_ADDRESS, True), "end": Member(IP_ADDRESS, True)})
_ROUTE = dict_of({"destination": Member(CIDR, True), "nexthop": Member(IP_ADDRESS, True)})
_NO_ADVERTISEMENTS = _only_null("router advertisements are not served yet, so it can only be null")

SUBNET_ATTRIBUTES = (
    ID,
    NAMED,
    PROJECT_ID,
    NETWORK_ID,
    Attribute("ip_version", *one_of(4, 6), in_post=True, default=REQUIRED, filter_convert=filter_integer),
    Attribute(
        "subnetpool_id",
        *_only_null("subnet pools are not served, so it can only be null"),
        in_post=True,
        default=None,
    ),
    Attribute("enable_dhcp", *BOOLEAN, in_post=True, in_put=True, default=True, filter_convert=filter_boolean),
    Attribute("ipv6_ra_mode", *_NO_ADVERTISEMENTS, in_post=True, default=None),
    Attribute("ipv6_address_mode", *_NO_ADVERTISEMENTS, in_post=True, default=None),
    Attribute("gateway_ip", *IP_ADDRESS_OR_NONE, in_post=True, in_put=True, filter_convert=filter_ip_address),
    Attribute("cidr", *CIDR, in_post=True, default=REQUIRED, filter_convert=filter_cidr),
    Attribute(
        "allocation_pools",
        *list_of(_RANGE, wrong_list="Invalid data format for IP pool: '{value}'"),
        in_post=True,
        in_put=True,
    ),
    Attribute(
        "host_routes",
        *none_as([], list_of(_ROUTE, wrong_list="Invalid data format for hostroute: '{value}'")),
        in_post=True,
        in_put=True,
        default=(),
    ),
    Attribute(
        "dns_nameservers",
        *none_as([], list_of(IP_ADDRESS, duplicate="Duplicate nameserver '{value}'")),
        in_post=True,
        in_put=True,
        default=(),
    ),
    *STANDARD,
)
"""Left out, ``gateway_ip`` and ``allocation_pools`` are automatic; a ``gateway_ip`` of null means none."""

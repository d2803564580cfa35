"""The attribute map of subnets."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any, Final

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.errors import InvalidInput, InvalidValue
from quantumd.api.resources.standard_attributes import ID, NAMED, NETWORK_ID, PROJECT_ID, STANDARD
from quantumd.api.values import (
    BOOLEAN,
    CIDR,
    IP_ADDRESS,
    IP_ADDRESS_OR_NONE,
    UUID,
    Member,
    Value,
    dict_of,
    filter_boolean,
    filter_cidr,
    filter_integer,
    filter_ip_address,
    filter_text,
    list_of,
    none_as,
    one_of,
    or_none,
    shown,
)
from quantumd.model.addresses import prefix_of
from quantumd.model.delegation import PREFIX_DELEGATION
from quantumd.model.subnet import IPV6_MODES

ADVERTISING_CAPABILITY: Final = "ipv6-modes"
"""What drivers can do when routers advertise prefixes as ``ipv6_ra_mode`` says."""

DHCPV6_CAPABILITY: Final = "dhcpv6"
"""What drivers can do when ports get their DHCPv6 requests answered as ``ipv6_address_mode`` says."""

_LARGEST_LENGTH: Final = 2**31 - 1


def _only_null(reason: str) -> Value:
    def convert(given: Any) -> None:
        if given is not None:
            raise InvalidValue(f"'{shown(given)}' is not supported: {reason}")

    return Value(convert, {"type": "null"})


def _route_prefix(value: Any) -> str:
    try:
        cidr: str = CIDR.convert(value)
        is_exact = ip_network(value) == prefix_of(cidr)
    except (InvalidInput, ValueError):
        is_exact = False
    if not is_exact:
        raise InvalidValue(f"'{shown(value)}' is not a valid CIDR")
    if prefix_of(cidr).is_loopback:
        raise InvalidValue(f"'{shown(value)}' is not a routable CIDR")
    return cidr


def _subnet_prefix(value: Any) -> str:
    # As today an address without a length is a subnet of one address.
    if isinstance(value, str) and "/" not in value:
        try:
            address = ip_address(IP_ADDRESS.convert(value))
        except InvalidInput:
            raise InvalidInput(f"{shown(value)} is not in a CIDR format") from None
        return f"{address}/{address.max_prefixlen}"
    if isinstance(value, str):
        address_text, _, length = value.partition("/")
        value = f"{address_text}/{length.strip()}"
    cidr: str = CIDR.convert(value)
    return cidr


def _non_negative(value: Any) -> int:
    try:
        number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None:
        raise InvalidValue(f"'{shown(value)}' is not an integer")
    if number < 0:
        raise InvalidValue(f"'{number}' should be non-negative")
    if number > _LARGEST_LENGTH:
        raise InvalidValue(f"'{shown(number)}' is too large - must be no larger than '{_LARGEST_LENGTH}'")
    return number


NON_NEGATIVE: Final = Value(_non_negative, {"type": "integer", "minimum": 0, "maximum": _LARGEST_LENGTH})
"""A whole number that is not below 0, as the lengths of prefixes; the text of one is taken too."""


def _pool_id(value: Any) -> str:
    return PREFIX_DELEGATION if value == PREFIX_DELEGATION else str(UUID.convert(value))


def _none_for_empty(value: Value) -> Value:
    """The same list; null and, as today, empty text and an empty object stand for an empty one."""

    def convert(given: Any) -> Any:
        return value.convert([] if given is None or given in ("", {}) else given)

    return Value(convert, none_as([], value).schema)


_SUBNET_PREFIX = Value(_subnet_prefix, {"type": "string", "format": "cidr"})
_POOL_ID = or_none(Value(_pool_id, {"type": "string"}))
_RANGE = dict_of({"start": Member(IP_ADDRESS, True), "end": Member(IP_ADDRESS, True)})
_RANGES = list_of(_RANGE, wrong_list="Invalid data format for IP pool: '{value}'")
_ROUTE_PREFIX = Value(_route_prefix, {"type": "string", "format": "cidr"})
_ROUTE = dict_of({"destination": Member(_ROUTE_PREFIX, True), "nexthop": Member(IP_ADDRESS, True)})
_NAMESERVERS = list_of(
    IP_ADDRESS,
    wrong_list="Invalid data format for nameserver: '{value}'",
    wrong_item="'{value}' is not a valid nameserver. '{value}' is not a valid IP address",
    duplicate="Duplicate nameserver '{value}'",
)
ROUTES = list_of(
    _ROUTE, wrong_list="Invalid data format for hostroute: '{value}'", duplicate="Duplicate hostroute '{value}'"
)


def _mode_attributes(are_advertised: bool, has_dhcpv6: bool) -> tuple[Attribute, ...]:
    mode = or_none(one_of(*IPV6_MODES))
    ra_mode = mode if are_advertised else _only_null("no router of quantumd advertises, so it can only be null")
    address_mode = mode if has_dhcpv6 else _only_null("DHCPv6 is not served, so it can only be null")
    return tuple(
        Attribute(name, *value, in_post=True, default=None, filter_convert=filter_text)
        for name, value in (("ipv6_ra_mode", ra_mode), ("ipv6_address_mode", address_mode))
    )


def subnet_attributes(are_advertised: bool, has_dhcpv6: bool) -> tuple[Attribute, ...]:
    """Return the attributes of subnets, by whether routers advertise them and whether DHCPv6 is answered.

    Left out, ``gateway_ip`` and ``allocation_pools`` are automatic; a ``gateway_ip`` of null means none.
    """
    return (
        ID,
        NAMED,
        PROJECT_ID,
        NETWORK_ID,
        Attribute("ip_version", *one_of(4, 6), in_post=True, default=REQUIRED, filter_convert=filter_integer),
        Attribute("subnetpool_id", *_POOL_ID, in_post=True, filter_convert=filter_text),
        Attribute("prefixlen", *NON_NEGATIVE, in_post=True, is_visible=False),
        Attribute(
            "use_default_subnetpool",
            *BOOLEAN,
            in_post=True,
            default=False,
            is_visible=False,
            extension="default-subnetpools",
        ),
        Attribute("enable_dhcp", *BOOLEAN, in_post=True, in_put=True, default=True, filter_convert=filter_boolean),
        *_mode_attributes(are_advertised, has_dhcpv6),
        Attribute("gateway_ip", *IP_ADDRESS_OR_NONE, in_post=True, in_put=True, filter_convert=filter_ip_address),
        Attribute("cidr", *_SUBNET_PREFIX, in_post=True, filter_convert=filter_cidr),
        Attribute("allocation_pools", *_none_for_empty(_RANGES), in_post=True, in_put=True),
        Attribute("host_routes", *none_as([], ROUTES), in_post=True, in_put=True, default=()),
        Attribute("dns_nameservers", *_none_for_empty(_NAMESERVERS), in_post=True, in_put=True, default=()),
        Attribute("shared", *BOOLEAN, is_visible=False, filter_convert=filter_boolean, is_sort_key=False),
        *STANDARD,
    )

"""Routes and rules as rtnetlink says them. Pure. Source: rtnetlink(7), linux/rtnetlink.h, linux/fib_rules.h."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Final

from quantumd.edge.netlink import attributes as a
from quantumd.edge.netns.interfaces import MAIN, Route, Rule

NEW_ROUTE, DEL_ROUTE, GET_ROUTE = 24, 25, 26
NEW_RULE, DEL_RULE, GET_RULE = 32, 33, 34
GROUPS: Final = (1, 5, 7, 8, 9, 11, 19, 25)
"""Devices, addresses, routes and rules of IPv4 and IPv6, and settings of IPv6."""
OURS: Final = 81
"""The protocol by which our routes and rules are known: a number that no routing daemon has (rtnetlink(7))."""
OUR_TABLES: Final = range(101, 201)
"""Those that routes of ours may be in, beside the main one."""

_HEAD = struct.Struct("=BBBBBBBBI")
"""rtmsg, and fib_rule_hdr, which is as long."""
_HOP = struct.Struct("=HBBi")
"""rtnexthop: length, flags, hops, index of the device."""
_DESTINATION, _OUT, _GATEWAY, _PRIORITY, _SEVERAL = 1, 4, 5, 6, 9
_UNICAST, _UNREACHABLE, _ON_LINK = 1, 7, 4
_UNIVERSE, _LINK_SCOPE = 0, 253
_ANY_KIND, _ANY_SCOPE = 0, 255
_INET, _INET6 = 2, 10
_FAMILIES: Final = {4: _INET, 6: _INET6}
_ANYWHERE: Final = {_INET: "0.0.0.0", _INET6: "::"}
_TO_TABLE, _RULE_PRIORITY = 1, 8100
_PREFERENCE, _MARK, _MASK, _PROTOCOL = 6, 10, 16, 21


def routes() -> bytes:
    """Ask for all routes."""
    return _HEAD.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)


def route(wanted: Route, indexes: Sequence[int]) -> bytes:
    """Name a route; ``indexes`` are those of its device or devices. Of several next hops the order means nothing."""
    flags = _ON_LINK if indexes and wanted.nexthops else 0
    kind = _UNICAST if wanted.nexthops or indexes else _UNREACHABLE
    scope = _LINK_SCOPE if indexes and not wanted.nexthops else _UNIVERSE
    said = _named(wanted, kind, scope, flags) + a.number(_PRIORITY, wanted.metric)
    if len(wanted.nexthops) <= 1:
        said += b"".join(a.address(_GATEWAY, each) for each in wanted.nexthops)
        return said + b"".join(a.number(_OUT, each) for each in indexes[:1])
    links = indexes if wanted.devices else [*indexes, 0][:1] * len(wanted.nexthops)
    hops = (_hop(nexthop, flags, index) for nexthop, index in zip(wanted.nexthops, links, strict=True))
    return said + a.pack(_SEVERAL, b"".join(hops))


def any_route(wanted: Route) -> bytes:
    """Name a route of ours by its place alone, of any kind and whatever it leads to."""
    said = _named(wanted, _ANY_KIND, _ANY_SCOPE, 0)
    return said + (a.number(_PRIORITY, wanted.metric) if wanted.metric else b"")


def _named(wanted: Route, kind: int, scope: int, flags: int) -> bytes:
    destination = ip_network(wanted.destination)
    family = _FAMILIES[destination.version]
    head = _HEAD.pack(family, destination.prefixlen, 0, 0, wanted.table, OURS, scope, kind, flags)
    return head + a.pack(_DESTINATION, destination.network_address.packed)


def _hop(nexthop: str, flags: int, index: int) -> bytes:
    gateway = a.address(_GATEWAY, nexthop)
    return _HOP.pack(_HOP.size + len(gateway), flags, 0, index) + gateway


def read_route(body: bytes) -> tuple[Route, tuple[int, ...]] | None:
    """Return a route of ours, whose devices are not named yet, and the indexes of those; None of any other.

    There is one index for all next hops, or one for each.
    """
    family, length, _, _, table, protocol, _, kind, flags = _HEAD.unpack_from(body)
    said = a.unpack(body[_HEAD.size :])
    if protocol != OURS or not (table == MAIN or table in OUR_TABLES):
        return None
    destination = f"{a.read_address(said.get(_DESTINATION)) or _ANYWHERE.get(family, '')}/{length}"
    metric = a.read_number(said.get(_PRIORITY))
    if kind == _UNREACHABLE:
        return Route(destination, (), metric=metric, table=table), ()
    if _GATEWAY not in said and _SEVERAL not in said:
        return Route(destination, (), metric=metric, table=table), (a.read_number(said.get(_OUT)),)
    hops = [(a.read_address(said.get(_GATEWAY)), a.read_number(said.get(_OUT)), flags)]
    if _SEVERAL in said:
        hops = sorted(_hops(said[_SEVERAL])) or hops
    nexthops = tuple(each for each, _, _ in hops)
    return Route(destination, nexthops, metric=metric, table=table), _links(hops)


def _links(hops: Sequence[tuple[str, int, int]]) -> tuple[int, ...]:
    """Return the indexes of the devices on whose links next hops are taken to be."""
    indexes = tuple(index if flags & _ON_LINK else 0 for _, index, flags in hops)
    if len(set(indexes)) > 1:
        return indexes
    return indexes[:1] if any(indexes) else ()


def _hops(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield gateway, index of the device, and flags of each of several next hops."""
    at = 0
    while at + _HOP.size <= len(data):
        length, flags, _, index = _HOP.unpack_from(data, at)
        if not _HOP.size <= length <= len(data) - at:
            return
        yield a.read_address(a.unpack(data[at + _HOP.size : at + length]).get(_GATEWAY)), index, flags
        at += (length + 3) & ~3


def rules() -> bytes:
    """Ask for all rules."""
    return _HEAD.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)


def rule(wanted: Rule) -> bytes:
    """Name a rule of ours."""
    head = _HEAD.pack(_FAMILIES[wanted.version], 0, 0, 0, wanted.table, 0, 0, _TO_TABLE, 0)
    mark = a.number(_MARK, wanted.mark) + a.number(_MASK, 0xFFFFFFFF)
    return head + a.number(_PREFERENCE, _RULE_PRIORITY) + mark + a.number(_PROTOCOL, OURS, 1)


def read_rule(body: bytes) -> Rule | None:
    """Return a rule of ours; None of any other."""
    family, _, _, _, table, *_ = _HEAD.unpack_from(body)
    said = a.unpack(body[_HEAD.size :])
    mark = (a.read_number(said.get(_PROTOCOL)), a.read_number(said.get(_PREFERENCE)))
    if mark != (OURS, _RULE_PRIORITY) or family not in (_INET, _INET6):
        return None
    return Rule(4 if family == _INET else 6, a.read_number(said.get(_MARK)), table)

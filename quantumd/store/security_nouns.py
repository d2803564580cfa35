"""Rows → security groups and sets of addresses, and which hosts they concern. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import orjson
from sqlalchemy import (
    BindParameter,
    Connection,
    Label,
    Select,
    String,
    and_,
    bindparam,
    exists,
    literal_column,
    select,
    union_all,
)

from quantumd.model.delegation import is_provisional
from quantumd.model.nouns import SecurityGroup
from quantumd.model.security import protocol_number
from quantumd.model.security_records import SecurityRule, piece_of
from quantumd.model.status import L2
from quantumd.store.nouns import CHUNK, address_pairs
from quantumd.store.tables import hosts, ip_allocations, ports
from quantumd.store.tables.security import (
    address_group_addresses,
    port_security_groups,
    security_group_rules,
    security_groups,
)

MANY_MEMBERS: Final = 500
"""From how many ports on a group is asked about by its hosts."""

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_RULE = security_group_rules.c
_MEMBER = port_security_groups.c

_GROUPS = select(security_groups.c.id, security_groups.c.stateful).where(security_groups.c.id.in_(_IDS))
_RULES = (
    select(
        _RULE.id,
        _RULE.security_group_id,
        _RULE.direction,
        _RULE.ethertype,
        _RULE.protocol,
        _RULE.port_range_min,
        _RULE.port_range_max,
        _RULE.normalized_cidr,
        _RULE.remote_ip_prefix,
        _RULE.remote_group_id,
        _RULE.remote_address_group_id,
    )
    .where(_RULE.security_group_id.in_(_IDS))
    .order_by(_RULE.id)
)
_HOSTS_OF_GROUPS = (
    select(_MEMBER.security_group_id, ports.c.host_id)
    .join(ports, ports.c.id == _MEMBER.port_id)
    .where(_MEMBER.security_group_id.in_(_IDS), ports.c.host_id != "")
    .distinct()
)
_LAST_OF_MANY = (
    select(_MEMBER.port_id)
    .where(_MEMBER.security_group_id == bindparam("group_id"))
    .limit(literal_column("1"))
    .offset(literal_column(str(MANY_MEMBERS - 1)))
)
_HOSTS_THAT_REPORT = select(hosts.c.host).where(
    hosts.c.role == L2,
    exists().where(
        ports.c.host_id == hosts.c.host,
        exists().where(_MEMBER.port_id == ports.c.id, _MEMBER.security_group_id == bindparam("group_id")),
    ),
)
_BINDINGS_OF_HOSTS = select(hosts.c.host, hosts.c.vif_details).where(hosts.c.host.in_(_IDS), hosts.c.role == L2)
_GROUPS_OF_HOST = (
    select(_MEMBER.security_group_id)
    .where(_MEMBER.port_id.in_(select(ports.c.id).where(ports.c.host_id == bindparam("host"))))
    .distinct()
)
# A host has few ports and a group may have many, so it is the ports of the host that are looked at.
_TOLD = select(ports.c.id).where(
    ports.c.host_id == bindparam("host"),
    ports.c.record_version < bindparam("before"),
    exists().where(_MEMBER.port_id == ports.c.id, _MEMBER.security_group_id == bindparam("group_id")),
)
_NAMING = (
    select(_RULE.remote_group_id, _RULE.security_group_id).where(_RULE.remote_group_id.in_(_IDS)).distinct(),
    select(_RULE.remote_address_group_id, _RULE.security_group_id)
    .where(_RULE.remote_address_group_id.in_(_IDS))
    .distinct(),
)
_IS_MEMBER = _MEMBER.security_group_id == bindparam("group_id")
_FIXED = select(_MEMBER.port_id, ip_allocations.c.ip_address).join(
    ip_allocations, ip_allocations.c.port_id == _MEMBER.port_id
)
_DETAILS = select(ports.c.id, ports.c.details).join(ports, ports.c.id == _MEMBER.port_id)
_WITH_DETAILS = ports.c.details.is_not(None)
_PIECES_AT_ONCE = (1, 8, 64)
_EMPTY = ("g", "g")


def _in_pieces(statement: Select[Any], size: int) -> Select[Any]:
    """Narrow a statement to members in so many pieces: each is one range of the index, however many there are."""
    asked = union_all(*[select(_text("first", number), _text("end", number)) for number in range(size)]).subquery()
    return statement.join(asked, and_(_MEMBER.port_id >= asked.c.first, _MEMBER.port_id < asked.c.end))


def _text(name: str, number: int) -> Label[str]:
    return bindparam(f"{name}_{number}", type_=String).label(name)


@cache
def _members_in_pieces(size: int) -> tuple[Select[Any], Select[Any]]:
    """Return what selects addresses and details; made when a group has so many members, because it is large."""
    return _in_pieces(_FIXED, size), _in_pieces(_DETAILS, size)


_ADDRESSES = select(address_group_addresses.c.address).where(
    address_group_addresses.c.address_group_id == bindparam("group_id")
)


def groups(connection: Connection, ids: Iterable[str]) -> dict[str, SecurityGroup]:
    """Return security groups with their rules, by id."""
    wanted = sorted(set(ids))
    rules: defaultdict[str, list[SecurityRule]] = defaultdict(list)
    for row in _rows(connection, _RULES, wanted):
        rules[row.security_group_id].append(_rule(row))
    rows = _rows(connection, _GROUPS, wanted)
    return {row.id: SecurityGroup(row.id, row.stateful, tuple(rules[row.id])) for row in rows}


def hosts_of_groups(connection: Connection, group_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return the hosts that ports of groups are bound to, by group; one on no host is not named.

    Of a group with many ports, only hosts that have reported: each of them is asked whether it has one, which is far
    quicker than to ask each port where it is. The others fetch what they must know when they begin.
    """
    large = {group_id for group_id in set(group_ids) if _has_many_members(connection, group_id)}
    found = _by_first(_rows(connection, _HOSTS_OF_GROUPS, set(group_ids) - large))
    for group_id in large:
        found[group_id] = frozenset(connection.execute(_HOSTS_THAT_REPORT, {"group_id": group_id}).scalars())
    return found


def guarding_hosts(connection: Connection, wanted: Iterable[str]) -> frozenset[str]:
    """Return those of the hosts that guard ports, by what they answer bindings with; others understand no groups."""
    rows = _rows(connection, _BINDINGS_OF_HOSTS, wanted)
    return frozenset(row.host for row in rows if orjson.loads(row.vif_details or "{}").get("port_filter") is True)


def groups_of_host(connection: Connection, host: str) -> frozenset[str]:
    """Return the groups of all ports that are bound to a host."""
    return frozenset(connection.execute(_GROUPS_OF_HOST, {"host": host}).scalars())


def has_member_before(connection: Connection, group_id: str, host: str, position: int, but: Collection[str]) -> bool:
    """Whether a host has a port of the group, not one of ``but``, that has not changed since before a position."""
    asked = {"group_id": group_id, "host": host, "before": position}
    return any(port_id not in but for port_id in connection.execute(_TOLD.limit(len(but) + 1), asked).scalars())


def groups_naming(connection: Connection, set_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return the groups that have rules about sets, by set; one that no rule names is not named."""
    wanted = sorted(set(set_ids))
    return _by_first(row for statement in _NAMING for row in _rows(connection, statement, wanted))


def members(connection: Connection, group_id: str, pieces: Collection[str] | None = None) -> dict[str, set[str]]:
    """Return the addresses of a group's ports by piece, of some or (None) of all; an address stands for itself."""
    asked = {"group_id": group_id}
    size = next((each for each in _PIECES_AT_ONCE if pieces is not None and each >= len(pieces)), None)
    if pieces is None or size is None:
        return _members(connection, _FIXED, _DETAILS, asked)
    if not pieces:
        return {}
    # A few statements do: what is not needed of one is a range that holds nothing.
    ranges = [(piece, _after(piece)) for piece in pieces] + [_EMPTY] * (size - len(pieces))
    for number, (first, end) in enumerate(ranges):
        asked |= {f"first_{number}": first, f"end_{number}": end}
    return _members(connection, *_members_in_pieces(size), asked)


def _members(
    connection: Connection, fixed: Select[Any], details: Select[Any], asked: Mapping[str, str]
) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for port_id, address in connection.execute(fixed.where(_IS_MEMBER), asked):
        if not is_provisional(address):
            found[piece_of(port_id)].add(address)
    for port_id, text in connection.execute(details.where(_IS_MEMBER, _WITH_DETAILS), asked):
        found[piece_of(port_id)].update(pair.cidr for pair in address_pairs(text))
    return dict(found)


def addresses_of(connection: Connection, address_group_id: str) -> set[str]:
    """Return the prefixes of an address group."""
    return set(connection.execute(_ADDRESSES, {"group_id": address_group_id}).scalars())


def _has_many_members(connection: Connection, group_id: str) -> bool:
    return connection.execute(_LAST_OF_MANY, {"group_id": group_id}).first() is not None


def _after(piece: str) -> str:
    """Return a text after all ids that begin with the piece, and before all others that come after them."""
    # In every database's order "g" comes after all digits of ids.
    return f"{piece}g"


def _rule(row: Any) -> SecurityRule:
    return SecurityRule(
        row.id,
        row.direction,
        row.ethertype,
        protocol_number(row.protocol),
        row.port_range_min,
        row.port_range_max,
        row.normalized_cidr or row.remote_ip_prefix,
        row.remote_group_id or row.remote_address_group_id,
    )


def _by_first(rows: Iterable[Any]) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for first, second in rows:
        found[first].add(second)
    return {first: frozenset(seconds) for first, seconds in found.items()}


def _rows(connection: Connection, statement: Select[Any], ids: Iterable[str]) -> Iterator[Any]:
    wanted = list(ids)
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(statement, {"ids": wanted[start : start + CHUNK]})

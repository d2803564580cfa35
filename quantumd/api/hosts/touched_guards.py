"""Which groups and sets of addresses a stretch of the journal touched, and which hosts must hear of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field
from sqlalchemy import Connection

from quantumd.api.hosts.guarded import group_records, records_of_groups, records_of_pieces
from quantumd.model.nouns import Port
from quantumd.model.records import Record
from quantumd.model.security_records import WHOLE, piece_of
from quantumd.store import security_nouns

_OF_MEMBERS = ("security_groups", "fixed_ips", "allowed_address_pairs")
_REMOTES = ("remote_group_id", "remote_address_group_id")


@define
class TouchedGuards:
    """Groups by id, those of them whose rules may name more sets than before, and pieces of sets."""

    groups: set[str] = field(factory=set)
    renamed: set[str] = field(factory=set)
    pieces: set[tuple[str, str]] = field(factory=set)

    @property
    def is_nothing(self) -> bool:
        """Whether none is touched."""
        return not (self.groups or self.pieces)

    def note(self, resource: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note a row of the journal."""
        if resource == "security_group":
            self.groups.add(resource_id)
        elif resource == "security_group_rule":
            self.groups.add((after or before)["security_group_id"])
            if any(after.get(name) for name in _REMOTES):
                self.renamed.add(after["security_group_id"])
        elif resource == "address_group":
            self.pieces.add((resource_id, WHOLE))
        elif resource == "port" and any(before.get(name) != after.get(name) for name in _OF_MEMBERS):
            groups = {*(before.get("security_groups") or ()), *(after.get("security_groups") or ())}
            self.pieces.update((group_id, piece_of(resource_id)) for group_id in groups)


def guards_to_tell(
    connection: Connection, touched: TouchedGuards, bound: Collection[Port], first_position: int
) -> Iterator[tuple[str, Record]]:
    """Yield hosts with what they must hear: of groups that changed, of sets that did, and of groups that are new there.

    :param bound: ports that changed in the stretch of the journal, which begins at ``first_position``, and have a host.
    """
    found = tuple(_guards(connection, touched, bound, first_position))
    guarding = security_nouns.guarding_hosts(connection, {host for host, _ in found})
    yield from ((host, record) for host, record in found if host in guarding)


def _guards(
    connection: Connection, touched: TouchedGuards, bound: Collection[Port], first_position: int
) -> Iterator[tuple[str, Record]]:
    new_at: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
    # What changed before this stretch of the journal was told of before it.
    for group_id, host in new_groups(connection, bound, first_position):
        new_at[group_id, True].add(host)
    hosts = security_nouns.hosts_of_groups(connection, touched.groups)
    for group_id in touched.groups:
        for host in hosts.get(group_id, frozenset()):
            new_at[group_id, group_id in touched.renamed].add(host)
    for (group_id, with_sets), told in new_at.items():
        read = records_of_groups if with_sets else group_records
        records: Sequence[Record] = read(connection, (group_id,))
        yield from ((host, record) for host in told for record in records)
    yield from _changed_pieces(connection, touched.pieces)


def new_groups(connection: Connection, bound: Iterable[Port], position: int) -> set[tuple[str, str]]:
    """Return the groups of ports that had no other member on the port's host before a position, each with that host."""
    ports = defaultdict(set)
    for port in bound:
        for group_id in port.security_groups:
            ports[group_id, port.host_id].add(port.id)
    return {
        (group_id, host)
        for (group_id, host), ids in ports.items()
        if not security_nouns.has_member_before(connection, group_id, host, position, ids)
    }


def _changed_pieces(connection: Connection, touched: Collection[tuple[str, str]]) -> Iterator[tuple[str, Record]]:
    pieces: defaultdict[str, list[str]] = defaultdict(list)
    for set_id, piece in sorted(touched):
        pieces[set_id].append(piece)
    naming = security_nouns.groups_naming(connection, pieces)
    hosts = security_nouns.hosts_of_groups(connection, {each for groups in naming.values() for each in groups})
    for set_id, changed in pieces.items():
        told = {host for group_id in naming.get(set_id, ()) for host in hosts.get(group_id, ())}
        if told:
            records = records_of_pieces(connection, set_id, changed)
            yield from ((host, record) for host in told for record in records)

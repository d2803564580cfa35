"""Which groups and sets of addresses hosts must know, as records. Runs on the store's threads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from sqlalchemy import Connection

from quantumd.compile.security import group_record, set_record
from quantumd.model.records import Record
from quantumd.model.security_records import WHOLE, AddressSetRecord, SecurityGroupRecord, piece_id
from quantumd.store import security_nouns
from quantumd.store.journal import last_position

IsWanted = Callable[[str, str], bool]
"""Whether the record of a kind and id is asked for."""


def everything(kind: str, record_id: str) -> bool:
    """Every record is asked for."""
    return True


def records_of_groups(
    connection: Connection, group_ids: Iterable[str], is_wanted: IsWanted = everything
) -> list[Record]:
    """Return the records of groups and of the sets that their rules name."""
    found = group_records(connection, group_ids)
    sets = {rule.remote_set for record in found for rule in record.rules if rule.remote_set is not None}
    wanted: list[Record] = [record for record in found if is_wanted(record.kind, record.id)]
    return wanted + records_of_sets(connection, sets, is_wanted)


def group_records(connection: Connection, group_ids: Iterable[str]) -> list[SecurityGroupRecord]:
    """Return the records of groups alone."""
    # The position is read first: what commits in between is in the records and also comes as an update.
    position = last_position(connection)
    return [group_record(group, position) for group in security_nouns.groups(connection, group_ids).values()]


def records_of_sets(connection: Connection, set_ids: Iterable[str], is_wanted: IsWanted = everything) -> list[Record]:
    """Return the records of all pieces of sets."""
    position = last_position(connection)
    found: list[Record] = []
    for set_id in sorted(set_ids):
        pieces = dict(security_nouns.members(connection, set_id))
        whole = security_nouns.addresses_of(connection, set_id)
        if whole:
            pieces[WHOLE] = whole
        found.extend(
            set_record(set_id, piece, addresses, position)
            for piece, addresses in pieces.items()
            if is_wanted(AddressSetRecord.kind, piece_id(set_id, piece))
        )
    return found


def records_of_pieces(connection: Connection, set_id: str, pieces: Collection[str]) -> list[AddressSetRecord]:
    """Return the records of pieces of a set; without addresses when there are none."""
    position = last_position(connection)
    found = security_nouns.members(connection, set_id, [piece for piece in pieces if piece != WHOLE])
    if WHOLE in pieces:
        found[WHOLE] = security_nouns.addresses_of(connection, set_id)
    return [set_record(set_id, piece, found.get(piece, ()), position) for piece in pieces]

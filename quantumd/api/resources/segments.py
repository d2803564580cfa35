"""Segments: where new networks live, and that no two live in the same place.

No row is kept for what is free. An id is chosen among those that no segment holds and written; the unique key of the
segments decides who has it, and who lost it to another process takes another one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import evolve, field, frozen
from sqlalchemy import Connection, and_, bindparam, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from quantumd.api.errors import InvalidInput
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.errors import FlatNetworkInUse, NoNetworkAvailable, TunnelIdInUse, VlanIdInUse
from quantumd.api.resources.views import IDS
from quantumd.errors import ApiError
from quantumd.model.network import FLAT, LOCAL, VLAN, Segment, SegmentRules, flat_choices, segment_fault
from quantumd.model.segment_ranges import SegmentRange, candidates, choose_id, ranges_of_project
from quantumd.store.tables import segments
from quantumd.store.tables.networks import network_segment_ranges
from quantumd.store.transaction import Transaction

T = TypeVar("T")

ATTEMPTS = 32
"""How often another segment is tried when the one that was chosen is taken meanwhile."""

_READ_WHOLE = 4096
"""Ranges of up to so many ids are read whole; of larger ones a few ids are tried."""
_TRIED_AT_ONCE = 16

_FLAT_ID = 0
"""What a flat network holds of its physical network."""

_COLUMNS = segments.c
_PLACE = (
    _COLUMNS.network_type == bindparam("wanted_type"),
    _COLUMNS.physical_network == bindparam("wanted_physical"),
)
_HELD_WITHIN = select(_COLUMNS.segmentation_id).where(
    *_PLACE, _COLUMNS.segmentation_id.between(bindparam("first"), bindparam("last"))
)
_HELD_AMONG = select(_COLUMNS.segmentation_id).where(*_PLACE, _COLUMNS.segmentation_id.in_(IDS))
_NEXT = segments.alias("next_segments")
_LOWEST_GAP = select(func.min(_COLUMNS.segmentation_id) + 1).where(
    *_PLACE,
    _COLUMNS.segmentation_id.between(bindparam("first"), bindparam("last")),
    ~exists().where(
        and_(
            _NEXT.c.network_type == _COLUMNS.network_type,
            _NEXT.c.physical_network == _COLUMNS.physical_network,
            _NEXT.c.segmentation_id == _COLUMNS.segmentation_id + 1,
        )
    ),
)
_INSERT = insert(segments)
_MOVE = (
    update(segments)
    .where(_COLUMNS.network_id == bindparam("wanted"))
    .values(segmentation_id=bindparam("number"), updated_at=bindparam("now"))
)


@frozen
class Segments:
    """Chooses segments by the rules and the administrators' ranges."""

    rules: SegmentRules
    chance: Chance

    def check(self, asked: Segment) -> None:
        """Refuse what an administrator names and cannot be. InvalidInput."""
        if not asked.network_type:
            raise InvalidInput("network_type required")
        fault = segment_fault(asked, self.rules)
        if fault is not None:
            raise InvalidInput(fault)

    def held(
        self,
        tx: Transaction,
        project_id: str,
        asked: Sequence[Segment | None],
        work: Callable[[tuple[Segment, ...]], T],
    ) -> T:
        """Return what ``work`` returns, which writes that a network holds the chosen segments.

        It is done again with others in a new savepoint while one of them is taken.

        :param asked: checked segments, whole or partial; None is one as tenants get it.
        :raises VlanIdInUse, TunnelIdInUse, FlatNetworkInUse: a named one is held. NoNetworkAvailable.
        """
        choice = _Choice(tx, self.rules, self.chance, project_id)
        for attempt in range(ATTEMPTS):
            chosen = choice.choose(asked, is_retry=attempt > 0)
            try:
                with tx.savepoint():
                    return work(chosen)
            except IntegrityError:
                choice.tried.update(chosen)
        named = next((each for each in asked if each is not None and not each.is_partial), None)
        raise NoNetworkAvailable if named is None else _in_use(named)


@frozen(eq=False)
class _Choice:
    """One search for segments. ``tried`` are those that this search chose and did not get."""

    tx: Transaction
    rules: SegmentRules
    chance: Chance
    project_id: str
    tried: set[Segment] = field(factory=set)

    def choose(self, asked: Sequence[Segment | None], is_retry: bool) -> tuple[Segment, ...]:
        chosen: list[Segment] = []
        for each in asked:
            chosen.append(self._one(each, is_retry, {*self.tried, *chosen}))
        return tuple(chosen)

    def _one(self, asked: Segment | None, is_retry: bool, tried: Collection[Segment]) -> Segment:
        if asked is None:
            return self._of_tenant(is_retry, tried)
        if asked.is_partial:
            found = self._free(asked.network_type, asked.physical_network, is_retry, tried)
            if found is None:
                raise NoNetworkAvailable
            return found
        if asked.network_type != LOCAL and is_held(self.tx.connection, asked):
            raise _in_use(asked)
        return asked

    def _of_tenant(self, is_retry: bool, tried: Collection[Segment]) -> Segment:
        for network_type in self.rules.tenant_network_types:
            if network_type == LOCAL:
                return Segment(LOCAL)
            if network_type == FLAT:
                found = self._free_flat(tried)
            else:
                found = self._free(network_type, None, is_retry, tried)
            if found is not None:
                return found
        raise NoNetworkAvailable

    def _free_flat(self, tried: Collection[Segment]) -> Segment | None:
        choices = (Segment(FLAT, name) for name in flat_choices(self.rules))
        free = (each for each in choices if each not in tried and not is_held(self.tx.connection, each))
        return next(free, None)

    def _free(
        self, network_type: str, physical_network: str | None, is_retry: bool, tried: Collection[Segment]
    ) -> Segment | None:
        for choice in self._ranges(network_type, physical_network):
            lost = {each.segmentation_id for each in tried if _place(each) == _place_of(choice)}
            found = self._free_id(choice, {each for each in lost if each is not None}, is_retry)
            if found is not None:
                return Segment(network_type, choice.physical_network or None, found)
        return None

    def _ranges(self, network_type: str, physical_network: str | None) -> Iterable[SegmentRange]:
        every = (*self.rules.ranges, *stored_ranges(self.tx.connection, network_type))
        usable = (
            each
            for each in every
            if each.network_type == network_type
            and physical_network in (None, each.physical_network)
            and (network_type != VLAN or each.physical_network in self.rules.physical_networks)
        )
        return ranges_of_project(usable, self.project_id)

    def _free_id(self, choice: SegmentRange, lost: set[int], is_retry: bool) -> int | None:
        bits = self.chance.bits
        if len(choice) <= _READ_WHOLE:
            return choose_id(choice, held_ids(self.tx.connection, choice) | lost, bits if is_retry else None)
        tried = candidates(choice, _TRIED_AT_ONCE, bits)
        taken = lost.union(self.tx.connection.execute(_HELD_AMONG, {"ids": tried, **_place_keys(choice)}).scalars())
        found = next((each for each in tried if each not in taken), None)
        return found if found is not None else self._lowest_free(choice, lost)

    def _lowest_free(self, choice: SegmentRange, lost: set[int]) -> int | None:
        """Return the first gap of a range that is nearly full; reads it, so only when luck failed."""
        first = choice.first
        if not self.tx.connection.execute(_HELD_AMONG, {"ids": (first,), **_place_keys(choice)}).scalars().all():
            found: int | None = first
        else:
            keys = {"first": first, "last": choice.last - 1, **_place_keys(choice)}
            found = self.tx.connection.execute(_LOWEST_GAP, keys).scalar()
        if found is None or found not in lost:
            return found
        return self._lowest_free(evolve(choice, first=found + 1), lost) if found < choice.last else None


def asked_segment(values: Mapping[str, Any], prefix: str = "provider:") -> Segment:
    """Return the segment that a request describes; an empty type when it names none."""
    return Segment(
        values.get(f"{prefix}network_type") or "",
        values.get(f"{prefix}physical_network") or None,
        values.get(f"{prefix}segmentation_id"),
    )


def segment_row(segment_id: str, network_id: str, segment: Segment, index: int, now: str) -> dict[str, Any]:
    """Return the row of a new segment, without name and description."""
    number = _FLAT_ID if segment.network_type == FLAT else segment.segmentation_id
    return {
        "id": segment_id,
        "network_id": network_id,
        "name": None,
        "description": "",
        "created_at": now,
        "updated_at": now,
        "revision_number": 0,
        "network_type": segment.network_type,
        "physical_network": segment.physical_network or "",
        "segmentation_id": number,
        "segment_index": index,
    }


def hold_segments(tx: Transaction, chance: Chance, network_id: str, chosen: Sequence[Segment]) -> None:
    """Write that a new network holds the segments, in order. IntegrityError when another took one meanwhile."""
    rows = (segment_row(chance.new_id(), network_id, segment, index, tx.now) for index, segment in enumerate(chosen))
    tx.connection.execute(_INSERT, list(rows))


def move_segment(tx: Transaction, network_id: str, segment: Segment) -> None:
    """Write another number of a network's one segment. VlanIdInUse when another network holds that."""
    keys = {"wanted": network_id, "number": segment.segmentation_id, "now": tx.now}
    try:
        with tx.savepoint():
            tx.connection.execute(_MOVE, keys)
    except IntegrityError:
        raise _in_use(segment) from None


def segment_of(network_type: str, physical_network: str, segmentation_id: int | None) -> Segment:
    """Return what a row of the segments holds, as the API shows it."""
    return Segment(network_type, physical_network or None, None if network_type == FLAT else segmentation_id)


def stored_ranges(connection: Connection, network_type: str) -> Iterable[SegmentRange]:
    """Return the ranges that administrators made for a network type; those of the settings are not among them."""
    table = network_segment_ranges.c
    statement = (
        select(table.physical_network, table.minimum, table.maximum, table.project_id)
        .where(table.network_type == network_type, table.is_default.is_(False))
        .order_by(table.created_at, table.id)
    )
    return tuple(
        SegmentRange(network_type, physical_network or "", first, last, project_id)
        for physical_network, first, last, project_id in connection.execute(statement).all()
    )


def held_ids(connection: Connection, choice: SegmentRange) -> set[int]:
    """Return the ids of the range that segments hold."""
    keys = {"first": choice.first, "last": choice.last, **_place_keys(choice)}
    return set(connection.execute(_HELD_WITHIN, keys).scalars())


def is_held(connection: Connection, segment: Segment) -> bool:
    """Whether a network holds the segment."""
    network_type, physical_network = _place(segment)
    number = _FLAT_ID if network_type == FLAT else segment.segmentation_id
    keys = {"wanted_type": network_type, "wanted_physical": physical_network, "ids": (number,)}
    return connection.execute(_HELD_AMONG, keys).first() is not None


def _place(segment: Segment) -> tuple[str, str]:
    return segment.network_type, segment.physical_network or ""


def _place_of(choice: SegmentRange) -> tuple[str, str]:
    return choice.network_type, choice.physical_network


def _place_keys(choice: SegmentRange) -> dict[str, str]:
    return {"wanted_type": choice.network_type, "wanted_physical": choice.physical_network}


def _in_use(segment: Segment) -> ApiError:
    if segment.network_type == FLAT:
        return FlatNetworkInUse(segment.physical_network or "")
    if segment.network_type == VLAN:
        return VlanIdInUse(segment.segmentation_id or 0, segment.physical_network or "")
    return TunnelIdInUse(segment.segmentation_id or 0)

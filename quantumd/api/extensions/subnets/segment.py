"""``segment_id``: the segment of a routed network that a subnet is on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, bindparam, func, select
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.segments.errors import SegmentNotFound
from quantumd.api.extensions.subnets.segment_errors import (
    NetworkIdsDontMatch,
    NoUpdateSubnetWhenMultipleSegmentsOnNetwork,
    SubnetSegmentAssociationChangeNotAllowed,
    SubnetsNotAllAssociatedWithSegments,
)
from quantumd.api.values import UUID_OR_NONE, filter_uuid
from quantumd.model.context import Context
from quantumd.store.tables import segments, subnets
from quantumd.store.transaction import Transaction

EXTENSION: Final = "segment"
_NAME: Final = "segment_id"

_OWNER = select(segments.c.network_id).where(segments.c.id == bindparam("wanted"))
_HOW_MANY = select(func.count()).select_from(segments).where(segments.c.network_id == bindparam("wanted"))
_OF_NETWORK = select(subnets.c.segment_id).where(subnets.c.network_id == bindparam("wanted"))


@implementer(IAspect)
@frozen
class SubnetSegments:
    """Settles ``segment_id``, a column of the subnet's row. Only administrators name and see it."""

    attributes = (
        Attribute(
            _NAME,
            *UUID_OR_NONE,
            in_post=True,
            in_put=True,
            default=None,
            filter_convert=filter_uuid,
            extension=EXTENSION,
        ),
    )
    filters: Mapping[str, Condition] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. SegmentNotFound, and errors of segment_errors."""
        segment_id, network_id = named.get(_NAME), view["network_id"]
        if before is not None and (_NAME not in named or before[_NAME] == segment_id):
            return {}
        owner = None if segment_id is None else _owner(tx, segment_id)
        others = list(tx.connection.execute(_OF_NETWORK, {"wanted": network_id}).scalars())
        if before is None:
            if len({each is None for each in (*others, segment_id)}) > 1:
                raise SubnetsNotAllAssociatedWithSegments(network_id)
        else:
            _require_movable(tx, network_id, before, others)
        if segment_id is not None and owner != network_id:
            raise NetworkIdsDontMatch(network_id, segment_id)
        return {_NAME: segment_id}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect: it is a column."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect: it is a column."""

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect: it is a column."""


def _owner(tx: Transaction, segment_id: str) -> str:
    """Return the id of the segment's network. SegmentNotFound."""
    network_id: str | None = tx.connection.execute(_OWNER, {"wanted": segment_id}).scalar()
    if network_id is None:
        raise SegmentNotFound(segment_id)
    return network_id


def _require_movable(tx: Transaction, network_id: str, before: View, others: list[str | None]) -> None:
    """Refuse to put a subnet on a segment unless it is the only one, on none, and there is one segment to be on."""
    if len(others) > 1:
        raise SubnetsNotAllAssociatedWithSegments(network_id)
    if before[_NAME] is not None:
        raise SubnetSegmentAssociationChangeNotAllowed
    if tx.connection.execute(_HOW_MANY, {"wanted": network_id}).scalar_one() > 1:
        raise NoUpdateSubnetWhenMultipleSegmentsOnNetwork(network_id)

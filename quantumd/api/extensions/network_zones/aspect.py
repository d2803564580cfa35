"""Availability zones of networks: where an operator wishes their address service to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, select
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.resources.network_values import ZONE_HINTS
from quantumd.api.values import list_of, string
from quantumd.errors import ApiError
from quantumd.model.context import Context
from quantumd.store.tables.services import agents
from quantumd.store.transaction import Transaction

HINTS: Final = "availability_zone_hints"
ZONES: Final = "availability_zones"


class AvailabilityZoneNotFound(ApiError):
    """No host is in the zone."""

    status = 404

    def __init__(self, zone: str) -> None:
        super().__init__(f"AvailabilityZone {zone} could not be found.")
        self.zone = zone


@implementer(IAspect)
@frozen
class NetworkZones:
    """Hints are kept in the network's row. No zone serves a network: the hosts that have its ports do.

    ``own_zone`` is the zone of the agents that report here; it is there before any of them has.
    """

    own_zone: str
    attributes: tuple[Attribute, ...] = (
        Attribute(
            HINTS, *ZONE_HINTS, in_post=True, default=(), is_sort_key=True, extension="network_availability_zone"
        ),
        Attribute(ZONES, *list_of(string(255)), extension="network_availability_zone"),
    )
    filters: Mapping[str, Condition] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. AvailabilityZoneNotFound."""
        if before is not None:
            return {}
        hints = list(named[HINTS])
        self._require_zones(tx, [each for each in hints if each != self.own_zone])
        return {HINTS: hints, ZONES: []}

    def _require_zones(self, tx: Transaction, wanted: Sequence[str]) -> None:
        if wanted:
            statement = select(agents.c.availability_zone).where(agents.c.availability_zone.in_(wanted))
            known = set(tx.connection.execute(statement).scalars())
            for zone in wanted:
                if zone not in known:
                    raise AvailabilityZoneNotFound(zone)

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect: all is in the row."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect: all is in the row."""

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect: all is in the row."""

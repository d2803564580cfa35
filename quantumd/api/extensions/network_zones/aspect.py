"""Availability zones of networks: where an operator wishes their address service to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.aspects import IAspect, KeptInRow, View
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.agents.scheduling import IDhcpScheduler
from quantumd.api.extensions.availability_zones.zones import require_zones, zones_of_networks
from quantumd.api.resources.network_values import ZONE_HINTS
from quantumd.api.values import list_of, string
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

HINTS: Final = "availability_zone_hints"
ZONES: Final = "availability_zones"


@implementer(IAspect)
@frozen
class NetworkZones(KeptInRow):
    """Hints are kept in the network's row; the zones are those of the agents that serve the network.

    ``own_zone`` is the zone of the agents that report here; it is there before any of them has.
    """

    own_zone: str
    scheduler: IDhcpScheduler
    attributes: tuple[Attribute, ...] = (
        Attribute(
            HINTS, *ZONE_HINTS, in_post=True, default=(), is_sort_key=True, extension="network_availability_zone"
        ),
        Attribute(ZONES, *list_of(string(255)), extension="network_availability_zone"),
    )

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. AvailabilityZoneNotFound."""
        if before is not None:
            return {}
        hints = list(named[HINTS])
        require_zones(tx.connection, "network", [each for each in hints if each != self.own_zone])
        return {HINTS: hints, ZONES: []}

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""
        for network_id, zones in zones_of_networks(connection, self.scheduler, [*views]).items():
            views[network_id][ZONES] = zones

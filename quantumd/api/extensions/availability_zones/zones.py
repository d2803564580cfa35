"""Availability zones: those of the agents that serve networks and routers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from quantumd.api.extensions.agents.scheduling import IDhcpScheduler
from quantumd.api.resource import Query
from quantumd.errors import ApiError
from quantumd.model.context import Context
from quantumd.store.tables.services import agents

View = dict[str, Any]

_ROLES: Final = {"network": "dhcp", "router": "l3"}
"""Which role's agents make the zones of a resource."""

_ZONES_OF_HOSTS = select(agents.c.host, agents.c.availability_zone).where(
    agents.c.role == _ROLES["network"], agents.c.host.in_(bindparam("hosts", expanding=True))
)


class AvailabilityZoneNotFound(ApiError):
    """No agent that serves the resource is in the zone."""

    status = 404

    def __init__(self, zone: str) -> None:
        super().__init__(f"AvailabilityZone {zone} could not be found.")
        self.zone = zone


def require_zones(connection: Connection, kind: str, names: Sequence[str]) -> None:
    """Refuse hints that name a zone in which nothing serves the resource. AvailabilityZoneNotFound.

    :param kind: ``network`` or ``router``.
    """
    if not names:
        return
    statement = select(agents.c.availability_zone).where(
        agents.c.role == _ROLES[kind], agents.c.availability_zone.in_(names)
    )
    known = set(connection.execute(statement).scalars())
    for name in names:
        if name not in known:
            raise AvailabilityZoneNotFound(name)


def zones_of_networks(
    connection: Connection, scheduler: IDhcpScheduler, network_ids: Sequence[str]
) -> dict[str, list[str]]:
    """Return the zones that serve each network, by network id: those of the agents that are shown to serve it.

    Two queries however many networks there are, one when none of them is anywhere.
    """
    hosts = scheduler.hosts_of(connection, network_ids)
    found: dict[str, set[str]] = {network_id: set() for network_id in network_ids}
    if hosts:
        rows = connection.execute(_ZONES_OF_HOSTS, {"hosts": sorted({host for _, host in hosts})})
        zone_of = {row.host: row.availability_zone for row in rows}
        for network_id, host in hosts:
            if host in zone_of:
                found[network_id].add(zone_of[host])
    return {network_id: sorted(each) for network_id, each in found.items()}


def zones(connection: Connection, context: Context, query: Query) -> list[View]:
    """Return every zone with what it serves; it is available while one of its agents is enabled."""
    statement = select(agents.c.availability_zone, agents.c.role, agents.c.admin_state_up).where(
        agents.c.role.in_(_ROLES.values())
    )
    resources = {role: resource for resource, role in _ROLES.items()}
    found: dict[tuple[str, str], bool] = {}
    for row in connection.execute(statement.distinct()):
        key = (row.availability_zone, resources[row.role])
        found[key] = found.get(key, False) or row.admin_state_up
    return [
        {"name": name, "resource": resource, "state": "available" if is_enabled else "unavailable"}
        for (name, resource), is_enabled in sorted(found.items())
    ]

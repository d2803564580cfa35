"""Availability zones: those of the agents that serve networks and routers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from quantumd.api.resource import Query
from quantumd.errors import ApiError
from quantumd.model.context import Context
from quantumd.store.tables.services import agents

View = dict[str, Any]

_ROLES: Final = {"network": "dhcp", "router": "l3"}
"""Which role's agents make the zones of a resource."""


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


def zones_of_networks(connection: Connection, hosts: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the zones that serve each network, by network id.

    :param hosts: the hosts that ports of each network are bound to.
    """
    wanted = {host for each in hosts.values() for host in each}
    if not wanted:
        return {network_id: [] for network_id in hosts}
    statement = select(agents.c.host, agents.c.availability_zone).where(
        agents.c.role == _ROLES["network"], agents.c.host.in_(sorted(wanted))
    )
    zones = {row.host: row.availability_zone for row in connection.execute(statement)}
    return {network_id: sorted({zones[host] for host in each if host in zones}) for network_id, each in hosts.items()}


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

"""Reading ports: one, lists, and by filters."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from quantumd.api.aspects import IAspect
from quantumd.api.resources.errors import PortNotFound
from quantumd.api.resources.matching import Alternatives, Filterable
from quantumd.api.resources.port_views import (
    PORT_COLUMNS,
    port_views,
)
from quantumd.api.resources.views import BATCH, View
from quantumd.model.context import OWN, Context, Scope
from quantumd.store.scope import visible_ports
from quantumd.store.tables import ip_allocations, ports

FEW = 128
_FROM_ADDRESSES = frozenset({"fixed_ips", "dns_assignment"})


def _with_addresses(alternatives: Alternatives) -> ColumnElement[bool]:
    """Return the condition of ``fixed_ips`` filters: keys are ANDed on one address, values of a key ORed."""
    wanted: dict[str, list[str]] = {}
    for key, value in alternatives:
        wanted.setdefault(key, []).append(value)
    clauses: list[ColumnElement[bool]] = []
    for key, values in wanted.items():
        if key == "ip_address_substr":
            clauses.append(or_(*(ip_allocations.c.ip_address.contains(each, autoescape=True) for each in values)))
        else:
            clauses.append(ip_allocations.c[key].in_(values))
    return ports.c.id.in_(select(ip_allocations.c.port_id).where(*clauses))


def filterable_ports(aspects: Sequence[IAspect]) -> Filterable:
    """Return what lists of ports can be filtered by."""
    special = {name: condition for aspect in aspects for name, condition in aspect.filters.items()}
    return Filterable(ports, PORT_COLUMNS, {"fixed_ips": _with_addresses, **special})


def shown_port(connection: Connection, aspects: Sequence[IAspect], context: Context, port_id: str) -> View:
    """Return the view of the port, if the context's scope holds it. PortNotFound."""
    view = port_of(connection, aspects, port_id)
    if view is None or not _is_visible(connection, context.scope_of("port"), view):
        raise PortNotFound(port_id)
    return view


def _is_visible(connection: Connection, scope: Scope, port: View) -> bool:
    """Whether the scope holds the port; nearly always it is the caller's own, and the database need not be asked."""
    if scope.is_everything or (OWN in scope.grants and port["project_id"] == scope.project_id):
        return True
    statement = select(ports.c.id).where(ports.c.id == port["id"], *visible_ports(scope))
    return connection.execute(statement).first() is not None


def port_of(connection: Connection, aspects: Sequence[IAspect], port_id: str) -> View | None:
    """Return the view of the port with all that aspects know of it, whoever may see it; None when there is none."""
    views = port_views(connection, (port_id,))
    if not views:
        return None
    for aspect in aspects:
        aspect.load(connection, {port_id: views[0]})
    return views[0]


def ports_at_once(connection: Connection) -> int:
    """Return how many ports a list reads at once: on SQLite few, so that they stay in the processor's cache.

    That takes two thirds of the time. Of a server each batch is asked five times, over a way that takes longer.
    """
    return FEW if connection.dialect.name == "sqlite" else BATCH


def listed_ports(
    connection: Connection, aspects: Sequence[IAspect], ids: Sequence[str], fields: frozenset[str]
) -> list[View]:
    """Return the views of the ports in the order of the ids, without what ``fields`` (empty: all) does not ask for."""
    if fields == {"id"}:
        return [{"id": port_id} for port_id in ids]
    views = port_views(
        connection,
        ids,
        with_fixed_ips=not fields or not fields.isdisjoint(_FROM_ADDRESSES),
        with_tags=not fields or "tags" in fields,
    )
    by_id = {view["id"]: view for view in views}
    for aspect in aspects:
        if not fields or any(attribute.name in fields for attribute in aspect.attributes):
            aspect.load(connection, by_id)
    return views

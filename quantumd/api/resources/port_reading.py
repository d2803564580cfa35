"""Reading ports: one, lists, and by filters."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from quantumd.api.aspects import IAspect
from quantumd.api.resources.errors import PortNotFound
from quantumd.api.resources.matching import Alternatives, Filterable
from quantumd.api.resources.port_views import (
    PORT_COLUMNS,
    PORT_ROW,
    fixed_ips_of,
    port_view,
    port_views,
    tags_of_ports,
)
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.scope import visible_ports
from quantumd.store.tables import ip_allocations, ports

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
    row = connection.execute(PORT_ROW.where(ports.c.id == port_id, *visible_ports(context.scope))).first()
    if row is None:
        raise PortNotFound(port_id)
    return whole_port(connection, aspects, row)


def whole_port(connection: Connection, aspects: Sequence[IAspect], row: Sequence[object]) -> View:
    """Return the view of a port with all that aspects know of it; ``row`` is one of PORT_ROW."""
    ids = (str(row[0]),)
    view = port_view(row, fixed_ips_of(connection, ids)[ids[0]], tags_of_ports(connection, ids).get(ids[0]))
    for aspect in aspects:
        aspect.load(connection, {ids[0]: view})
    return view


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

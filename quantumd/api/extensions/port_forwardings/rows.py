"""Rows of port forwardings. No rules here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, false, or_, select

from quantumd.api.extensions.port_forwardings.errors import PortForwardingNotFound
from quantumd.api.extensions.port_forwardings.spans import RESOURCE
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.port_forwarding import EVERY_PORT, ICMP, PortSpan, entries_of, parse_span
from quantumd.store.tables.routers import floating_ips, port_forwardings
from quantumd.store.transaction import Transaction

OWNER: Final = "floatingip_project_id"
_ENDS: Final = ("external_first", "external_last", "internal_first", "internal_last")
INTERNALS: Final = frozenset({"floatingip_id", OWNER, "router_id", "created_at", *_ENDS})
"""What the journal says of a forwarding beside what is shown: its floating IP, its project, its router, and columns."""

_COLUMNS = port_forwardings.c
_OF_FLOATING_IPS = PreparedIds(
    select(
        _COLUMNS.floatingip_id,
        _COLUMNS.id,
        _COLUMNS.protocol,
        _COLUMNS.external_first,
        _COLUMNS.external_last,
        _COLUMNS.internal_first,
        _COLUMNS.internal_last,
        _COLUMNS.internal_ip_address,
        _COLUMNS.internal_port_id,
    ).order_by(_COLUMNS.floatingip_id, _COLUMNS.protocol, _COLUMNS.external_first),
    _COLUMNS.floatingip_id,
)
_WHERE = PreparedIds(
    select(_COLUMNS.id, floating_ips.c.router_id, floating_ips.c.project_id).join(
        floating_ips, floating_ips.c.id == _COLUMNS.floatingip_id
    ),
    _COLUMNS.id,
)
_OF_PORT = Prepared(
    select(_COLUMNS.id, _COLUMNS.internal_ip_address)
    .where(_COLUMNS.internal_port_id == bindparam("wanted"))
    .order_by(_COLUMNS.id)
)
_ANY = Prepared(select(_COLUMNS.floatingip_id).where(_COLUMNS.floatingip_id == bindparam("wanted")).distinct())


def columns_of(outer: PortSpan, inner: PortSpan) -> View:
    """Return what is written of the ports."""
    return dict(zip(_ENDS, (outer.first, outer.last, inner.first, inner.last), strict=True))


def shown_ports(outer: PortSpan, inner: PortSpan) -> View:
    """Return what is shown of the ports."""
    return {
        "external_port": outer.single,
        "external_port_range": outer.text,
        "internal_port": inner.single,
        "internal_port_range": inner.text,
    }


def _with_ports(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    for forwarding_id, router_id, project_id in _WHERE.rows(connection, list(views)):
        view = views[forwarding_id]
        ends = [view.pop(name) for name in _ENDS]
        view.update(
            {**shown_ports(PortSpan(*ends[:2]), PortSpan(*ends[2:])), "router_id": router_id, OWNER: project_id}
        )


def _at_port(alternatives: tuple[Any, ...]) -> ColumnElement[bool]:
    return and_(_COLUMNS.external_first == _COLUMNS.external_last, _COLUMNS.external_first.in_(alternatives))


def _at_span(alternatives: tuple[Any, ...]) -> ColumnElement[bool]:
    spans = [each for each in map(_parsed, alternatives) if each is not None]
    return or_(
        false(),
        *(and_(_COLUMNS.external_first == each.first, _COLUMNS.external_last == each.last) for each in spans),
    )


def _parsed(text: str) -> PortSpan | None:
    try:
        return parse_span(text)
    except ValueError:
        return None


def rows_of(floatingip_id: str) -> Rows:
    """Return how the forwardings of a floating IP are kept."""
    return _rows(_COLUMNS.floatingip_id == floatingip_id)


def _rows(*conditions: ColumnElement[bool]) -> Rows:
    return Rows(
        RESOURCE,
        port_forwardings,
        PortForwardingNotFound,
        lambda scope: conditions,
        hidden=frozenset({"created_at"}),
        children=_with_ports,
        special={"external_port": _at_port, "external_port_range": _at_span},
        owner=OWNER,
        computed={"external_port": _COLUMNS.external_first, "external_port_range": _COLUMNS.external_first},
    )


EVERY: Final = _rows()
"""Those of all floating IPs."""


def has_forwardings(tx: Transaction, floatingip_id: str) -> bool:
    """Whether a floating IP has any."""
    return bool(_ANY.rows(tx, {"wanted": floatingip_id}))


def forwardings_of_port(tx: Transaction, port_id: str) -> dict[str, str]:
    """Return the addresses of a port that forwardings lead to, by the ids of these."""
    return dict(_OF_PORT.rows(tx, {"wanted": port_id}))


def entries_at(connection: Connection, router_id: str, but_for: str) -> int:
    """Return how many entries the forwardings by a router come to, but for one of them."""
    spans = [_COLUMNS[name] for name in _ENDS]
    statement = (
        select(*spans)
        .join(floating_ips, floating_ips.c.id == _COLUMNS.floatingip_id)
        .where(floating_ips.c.router_id == router_id, _COLUMNS.id != but_for)
    )
    return sum(entries_of(PortSpan(*ends[:2]), PortSpan(*ends[2:])) for ends in connection.execute(statement))


def collision(
    connection: Connection, view: Mapping[str, Any], outer: PortSpan, inner: PortSpan
) -> tuple[str, PortSpan, PortSpan] | None:
    """Return which ports of another forwarding these overlap: the attribute, theirs and ours; None when none.

    Those of the same floating IP may not overlap outside, those to the same address of a port not inside. Of ICMP a
    floating IP has one, as all echo requests go where that leads.
    """
    outer = EVERY_PORT if view["protocol"] == ICMP else outer
    alike = (
        ("internal", inner, (_COLUMNS.internal_port_id, _COLUMNS.internal_ip_address)),
        ("external", outer, (_COLUMNS.floatingip_id,)),
    )
    for side, span, same in alike:
        first, last = _COLUMNS[f"{side}_first"], _COLUMNS[f"{side}_last"]
        others = select(first, last).where(
            *(column == view[column.name] for column in same),
            _COLUMNS.protocol == view["protocol"],
            _COLUMNS.id != view["id"],
            first <= span.last,
            last >= span.first,
        )
        found = connection.execute(others.order_by(first).limit(1)).first()
        if found is not None:
            return f"{side}_port_range", PortSpan(*found), span
    return None


def show_forwardings(connection: Connection, views: Sequence[View]) -> None:
    """Add to views of floating IPs what they forward."""
    found: defaultdict[str, list[View]] = defaultdict(list)
    for floatingip_id, forwarding_id, protocol, *ports, address, port_id in _OF_FLOATING_IPS.rows(
        connection, [view["id"] for view in views]
    ):
        shown = shown_ports(PortSpan(*ports[:2]), PortSpan(*ports[2:]))
        where = {"internal_ip_address": address, "internal_port_id": port_id}
        found[floatingip_id].append({"id": forwarding_id, "protocol": protocol, **shown, **where})
    for view in views:
        view["port_forwardings"] = found[view["id"]]

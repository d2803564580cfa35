"""Status of routers and floating IPs: reports come in, the pure rules decide, what changes is journalled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import define, field, frozen
from sqlalchemy import bindparam, select, update

from quantumd.api.extensions.floating_ips.rows import FLOATING_IPS
from quantumd.api.extensions.routers.rows import ROUTERS
from quantumd.api.resources.prepared import Prepared, text_of
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import in_batches
from quantumd.model.context import Context
from quantumd.model.messages import PortReport, Report
from quantumd.model.router import GATEWAY
from quantumd.model.status import ACTIVE, DOWN, L3, Realisation, next_floating_status, next_router_status
from quantumd.store.tables import networks, ports
from quantumd.store.tables.routers import floating_ips, router_ports, routers
from quantumd.store.transaction import Transaction

REALISED: Final = 0
"""The record_version of a router that its host has realised since it was given to it or enabled again."""

_STATES = PreparedIds(
    select(routers.c.id, routers.c.status, routers.c.host, routers.c.admin_state_up, routers.c.record_version),
    routers.c.id,
)
_WAYS = (
    select(router_ports.c.port_id)
    .join(ports, ports.c.id == router_ports.c.port_id)
    .join(networks, networks.c.id == ports.c.network_id)
    .where(
        router_ports.c.router_id == floating_ips.c.router_id,
        router_ports.c.kind == text_of(GATEWAY),
        ports.c.network_id == floating_ips.c.floating_network_id,
        ports.c.admin_state_up.is_(True),
        networks.c.admin_state_up.is_(True),
    )
    .correlate(floating_ips)
)
_FLOATING = PreparedIds(
    select(
        floating_ips.c.router_id,
        floating_ips.c.id,
        floating_ips.c.status,
        floating_ips.c.record_version,
        _WAYS.exists().label("is_open"),
    ),
    floating_ips.c.router_id,
)
_ACTIVE = Prepared(
    select(routers.c.id)
    .where(
        routers.c.host == bindparam("wanted"),
        routers.c.status == bindparam("status"),
        # The host may not have heard of the others when it reported.
        routers.c.record_version == bindparam("realised"),
    )
    .order_by(routers.c.id)
)
_DATE = Prepared(
    update(routers).where(routers.c.id == bindparam("wanted")).values(record_version=bindparam("position"))
)


@define
class RouterNews:
    """What a report came to.

    ``statuses``: what has another status now, its id, and which. ``behind``: routers of which the host has realised an
    older version than something waits for. It may have missed the newer one, whose content can be the same.
    """

    statuses: list[tuple[str, str, str]] = field(factory=list)
    behind: list[str] = field(factory=list)


@frozen
class _State:
    """What a decision needs of a router's row."""

    id: str
    status: str
    host: str
    is_enabled: bool
    version: int
    """Where in the journal it was given to its host, or enabled again; REALISED when the host has realised that."""


@frozen
class _Floating:
    """What a decision needs of a floating IP's row. ``is_open``: whether its router has a way to its network."""

    id: str
    status: str
    version: int
    is_open: bool


def apply_router_report(tx: Transaction, report: Report) -> RouterNews:
    """Change the status of what a host's l3 role says of routers decides.

    Only what the router's own host says of it counts. A complete report also says of every other router that the host
    carries that it is not there.
    """
    news = RouterNews()
    said = {each.port_id: each for each in report.ports}
    for batch in in_batches(said):
        _apply(tx, report, [said[router_id] for router_id in batch], news)
    if report.is_complete:
        asked = {"wanted": report.host, "status": ACTIVE, "realised": REALISED}
        active = [row[0] for row in _ACTIVE.rows(tx, asked)]
        unmentioned = set(active).difference(report.named, said)
        for batch in in_batches(sorted(unmentioned)):
            _apply(tx, report, [PortReport(router_id, 0, plugged=False) for router_id in batch], news)
    return news


def router_switched(tx: Transaction, context: Context, router_id: str, is_up: bool) -> None:
    """Follow a router's admin state: its floating IPs are DOWN while it is disabled, and until it is realised anew."""
    if is_up:
        _DATE.write(tx, ({"wanted": router_id, "position": tx.position},))
    else:
        _fall(tx, context, router_id)


def router_moved(tx: Transaction, context: Context, router_id: str) -> None:
    """Follow a router that its host carries no longer: it is DOWN with its floating IPs until another has it."""
    (state,) = _STATES.rows(tx.connection, [router_id])
    _write(tx, context, ROUTERS, {router_id: DOWN} if state[1] == ACTIVE else {})
    _fall(tx, context, router_id)


def _fall(tx: Transaction, context: Context, router_id: str) -> None:
    """Let the router's floating IPs be DOWN."""
    active = {each.id: DOWN for each in _floating(tx, (router_id,))[router_id] if each.status == ACTIVE}
    _write(tx, context, FLOATING_IPS, active)


def _apply(tx: Transaction, report: Report, said: Sequence[PortReport], news: RouterNews) -> None:
    states = {row[0]: _State(*row) for row in _STATES.rows(tx.connection, [each.port_id for each in said])}
    here = [each for each in said if each.port_id in states and states[each.port_id].host == report.host]
    floating = _floating(tx, [each.port_id for each in here])
    of_routers: dict[str, str] = {}
    of_floating: dict[str, str] = {}
    realised: list[dict[str, Any]] = []
    for each in here:
        state, led = states[each.port_id], floating[each.port_id]
        status, led_to = _decided(report, each, state, led)
        of_routers |= {state.id: status} if status != state.status else {}
        if state.version != REALISED and each.fault is None and each.version >= state.version:
            realised.append({"wanted": state.id, "position": REALISED})
        of_floating |= {one.id: led_to[one.id] for one in led if one.status != led_to[one.id]}
        if _is_behind(each, state, led, led_to):
            news.behind.append(state.id)
    if realised:
        _DATE.write(tx, realised)
    context = Context(f"report-{report.role}-{report.host}", roles=frozenset({"admin"}))
    for what, rows, changed in (("router", ROUTERS, of_routers), ("floating IP", FLOATING_IPS, of_floating)):
        _write(tx, context, rows, changed)
        news.statuses += [(what, each, status) for each, status in changed.items()]


def _decided(report: Report, said: PortReport, state: _State, led: Iterable[_Floating]) -> tuple[str, dict[str, str]]:
    """Return the status of a router, and those of its floating IPs by id."""
    status = next_router_status(
        state.status, state.version, Realisation(L3, report.host, said.version, said.plugged, said.fault)
    )
    lets = status if state.is_enabled else DOWN
    # What was realised before the router was given to the host, or was enabled again, says nothing of it now.
    realised = said.version if said.version >= state.version else 0
    return status, {
        each.id: next_floating_status(each.status, lets if each.is_open else DOWN, each.version, realised)
        for each in led
    }


def _is_behind(said: PortReport, state: _State, led: Iterable[_Floating], now: Mapping[str, str]) -> bool:
    if not state.is_enabled or said.fault is not None or not said.version:
        return False
    waiting = (each.version for each in led if each.is_open and now[each.id] != ACTIVE)
    return any(said.version < version for version in (state.version, *waiting))


def _floating(tx: Transaction, router_ids: Sequence[str]) -> Mapping[str, list[_Floating]]:
    found: defaultdict[str, list[_Floating]] = defaultdict(list)
    for router_id, *row in _FLOATING.rows(tx.connection, router_ids):
        found[router_id].append(_Floating(*row))
    return found


def _write(tx: Transaction, context: Context, rows: Rows, decided: Mapping[str, str]) -> None:
    for batch in in_batches(decided):
        for view in rows.views(tx.connection, context, batch):
            rows.change(tx, context, view, {"status": decided[view["id"]]}, operation="status")

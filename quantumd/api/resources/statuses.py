"""Status of ports in the database: reports come in, the pure rules decide, what changes is written and journalled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import and_, bindparam, delete, insert, or_, select, update

from quantumd.api.resources.port_rows import change_status
from quantumd.api.resources.port_views import journalled_port, port_views
from quantumd.api.resources.prepared import Prepared, text_of
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.views import IDS, in_batches
from quantumd.model.messages import PortReport, Report
from quantumd.model.nouns import DHCP_OWNER
from quantumd.model.port import dhcp_device_id, is_dhcp_port
from quantumd.model.status import ACTIVE, DHCP, DOWN, L2, Realisation, Wanted, next_status, roles_of
from quantumd.model.subnet import DHCPV6_MODES
from quantumd.store.tables import ip_allocations, networks, ports, realisations, subnets
from quantumd.store.transaction import Transaction


@frozen
class _PortState:
    """What a decision needs of a port's row."""

    id: str
    network_id: str
    status: str
    host_id: str
    is_enabled: bool
    version: int


# Ids are all that these statements take; what is always the same is written out.
_STATES = PreparedIds(
    select(
        ports.c.id,
        ports.c.network_id,
        ports.c.status,
        ports.c.host_id,
        (ports.c.admin_state_up.is_(True) & networks.c.admin_state_up.is_(True)).label("is_enabled"),
        ports.c.record_version,
    )
    .join(networks, networks.c.id == ports.c.network_id)
    .where(ports.c.device_owner != text_of(DHCP_OWNER)),
    ports.c.id,
)
_REALISATIONS = PreparedIds(
    select(
        realisations.c.port_id,
        realisations.c.role,
        realisations.c.host,
        realisations.c.version,
        realisations.c.plugged,
        realisations.c.fault,
    ),
    realisations.c.port_id,
)
# As quantumd.model.subnet has it; subnets of IPv4 have no modes.
IS_SERVED = or_(
    subnets.c.ipv6_address_mode.in_([text_of(mode) for mode in sorted(DHCPV6_MODES)]),
    and_(subnets.c.ipv6_address_mode.is_(None), subnets.c.ipv6_ra_mode.is_(None)),
)
"""Whether a subnet with DHCP is served, in SQL."""
_SERVED_PORTS = PreparedIds(
    select(ip_allocations.c.port_id)
    .join(subnets, subnets.c.id == ip_allocations.c.subnet_id)
    .where(subnets.c.enable_dhcp.is_(True), IS_SERVED)
    .distinct(),
    ip_allocations.c.port_id,
)
# By the device, which each network's DHCP port has of its own; who owns it is looked at afterwards.
_PORTS_OF_DEVICES = select(ports.c.id, ports.c.status, ports.c.device_owner).where(ports.c.device_id.in_(IDS))
_FORGET = Prepared(
    delete(realisations).where(
        realisations.c.port_id == bindparam("wanted"), realisations.c.role == bindparam("as_role")
    )
)
_REMEMBER = Prepared(insert(realisations))


def apply_report(tx: Transaction, report: Report) -> dict[str, str]:
    """Store what a host observed and change the status of the ports that it decides; return the new status by id.

    Only what the port's own host says of it counts. A complete report also says of every other port of that
    (host, role) that it is not there. A network's DHCP port is ACTIVE from the first time that the dhcp role of any
    host has realised a port of the network: it is on every host, so no single one takes that away.
    """
    said = {port.port_id: port for port in report.ports}
    changed: dict[str, str] = {}
    for batch in in_batches(said):
        changed |= _apply(tx, report, [said[port_id] for port_id in batch])
    if report.is_complete:
        for batch in in_batches(_unmentioned(tx, report)):
            changed |= _apply(tx, report, [PortReport(port_id, 0, plugged=False) for port_id in batch])
    return changed


def _apply(tx: Transaction, report: Report, said: Sequence[PortReport]) -> dict[str, str]:
    states = _states(tx, [port.port_id for port in said])
    here = [port for port in said if port.port_id in states and states[port.port_id].host_id == report.host]
    if not here:
        return {}
    ids = [port.port_id for port in here]
    seen = _realisations(tx, ids)
    _store(tx, report, here, seen)
    served = {port_id for (port_id,) in _SERVED_PORTS.rows(tx.connection, ids)}
    changed = _decide(tx, report, [states[port_id] for port_id in ids], seen, served)
    if report.role == DHCP:
        realised = {states[port.port_id].network_id for port in here if port.version and port.fault is None}
        changed |= _activate_dhcp_ports(tx, report, realised)
    return changed


def _states(tx: Transaction, ids: Sequence[str]) -> dict[str, _PortState]:
    return {
        port_id: _PortState(port_id, network_id, status, host_id, bool(is_enabled), version)
        for port_id, network_id, status, host_id, is_enabled, version in _STATES.rows(tx.connection, ids)
    }


def _realisations(tx: Transaction, ids: Sequence[str]) -> defaultdict[str, dict[str, Realisation]]:
    found: defaultdict[str, dict[str, Realisation]] = defaultdict(dict)
    for port_id, role, host, version, plugged, fault in _REALISATIONS.rows(tx.connection, ids):
        found[port_id][role] = Realisation(role, host, version, bool(plugged), fault)
    return found


def _store(
    tx: Transaction,
    report: Report,
    said: Sequence[PortReport],
    seen: defaultdict[str, dict[str, Realisation]],
) -> None:
    """Write what differs from what was known, and note it in ``seen``."""
    news: dict[str, Realisation] = {}
    stale: list[dict[str, str]] = []
    for port in said:
        item = Realisation(report.role, report.host, port.version, port.plugged, port.fault)
        known = seen[port.port_id].get(report.role)
        if known is not None and known != item:
            stale.append({"wanted": port.port_id, "as_role": report.role})
        if known != item:
            news[port.port_id] = seen[port.port_id][report.role] = item
    _FORGET.write(tx, stale)
    _REMEMBER.write(tx, [_row(port_id, item) for port_id, item in news.items()])


def _row(port_id: str, item: Realisation) -> dict[str, Any]:
    return {
        "port_id": port_id,
        "role": item.role,
        "host": item.host,
        "version": item.version,
        "plugged": item.plugged,
        "fault": item.fault,
    }


def _decide(
    tx: Transaction,
    report: Report,
    states: Iterable[_PortState],
    seen: Mapping[str, Mapping[str, Realisation]],
    served: set[str],
) -> dict[str, str]:
    decided: dict[str, str] = {}
    for state in states:
        wanted = Wanted(state.is_enabled, state.host_id, state.version, roles_of(state.id in served))
        status = next_status(state.status, wanted, list(seen[state.id].values()))
        if status != state.status:
            decided[state.id] = status
    _write_statuses(tx, _request_id(report), decided)
    return decided


def _write_statuses(tx: Transaction, request_id: str, decided: Mapping[str, str]) -> None:
    for batch in in_batches(decided):
        for view in port_views(tx.connection, batch):
            change_status(tx, request_id, view, decided[view["id"]])


def _unmentioned(tx: Transaction, report: Report) -> list[str]:
    """Return the ports that the (host, role) was known to have, or should have for being ACTIVE, and did not name."""
    known = select(realisations.c.port_id).where(
        realisations.c.host == report.host,
        realisations.c.role == report.role,
        realisations.c.plugged.is_(True),
    )
    found = set(tx.connection.execute(known).scalars())
    if report.role == L2:
        active = select(ports.c.id).where(ports.c.host_id == report.host, ports.c.status == ACTIVE)
        found.update(tx.connection.execute(active).scalars())
    return sorted(found.difference(report.named, (port.port_id for port in report.ports)))


def _request_id(report: Report) -> str:
    return f"report-{report.role}-{report.host}"


def _activate_dhcp_ports(tx: Transaction, report: Report, network_ids: Collection[str]) -> dict[str, str]:
    devices = sorted(map(dhcp_device_id, network_ids))
    found = tx.connection.execute(_PORTS_OF_DEVICES, {"ids": devices})
    waiting = (row.id for row in found if row.status == DOWN and is_dhcp_port(row.device_owner))
    activated = dict.fromkeys(waiting, ACTIVE)
    _write_statuses(tx, _request_id(report), activated)
    return activated


_NEW_VERSION = update(ports).where(ports.c.id == bindparam("wanted")).values(record_version=bindparam("position"))


def network_switched(tx: Transaction, request_id: str, network_id: str, is_up: bool) -> None:
    """Follow a network's admin state: its ports are DOWN while it is, then realised anew before they are ACTIVE."""
    bound = select(ports.c.id).where(
        ports.c.network_id == network_id, ports.c.host_id != "", ports.c.status == (DOWN if is_up else ACTIVE)
    )
    ids = list(tx.connection.execute(bound).scalars())
    if not is_up:
        _write_statuses(tx, request_id, dict.fromkeys(ids, DOWN))
        return
    for batch in in_batches(ids):
        for view in port_views(tx.connection, batch):
            position = tx.journal(
                resource="port",
                resource_id=view["id"],
                project_id=view["project_id"],
                request_id=request_id,
                operation="update",
                before=journalled_port(view),
                after=journalled_port(view),
            )
            tx.connection.execute(_NEW_VERSION, {"wanted": view["id"], "position": position})

"""What roles of hosts last said of themselves, as rows."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from quantumd.api.resources.port_binding import forget_hosts
from quantumd.model.bandwidth import MOST_NETWORKS
from quantumd.model.messages import HostReport
from quantumd.model.network import TUNNEL_TYPES
from quantumd.model.records import KINDS
from quantumd.model.role_state import LONGEST_FAULT, MOST_FAULTS, RoleState
from quantumd.store.journal import last_position
from quantumd.store.tables import hosts
from quantumd.store.transaction import Transaction

_BEFORE = select(hosts.c.tunnel_ip, hosts.c.tunnel_version, hosts.c.tunnel_types, hosts.c.physical_networks).where(
    hosts.c.host == bindparam("wanted"), hosts.c.role == bindparam("as_role")
)


def keep_host(tx: Transaction, report: HostReport) -> bool:
    """Keep what a role says, and when, in place of what it said before; return whether it carries networks otherwise.

    That is when its tunnels end elsewhere, or are of other types, or it has other physical networks.
    """
    asked = {"wanted": report.host, "as_role": report.role}
    before = tx.connection.execute(_BEFORE, asked).first()
    tunnel_ip, names = _address(report.tunnel_ip), report.physical_networks
    is_moved = (before.tunnel_ip if before is not None else None) != tunnel_ip
    version = last_position(tx.connection) if is_moved or before is None else before.tunnel_version
    tx.connection.execute(delete(hosts).where(hosts.c.host == report.host, hosts.c.role == report.role))
    row = {
        "host": report.host,
        "role": report.role,
        "quantumd_version": report.quantumd_version,
        "vif_type": report.vif_type,
        "vif_details": report.vif_details,
        "reported_at": tx.now,
        "tunnel_ip": tunnel_ip,
        "tunnel_types": ",".join(each for each in TUNNEL_TYPES if tunnel_ip and each in report.tunnel_types) or None,
        "physical_networks": None if names is None else orjson.dumps(sorted(names)).decode(),
        "tunnel_version": version,
        "record_kinds": ",".join(each for each in KINDS if each in report.record_kinds) or None,
        "bandwidths": _bandwidths(report),
    }
    tx.connection.execute(insert(hosts), row | _state(report.state))
    forget_hosts(tx)
    reach = (row["tunnel_types"], row["physical_networks"])
    return is_moved or reach != ((None, None) if before is None else (before.tunnel_types, before.physical_networks))


def _bandwidths(report: HostReport) -> str | None:
    told = [[each.physical_network, each.egress_kbps, each.ingress_kbps] for each in report.bandwidths[:MOST_NETWORKS]]
    return orjson.dumps(told).decode() if told else None


def _address(text: str) -> str | None:
    """Return the address that a host says in canonical form, None for what is none: its peers must not stumble."""
    try:
        return str(ip_address(text)) if "%" not in text else None
    except ValueError:
        return None


def forget_silent(tx: Transaction, role: str, before: str) -> None:
    """Forget what those of a role said that said nothing since a time."""
    tx.connection.execute(delete(hosts).where(hosts.c.role == role, hosts.c.reported_at < before))
    forget_hosts(tx)


def last_heard(connection: Connection, before: str) -> datetime | None:
    """Return when any role of any host, or an API process, reported last before a time."""
    text = connection.execute(select(func.max(hosts.c.reported_at)).where(hosts.c.reported_at < before)).scalar()
    return None if text is None else datetime.fromisoformat(text)


def _state(state: RoleState | None) -> dict[str, Any]:
    if state is None:
        return {}
    # Whoever sent it may not have kept to what it may tell.
    faults = [[each.kind, each.id, each.why[:LONGEST_FAULT]] for each in state.faults[:MOST_FAULTS]]
    return {
        "position": state.position,
        "waiting": state.waiting,
        "trouble": state.trouble[:LONGEST_FAULT],
        "faults": orjson.dumps(faults).decode(),
    }

"""Roles of hosts as the agents that operators know: what each is called, and noting that one reported."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

import orjson
from attrs import frozen
from sqlalchemy import bindparam, insert, update

from quantumd.api.resources.views import json_text
from quantumd.model.bandwidth import MOST_NETWORKS
from quantumd.model.messages import HostReport
from quantumd.store.tables.services import agents
from quantumd.store.transaction import Transaction

_NAMESPACE: Final = UUID("5e2b5b5e-6f2c-5c38-9f0a-2f6f6d0c7a11")
"""Any fixed UUID: the same role of the same host must get the same id for ever."""

LONGEST_ZONE: Final = 255

DHCP_AGENT: Final = "DHCP agent"
L3_AGENT: Final = "L3 agent"


@frozen
class AgentKind:
    """What a role is called in lists of agents."""

    agent_type: str
    topic: str


_KINDS: Final = {
    "l2": AgentKind("Open vSwitch agent", "N/A"),
    "dhcp": AgentKind(DHCP_AGENT, "dhcp_agent"),
    "l3": AgentKind(L3_AGENT, "l3_agent"),
}

_BEAT = (
    update(agents)
    .where(agents.c.host == bindparam("wanted_host"), agents.c.role == bindparam("wanted_role"))
    .values(heartbeat_timestamp=bindparam("now"), configurations=bindparam("told"), availability_zone=bindparam("zone"))
)


def agent_id_of(host: str, role: str) -> str:
    """Return the id of a host's role; it follows from the two, so an agent that was deleted comes back as itself."""
    return str(uuid5(_NAMESPACE, f"{role}@{host}"))


def note_agent(tx: Transaction, report: HostReport, availability_zone: str) -> None:
    """Note that a role of a host reported; its first report makes the agent.

    :param availability_zone: that of hosts which do not say theirs.
    """
    told = json_text(_configurations(report))
    zone = report.availability_zone[:LONGEST_ZONE] or availability_zone
    beat = {"wanted_host": report.host, "wanted_role": report.role, "now": tx.now, "told": told, "zone": zone}
    if tx.connection.execute(_BEAT, beat).rowcount:
        return
    kind = _KINDS.get(report.role, AgentKind(f"{report.role} agent", "N/A"))
    row = {
        "id": agent_id_of(report.host, report.role),
        "host": report.host,
        "role": report.role,
        "agent_type": kind.agent_type,
        "binary_name": f"quantumd-{report.role}",
        "topic": kind.topic,
        "availability_zone": zone,
        "admin_state_up": True,
        "description": None,
        "configurations": told,
        "created_at": tx.now,
        "started_at": tx.now,
        "heartbeat_timestamp": tx.now,
    }
    tx.connection.execute(insert(agents), row)


def _configurations(report: HostReport) -> dict[str, object]:
    details = orjson.loads(report.vif_details) if report.vif_details else {}
    told: dict[str, object] = {
        "quantumd_version": report.quantumd_version,
        "vif_type": report.vif_type,
        "vif_details": details,
    }
    if report.physical_networks is not None:
        told["physical_networks"] = list(report.physical_networks)
    if report.role == "l2":
        # By the names that other L2 agents tell them under, so that what reads those reads these.
        told["tunneling_ip"] = report.tunnel_ip
        told["tunnel_types"] = list(report.tunnel_types)
        told["bandwidths"] = {each.physical_network: dict(each.amounts) for each in report.bandwidths[:MOST_NETWORKS]}
    return told

"""Which DHCP agents serve which networks, as clients ask for it; what decides it is in ``scheduling.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, select

from quantumd.api.extensions.agents.agents import Agents
from quantumd.api.extensions.agents.asked import agent_row, id_in
from quantumd.api.extensions.agents.errors import AgentNotFound, InvalidDHCPAgent
from quantumd.api.extensions.agents.scheduling import IDhcpScheduler
from quantumd.api.resources.errors import NetworkNotFound
from quantumd.api.resources.network_views import NetworkViews
from quantumd.api.resources.views import View, in_batches
from quantumd.model.context import Context
from quantumd.store.tables import networks
from quantumd.store.tables.services import agents
from quantumd.store.transaction import Transaction

Parts = Mapping[str, str]


@frozen
class DhcpScheduling:
    """The operations of actions on DHCP agents and their networks."""

    agents: Agents
    scheduler: IDhcpScheduler

    def networks(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return the networks that an agent serves. PolicyNotAuthorized."""
        row = agent_row(connection, parts["agent_id"])
        ids: list[str] = []
        if row is not None and row.role == "dhcp":
            ids = self.scheduler.networks_on(connection, row)
        views = [view for batch in in_batches(ids) for view in NetworkViews().many(connection, context, batch)]
        return {"networks": [{**view, "tenant_id": view["project_id"]} for view in views]}

    def agents_of(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return the agents that serve a network. PolicyNotAuthorized, NetworkNotFound."""
        _require_network(connection, parts["network_id"])
        hosts = {host for _, host in self.scheduler.hosts_of(connection, [parts["network_id"]])}
        serving = select(agents.c.id).where(agents.c.role == "dhcp", agents.c.host.in_(hosts)).order_by(agents.c.id)
        ids = connection.execute(serving).scalars().all() if hosts else ()
        return {"agents": self.agents.views(connection, context, ids)}

    def add(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> View:
        """Put a network on an agent.

        :raises PolicyNotAuthorized, InvalidDHCPAgent, NetworkNotFound, NetworkHostedByDHCPAgent: see there.
        """
        network_id = id_in(body, "network_id")
        row = _dhcp_agent(tx.connection, parts["agent_id"])
        _require_network(tx.connection, network_id)
        self.scheduler.put(tx, network_id, row)
        _journal(tx, context, row, before=None, after=network_id)
        return {}

    def remove(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> None:
        """Take a network from an agent.

        :raises NetworkServedWherePortsAre: the agent's host has ports of the network.
        :raises PolicyNotAuthorized, AgentNotFound, InvalidDHCPAgent, NetworkNotFound, NetworkNotHostedByDhcpAgent:
            see there.
        """
        network_id = parts["network_id"]
        row = _dhcp_agent(tx.connection, parts["agent_id"])
        _require_network(tx.connection, network_id)
        self.scheduler.take(tx, network_id, row)
        _journal(tx, context, row, before=network_id, after=None)


def _dhcp_agent(connection: Connection, agent_id: str) -> Row[Any]:
    row = agent_row(connection, agent_id)
    if row is None:
        raise AgentNotFound(agent_id)
    if row.role != "dhcp":
        raise InvalidDHCPAgent(agent_id)
    return row


def _require_network(connection: Connection, network_id: str) -> None:
    if connection.execute(select(networks.c.id).where(networks.c.id == network_id)).first() is None:
        raise NetworkNotFound(network_id)


def _journal(tx: Transaction, context: Context, row: Row[Any], before: str | None, after: str | None) -> None:
    tx.journal(
        resource="agent",
        resource_id=row.id,
        project_id="",
        request_id=context.request_id,
        operation="update",
        before={"id": row.id, "dhcp_network": before},
        after={"id": row.id, "dhcp_network": after},
    )

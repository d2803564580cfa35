"""Which hosts serve DHCP to which networks: the one place that decides it, behind an interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, delete, insert, select, union, union_all
from zope.interface import Interface, implementer

from quantumd.api.extensions.agents.errors import (
    InvalidDHCPAgent,
    NetworkHostedByDHCPAgent,
    NetworkNotHostedByDhcpAgent,
    NetworkServedWherePortsAre,
)
from quantumd.api.resources.views import IDS
from quantumd.store.tables import ports
from quantumd.store.tables.services import agents, network_agents
from quantumd.store.transaction import Transaction


class IDhcpScheduler(Interface):
    """Decides which hosts serve which networks. ``agent`` is the row of a DHCP agent; networks exist."""

    def hosts_of(connection: Connection, network_ids: Sequence[str]) -> set[tuple[str, str]]:
        """Return which hosts serve these networks, as (network id, host); one query however many there are."""

    def networks_on(connection: Connection, agent: Row[Any]) -> list[str]:
        """Return the ids of the networks that the agent's host serves, in order."""

    def put(tx: Transaction, network_id: str, agent: Row[Any]) -> None:
        """Have an operator's network served by an agent.

        :raises InvalidDHCPAgent, NetworkHostedByDHCPAgent: the agent is disabled, or serves it already.
        """

    def take(tx: Transaction, network_id: str, agent: Row[Any]) -> None:
        """Have a network served no longer by an agent.

        :raises NetworkServedWherePortsAre, NetworkNotHostedByDhcpAgent: it must serve it, or does not.
        """


# Greater, not different: the index on network and host then leaves out the many ports that are on no host.
_SERVING_HOSTS = union_all(
    select(ports.c.network_id, ports.c.host_id).where(ports.c.network_id.in_(IDS), ports.c.host_id > "").distinct(),
    select(network_agents.c.network_id, agents.c.host)
    .join(agents, agents.c.id == network_agents.c.agent_id)
    .where(network_agents.c.network_id.in_(IDS)),
)


@implementer(IDhcpScheduler)
@frozen
class DistributedDhcp:
    """Every host serves the ports that are bound to it, whatever anybody wishes: there is nothing to schedule.

    So hints for availability zones, load and an agent's admin state take DHCP from no port. What an operator puts on an
    agent is kept, and is served there as soon as the host has a port of it; a disabled agent takes no more of that.
    """

    def hosts_of(self, connection: Connection, network_ids: Sequence[str]) -> set[tuple[str, str]]:
        """See IDhcpScheduler."""
        rows = connection.execute(_SERVING_HOSTS, {"ids": list(network_ids)})
        return {(network_id, host) for network_id, host in rows}

    def networks_on(self, connection: Connection, agent: Row[Any]) -> list[str]:
        """See IDhcpScheduler."""
        bound = select(ports.c.network_id).where(ports.c.host_id == agent.host)
        wished = select(network_agents.c.network_id).where(network_agents.c.agent_id == agent.id)
        return sorted(connection.execute(union(bound, wished)).scalars())

    def put(self, tx: Transaction, network_id: str, agent: Row[Any]) -> None:
        """See IDhcpScheduler."""
        if not agent.admin_state_up:
            raise InvalidDHCPAgent(agent.id)
        if (network_id, agent.host) in self.hosts_of(tx.connection, [network_id]):
            raise NetworkHostedByDHCPAgent(network_id, agent.id)
        tx.connection.execute(insert(network_agents), {"agent_id": agent.id, "network_id": network_id})

    def take(self, tx: Transaction, network_id: str, agent: Row[Any]) -> None:
        """See IDhcpScheduler. What the operator wished is forgotten also where ports keep the network."""
        wish = (network_agents.c.agent_id == agent.id, network_agents.c.network_id == network_id)
        is_wished = tx.connection.execute(delete(network_agents).where(*wish)).rowcount > 0
        bound = select(ports.c.id).where(ports.c.host_id == agent.host, ports.c.network_id == network_id).limit(1)
        if tx.connection.execute(bound).first() is not None:
            raise NetworkServedWherePortsAre(network_id, agent.host)
        if not is_wished:
            raise NetworkNotHostedByDhcpAgent(network_id, agent.id)

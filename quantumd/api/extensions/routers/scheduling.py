"""Which L3 agents carry which routers, as clients ask for it, and operators who move them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, Row, select

from quantumd.api.extensions.agents.agents import Agents
from quantumd.api.extensions.agents.asked import agent_row, id_in
from quantumd.api.extensions.agents.errors import AgentNotFound, InvalidL3Agent, RouterNotHostedByL3Agent
from quantumd.api.extensions.routers.errors import RouterNotFound
from quantumd.api.extensions.routers.hosting import RouterHosts, move, zones_of
from quantumd.api.extensions.routers.rows import ROUTERS
from quantumd.api.resources.views import View, in_batches
from quantumd.model.context import Context
from quantumd.model.status import L3
from quantumd.store.tables.routers import routers
from quantumd.store.tables.services import agents
from quantumd.store.transaction import Transaction

Parts = Mapping[str, str]

_NOT_SHOWN: Final = "enable_snat"


@frozen
class RouterScheduling:
    """The operations of actions on L3 agents and their routers."""

    agents: Agents
    hosts: RouterHosts

    def routers(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return the routers that an agent carries; none of what is no L3 agent."""
        row = agent_row(connection, parts["agent_id"])
        ids: list[str] = []
        if row is not None and row.role == L3:
            carried = select(routers.c.id).where(routers.c.host == row.host).order_by(routers.c.id)
            ids = list(connection.execute(carried).scalars())
        views = [view for batch in in_batches(ids) for view in ROUTERS.views(connection, context, batch)]
        return {"routers": [_shown(view) for view in views]}

    def agents_of(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return the agent that carries a router; none while none does. RouterNotFound."""
        host = _carrier(connection, parts["router_id"])
        carrying = select(agents.c.id).where(agents.c.role == L3, agents.c.host == host)
        ids = connection.execute(carrying).scalars().all() if host else ()
        return {"agents": self.agents.views(connection, context, ids)}

    def add(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> View:
        """Move a router to an agent, wherever it is.

        :raises AgentNotFound, InvalidL3Agent, RouterNotFound: see there.
        """
        router_id = id_in(body, "router_id")
        row = _l3_agent(tx.connection, parts["agent_id"])
        if not self.hosts.may_carry(tx, row.host):
            raise InvalidL3Agent(row.id)
        _carrier(tx.connection, router_id)
        move(tx, context, router_id, row.host)
        return {}

    def remove(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> None:
        """Take a router from an agent; another carries it then, or none while none may.

        :raises AgentNotFound, InvalidL3Agent, RouterNotFound, RouterNotHostedByL3Agent: see there.
        """
        router_id = parts["router_id"]
        row = _l3_agent(tx.connection, parts["agent_id"])
        if _carrier(tx.connection, router_id) != row.host:
            raise RouterNotHostedByL3Agent(router_id, row.id)
        move(tx, context, router_id, self.hosts.choose(tx, zones_of(tx, router_id), but=row.host))


def _l3_agent(connection: Connection, agent_id: str) -> Row[Any]:
    row = agent_row(connection, agent_id)
    if row is None:
        raise AgentNotFound(agent_id)
    if row.role != L3:
        raise InvalidL3Agent(agent_id)
    return row


def _carrier(connection: Connection, router_id: str) -> str:
    row = connection.execute(select(routers.c.host).where(routers.c.id == router_id)).first()
    if row is None:
        raise RouterNotFound(router_id)
    return str(row.host)


def _shown(view: View) -> View:
    return {name: value for name, value in view.items() if name != _NOT_SHOWN} | {"tenant_id": view["project_id"]}

"""Agents: the roles of hosts, listed, described, disabled and removed by operators."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, case, false, or_, true
from zope.interface import implementer

from quantumd.api.errors import HTTPMethodNotAllowed
from quantumd.api.extensions.agents.errors import AgentNotFound
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.matching import Alternatives, Filterable, matching_ids
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import View, in_batches
from quantumd.model.context import Context, Scope
from quantumd.model.host_life import HostLife
from quantumd.store.scope import Conditions
from quantumd.store.tables.services import agents
from quantumd.store.times import utc_text
from quantumd.store.transaction import Transaction

Now = Callable[[], datetime]

_RENAMED = {"binary": "binary_name"}
_TIMES = ("created_at", "started_at", "heartbeat_timestamp")


def for_admins(scope: Scope) -> Conditions:
    """The visibility of what only administrators see: others see an empty list."""
    return () if scope.is_everything else (false(),)


@implementer(IOperations)
@frozen
class Agents:
    """Operations on agents, which are alive as their hosts are."""

    life: HostLife
    now: Now

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations; not served: agents make themselves known by reporting."""
        raise HTTPMethodNotAllowed("POST", ("GET",))

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. A disabled DHCP agent takes no network by hand; what its host has it still serves."""
        before = self.show(tx.connection, context, resource_id)
        return self._rows.change(tx, context, before, changes)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. An agent that still reports is back with its next report."""
        self._rows.remove(tx, context, self.show(tx.connection, context, resource_id))

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return self._rows.show(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        alive = case((self._is_alive(), 1), else_=0)
        filterable = Filterable(agents, _RENAMED, {"alive": self._alive}, computed={"alive": alive})
        for batch in in_batches(matching_ids(connection, filterable, for_admins(context.scope_of("agent")), query)):
            yield self.views(connection, context, batch)

    def views(self, connection: Connection, context: Context, ids: Sequence[str]) -> builtins.list[View]:
        """Return the views of these agents, whoever may see them."""
        return self._rows.views(connection, context, ids)

    @property
    def _rows(self) -> Rows:
        return Rows(
            "agent",
            agents,
            AgentNotFound,
            for_admins,
            renamed=_RENAMED,
            json=frozenset({"configurations"}),
            hidden=frozenset({"role"}),
            children=self._tell,
        )

    def _tell(self, connection: Connection, context: Context, views: Mapping[str, View]) -> None:
        now = self._this_second()
        for view in views.values():
            view["alive"] = self.life.is_alive(view["host"], datetime.fromisoformat(view["heartbeat_timestamp"]), now)
            view["resources_synced"] = None
            for name in _TIMES:
                # Clients know the times of agents in this form only.
                view[name] = view[name].replace("T", " ").rstrip("Z")

    def _alive(self, alternatives: Alternatives) -> ColumnElement[bool]:
        is_alive = self._is_alive()
        wanted = [is_alive if alive else ~is_alive for alive in set(alternatives)]
        return or_(*wanted) if wanted else true()

    def _this_second(self) -> datetime:
        return self.now().replace(microsecond=0)

    def _is_alive(self) -> ColumnElement[bool]:
        oldest = utc_text(self.life.oldest(self._this_second()))
        return or_(agents.c.host == self.life.here, agents.c.heartbeat_timestamp >= oldest)

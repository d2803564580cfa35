"""Conntrack helpers of routers: at which ports connections say what others will come."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, select
from zope.interface import implementer

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.conntrack_helpers.errors import ConntrackHelperNotAllowed, InvalidProtocolForHelper
from quantumd.api.extensions.conntrack_helpers.rows import INTERNALS, OWNER, RESOURCE, rows_of
from quantumd.api.extensions.routers.rows import ROUTERS
from quantumd.api.resource import INestedOperations, IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.views import View
from quantumd.model.conntrack_helper import KERNEL_NAMES
from quantumd.model.context import Context
from quantumd.store.tables.routers import conntrack_helpers
from quantumd.store.transaction import Transaction

_SAID = ("protocol", "port", "helper")


@implementer(INestedOperations)
@frozen
class HelpersOfRouters:
    """Conntrack helpers, by router."""

    chance: Chance

    def under(self, parent_id: str) -> ConntrackHelpers:
        """See INestedOperations."""
        return ConntrackHelpers(self.chance, parent_id)


@implementer(IOperations)
@frozen
class ConntrackHelpers:
    """Operations on the conntrack helpers of one router."""

    chance: Chance
    router_id: str

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations. RouterNotFound, ConntrackHelperNotAllowed, InvalidProtocolForHelper, BadRequest."""
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        router = ROUTERS.show(tx.connection, context, self.router_id)
        view = {
            "id": self.chance.new_id(),
            "router_id": self.router_id,
            OWNER: router["project_id"],
            **{name: body[name] for name in _SAID},
        }
        self._require_fitting(tx, view)
        rows_of(self.router_id).insert(tx, context, view)
        ROUTERS.touch(tx, self.router_id)
        return _shown(view)

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. Errors are those of ``create``."""
        before = self._find(tx.connection, context, resource_id)
        after = {**before, **{name: changes[name] for name in _SAID if name in changes}}
        if after == before:
            return _shown(before)
        self._require_fitting(tx, after)
        rows_of(self.router_id).change(tx, context, before, after)
        ROUTERS.touch(tx, self.router_id)
        return _shown(after)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        rows_of(self.router_id).remove(tx, context, self._find(tx.connection, context, resource_id))
        ROUTERS.touch(tx, self.router_id)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return _shown(self._find(connection, context, resource_id))

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        ROUTERS.show(connection, context, self.router_id)
        for views in rows_of(self.router_id).list(connection, context, query):
            yield [_shown(view) for view in views]

    def _find(self, connection: Connection, context: Context, resource_id: str) -> View:
        ROUTERS.show(connection, context, self.router_id)
        return rows_of(self.router_id).show(connection, context, resource_id)

    def _require_fitting(self, tx: Transaction, view: Mapping[str, Any]) -> None:
        helper, protocol = view["helper"], view["protocol"]
        if helper not in KERNEL_NAMES:
            raise ConntrackHelperNotAllowed(helper)
        if protocol not in KERNEL_NAMES[helper]:
            raise InvalidProtocolForHelper(helper, protocol, KERNEL_NAMES[helper])
        # Whether there is such a one is only known while nobody makes another.
        tx.lock(f"conntrack helpers:{self.router_id}")
        named = {"router_id": self.router_id, **{name: view[name] for name in _SAID}}
        alike = select(conntrack_helpers.c.id).where(
            *(conntrack_helpers.c[name] == value for name, value in named.items()), conntrack_helpers.c.id != view["id"]
        )
        if tx.connection.execute(alike).first() is not None:
            raise BadRequest(
                RESOURCE,
                f"A duplicate conntrack helper entry with same attributes already exists, conflicting values are "
                f"{named}",
            )


def _shown(view: View) -> View:
    return {name: value for name, value in view.items() if name not in INTERNALS}

"""Automatic topologies: a network that leads outside, for a project that asks for any.

A topology ends in a router, so until routers are served it can be validated, and asked for by those that have one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, select

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.auto_topology.errors import AutoAllocationFailure, NotAuthorized
from quantumd.api.extensions.external_net.aspect import default_external_network
from quantumd.api.policy.rules import may
from quantumd.model.context import Context
from quantumd.store.scope import visible
from quantumd.store.tables.services import auto_topologies
from quantumd.store.tables.subnets import subnetpools
from quantumd.store.transaction import Transaction

View = dict[str, Any]
Parts = Mapping[str, str]

DRY_RUN: Final = "dry-run"
"""The field that asks whether a topology could be made."""

_NOBODY = "None"
"""What clients write for their own project."""


@frozen
class Topologies:
    """The operations of actions."""

    def shown(self, tx: Transaction, context: Context, parts: Parts, query: Any) -> View:
        """Return the project's network, made first if it has none; with ``fields=dry-run`` whether it could be made.

        :raises AutoAllocationFailure: something that it is made of is missing.
        :raises NotAuthorized, BadRequest: see there.
        """
        project_id = _project(context, parts, "get_auto_allocated_topology")
        fields = [value for key, value in query if key == "fields" and value]
        if DRY_RUN in fields:
            _require_parts(tx.connection, context)
            return _view("dry-run=pass", project_id)
        if fields:
            raise BadRequest("auto_allocate", "Unrecognized field")
        statement = select(auto_topologies.c.network_id).where(auto_topologies.c.project_id == project_id)
        network_id = tx.connection.execute(statement).scalar()
        if network_id is None:
            _require_parts(tx.connection, context)
            raise AutoAllocationFailure("Unable to provide external connectivity")
        return _view(network_id, project_id)

    def removed(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> None:
        """Remove the project's topology; it is no error that there is none. NotAuthorized."""
        _project(context, parts, "delete_auto_allocated_topology")


def _project(context: Context, parts: Parts, rule: str) -> str:
    named = parts.get("project_id", _NOBODY)
    project_id = (context.project_id or "") if named == _NOBODY else named
    if not may(context, rule, {"project_id": project_id}):
        raise NotAuthorized()
    return project_id


def _require_parts(connection: Connection, context: Context) -> None:
    """Refuse when a topology could not be made. AutoAllocationFailure."""
    if default_external_network(connection) is None:
        raise AutoAllocationFailure("No default router:external network")
    pools = select(subnetpools.c.id).where(
        subnetpools.c.is_default.is_(True), *visible(subnetpools, "subnetpool", context.scope_of("subnetpool"))
    )
    if connection.execute(pools.limit(1)).first() is None:
        raise AutoAllocationFailure("No default subnetpools defined")


def _view(network_id: str, project_id: str) -> View:
    return {"auto_allocated_topology": {"id": network_id, "project_id": project_id, "tenant_id": project_id}}

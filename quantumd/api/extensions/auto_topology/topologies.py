"""Automatic topologies: a network that leads outside, for a project that asks for any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, delete, insert, select

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.auto_topology.errors import AutoAllocationFailure, NotAuthorized
from quantumd.api.extensions.auto_topology.making import DefaultPool, TopologyMaker
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

    maker: TopologyMaker

    def shown(self, tx: Transaction, context: Context, parts: Parts, query: Any) -> View:
        """Return the project's network, made first if it has none; with ``fields=dry-run`` whether it could be made.

        :raises AutoAllocationFailure: something that it is made of is missing.
        :raises NotAuthorized, BadRequest: see there.
        """
        project_id = _project(context, parts, "get_auto_allocated_topology")
        fields = [value for key, value in query if key == "fields" and value]
        if DRY_RUN in fields:
            _needed(tx.connection, context)
            return _view("dry-run=pass", project_id)
        if fields:
            raise BadRequest("auto_allocate", "Unrecognized field")
        held = _held(tx, project_id)
        if held is not None:
            return _view(held[0], project_id)
        network_id, router_id = self.maker.make(tx, context, project_id, *_needed(tx.connection, context))
        made = {"project_id": project_id, "network_id": network_id, "router_id": router_id}
        tx.connection.execute(insert(auto_topologies), made)
        return _view(network_id, project_id)

    def removed(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> None:
        """Remove the project's topology; it is no error that there is none.

        :raises ApiError: something else is connected to it, or NotAuthorized.
        """
        project_id = _project(context, parts, "delete_auto_allocated_topology")
        held = _held(tx, project_id)
        if held is not None:
            self.maker.remove(tx, context, *held)
            tx.connection.execute(delete(auto_topologies).where(auto_topologies.c.project_id == project_id))


def _project(context: Context, parts: Parts, rule: str) -> str:
    named = parts.get("project_id", _NOBODY)
    project_id = (context.project_id or "") if named == _NOBODY else named
    if not may(context, rule, {"project_id": project_id}):
        raise NotAuthorized()
    return project_id


def _held(tx: Transaction, project_id: str) -> tuple[str, str] | None:
    """Return the network and the router of a project's topology; None when it has none."""
    columns = auto_topologies.c
    found = tx.connection.execute(
        select(columns.network_id, columns.router_id).where(columns.project_id == project_id)
    ).first()
    return None if found is None else (found.network_id, found.router_id or "")


def _needed(connection: Connection, context: Context) -> tuple[str, tuple[DefaultPool, ...]]:
    """Return the external network and the pools of which a topology is made. AutoAllocationFailure."""
    external_id = default_external_network(connection)
    if external_id is None:
        raise AutoAllocationFailure("No default router:external network")
    found = connection.execute(
        select(subnetpools.c.id, subnetpools.c.ip_version)
        .where(subnetpools.c.is_default.is_(True), *visible(subnetpools, "subnetpool", context.scope_of("subnetpool")))
        .order_by(subnetpools.c.ip_version)
    )
    pools = tuple(DefaultPool(*row) for row in found)
    if not pools:
        raise AutoAllocationFailure("No default subnetpools defined")
    return external_id, pools


def _view(network_id: str, project_id: str) -> View:
    return {"auto_allocated_topology": {"id": network_id, "project_id": project_id, "tenant_id": project_id}}

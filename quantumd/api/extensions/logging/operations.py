"""Logs: what of security groups is to be logged. Administrators and the managers of a project use them."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, select
from zope.interface import implementer

from quantumd.api.aspects import IAspect, View
from quantumd.api.errors import PolicyNotAuthorized
from quantumd.api.extensions.logging.errors import (
    InvalidLogResourceType,
    InvalidResourceConstraint,
    LogResourceNotFound,
    ResourceNotFound,
    TargetResourceNotFound,
)
from quantumd.api.extensions.logging.rows import LOGS, forget_logs_of_port
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.model.context import Context
from quantumd.store.scope import visible, visible_ports
from quantumd.store.tables import ports
from quantumd.store.tables.security import port_security_groups, security_groups
from quantumd.store.transaction import Transaction

SECURITY_GROUP = "security_group"
LOGGABLE_TYPES = (SECURITY_GROUP,)

_GIVEN = ("name", "description", "project_id", "resource_type", "resource_id", "event", "target_id", "enabled")


@frozen
class Logs(KeptAsRows):
    """Operations on logs."""

    rows: ClassVar = LOGS
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows."""
        if body["resource_type"] not in LOGGABLE_TYPES:
            raise InvalidLogResourceType(body["resource_type"])
        _require_logged(tx.connection, context, body["resource_id"], body["target_id"])
        return LOGS.insert(tx, context, {"id": self.chance.new_id(), **{name: body[name] for name in _GIVEN}})


@implementer(IOperations)
@frozen
class LoggableResources:
    """Operations on the types that can be logged; only the list is served."""

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> builtins.list[View]:
        """See IOperations."""
        raise PolicyNotAuthorized("rule:create_loggable_resource")

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        raise PolicyNotAuthorized("rule:update_loggable_resource")

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        raise PolicyNotAuthorized("rule:delete_loggable_resource")

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        raise LogResourceNotFound(resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        return iter(([{"type": each} for each in LOGGABLE_TYPES],))


@implementer(IAspect)
@frozen
class LogsOfPorts:
    """Removes the logs of ports that go; adds nothing to what ports show."""

    attributes = ()
    filters: ClassVar[Mapping[str, Any]] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        return {}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect. Whoever deletes the port is in the port's journal row."""
        forget_logs_of_port(tx, Context(""), resource_id)


def _require_logged(connection: Connection, context: Context, group_id: str | None, port_id: str | None) -> None:
    """Refuse what the caller does not see. ResourceNotFound, TargetResourceNotFound, InvalidResourceConstraint."""
    if group_id is not None:
        conditions = visible(security_groups, SECURITY_GROUP, context.scope_of("security_group"))
        statement = select(security_groups.c.id).where(security_groups.c.id == group_id, *conditions)
        if connection.execute(statement).first() is None:
            raise ResourceNotFound(group_id)
    if port_id is not None:
        statement = select(ports.c.id).where(ports.c.id == port_id, *visible_ports(context.scope_of("port")))
        if connection.execute(statement).first() is None:
            raise TargetResourceNotFound(port_id)
    if group_id is not None and port_id is not None:
        columns = port_security_groups.c
        statement = select(columns.port_id).where(columns.port_id == port_id, columns.security_group_id == group_id)
        if connection.execute(statement).first() is None:
            raise InvalidResourceConstraint(group_id, port_id)

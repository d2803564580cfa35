"""Which ports answer a local IP, each on its own host."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Select, delete, insert, select
from sqlalchemy.exc import IntegrityError
from zope.interface import implementer

from quantumd.api.errors import HTTPMethodNotAllowed
from quantumd.api.extensions.local_ips.errors import LocalIPAssociationExists, LocalIPAssociationNotFound
from quantumd.api.extensions.local_ips.operations import LOCAL_IPS, ip_of, visible_port
from quantumd.api.resource import INestedOperations, IOperations, Query
from quantumd.api.resources.arranged import arranged
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.tables import ports
from quantumd.store.tables.ports import local_ip_associations, local_ips
from quantumd.store.transaction import Transaction

_COLUMNS = local_ip_associations.c
_NAMES = ("local_ip_id", "fixed_port_id", "fixed_ip", "local_ip_address", "host")


def _view(row: Sequence[Any]) -> View:
    return dict(zip(_NAMES, row, strict=True))


@implementer(INestedOperations)
@frozen
class AssociationsOfLocalIps:
    """Associations, by local IP."""

    def under(self, parent_id: str) -> Associations:
        """See INestedOperations."""
        return Associations(parent_id)


@implementer(IOperations)
@frozen
class Associations:
    """Operations on the associations of one local IP; an association's id is that of its port."""

    local_ip_id: str

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations. LocalIPAssociationExists."""
        local_ip = LOCAL_IPS.show(tx.connection, context, self.local_ip_id)
        return [self._create(tx, context, local_ip, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, local_ip: View, body: Mapping[str, Any]) -> View:
        port = visible_port(tx.connection, context, body["fixed_port_id"], "local_ip_port_association")
        fixed_ip = ip_of(port, body["fixed_ip"])
        row = {"local_ip_id": self.local_ip_id, "fixed_port_id": port["id"], "fixed_ip": fixed_ip}
        host = port["binding:host_id"]
        view = {**row, "local_ip_address": local_ip["local_ip_address"], "host": host}
        self._journal(tx, context, local_ip, "create", None, view)
        try:
            with tx.savepoint():
                tx.connection.execute(insert(local_ip_associations), row)
        except IntegrityError:
            raise LocalIPAssociationExists(port["id"], self.local_ip_id) from None
        LOCAL_IPS.touch(tx, self.local_ip_id)
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. Associations are made and deleted, never changed."""
        raise HTTPMethodNotAllowed("PUT", ("GET", "DELETE"))

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        local_ip = LOCAL_IPS.show(tx.connection, context, self.local_ip_id)
        before = self._one(tx.connection, resource_id)
        self._journal(tx, context, local_ip, "delete", before, None)
        gone = delete(local_ip_associations).where(
            _COLUMNS.local_ip_id == self.local_ip_id, _COLUMNS.fixed_port_id == resource_id
        )
        tx.connection.execute(gone)
        LOCAL_IPS.touch(tx, self.local_ip_id)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        LOCAL_IPS.show(connection, context, self.local_ip_id)
        return self._one(connection, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        LOCAL_IPS.show(connection, context, self.local_ip_id)
        rows = connection.execute(self._rows().order_by(_COLUMNS.fixed_port_id)).all()
        yield arranged([_view(row) for row in rows], query)

    def _one(self, connection: Connection, port_id: str) -> View:
        row = connection.execute(self._rows().where(_COLUMNS.fixed_port_id == port_id)).first()
        if row is None:
            raise LocalIPAssociationNotFound(port_id, self.local_ip_id)
        return _view(row)

    def _rows(self) -> Select[Any]:
        return (
            select(
                _COLUMNS.local_ip_id,
                _COLUMNS.fixed_port_id,
                _COLUMNS.fixed_ip,
                local_ips.c.local_ip_address,
                ports.c.host_id.label("host"),
            )
            .join(local_ips, local_ips.c.id == _COLUMNS.local_ip_id)
            .join(ports, ports.c.id == _COLUMNS.fixed_port_id)
            .where(_COLUMNS.local_ip_id == self.local_ip_id)
        )

    def _journal(
        self,
        tx: Transaction,
        context: Context,
        local_ip: View,
        operation: str,
        before: View | None,
        after: View | None,
    ) -> None:
        tx.journal(
            resource="local_ip_association",
            resource_id=self.local_ip_id,
            project_id=local_ip["project_id"],
            request_id=context.request_id,
            operation=operation,
            before=before,
            after=after,
        )

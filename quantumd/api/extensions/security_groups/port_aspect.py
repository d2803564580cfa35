"""The security groups of ports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select
from zope.interface import implementer

from quantumd.api.aspects import IAspect, View
from quantumd.api.extensions.rbac.shared import seen_by
from quantumd.api.extensions.security_groups.attributes import PORT_ATTRIBUTES
from quantumd.api.extensions.security_groups.errors import SecurityGroupConflict, SecurityGroupNotFound
from quantumd.api.extensions.security_groups.making import GroupMaker
from quantumd.api.extensions.security_groups.rows import GROUP_TYPE, visible_groups
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.views import IDS
from quantumd.model.context import Context, Scope
from quantumd.model.security import is_trusted
from quantumd.store.tables import ports
from quantumd.store.tables.security import port_security_groups, security_groups
from quantumd.store.transaction import Transaction

_COLUMNS = port_security_groups.c
_INSERT = Prepared(insert(port_security_groups))
_FORGET = Prepared(delete(port_security_groups).where(_COLUMNS.port_id == bindparam("wanted")))
_OF_PORTS = PreparedIds(
    select(_COLUMNS.port_id, _COLUMNS.security_group_id).order_by(_COLUMNS.port_id, _COLUMNS.security_group_id),
    _COLUMNS.port_id,
)


def _with_groups(alternatives: tuple[Any, ...]) -> ColumnElement[bool]:
    return ports.c.id.in_(select(_COLUMNS.port_id).where(_COLUMNS.security_group_id.in_(alternatives)))


@implementer(IAspect)
@frozen
class PortGroups:
    """``security_groups`` of ports: those named, else the default group of the port's project."""

    maker: GroupMaker
    attributes = PORT_ATTRIBUTES
    filters: ClassVar[Mapping[str, Any]] = {"security_groups": _with_groups}

    def settle(
        self,
        tx: Transaction,
        context: Context,
        named: Mapping[str, Any],
        before: View | None,
        view: Mapping[str, Any],
    ) -> View:
        """See IAspect. Ports of the network itself have no groups, whatever is named.

        A new port without port security gets no group by itself; whether one may name groups is for the owner of
        ``port_security_enabled`` to say.
        """
        given = named.get("security_groups")
        if before is not None and given is None:
            return {}
        if is_trusted(view["device_owner"]):
            wanted: list[str] = []
        elif given is not None:
            wanted = self._named(tx, context, given, view["project_id"])
        elif view.get("port_security_enabled") is False:
            wanted = []
        else:
            wanted = [self.maker.default_group(tx, context, view["project_id"])]
        if before is not None:
            if before.get("security_groups") == wanted:
                return {}
            # New ports have no rows to remove, and most ports that are written are new.
            tx.cache[_has_rows(before["id"])] = True
        return {"security_groups": wanted}

    def _named(self, tx: Transaction, context: Context, given: tuple[str, ...], project_id: str) -> list[str]:
        """Return the groups in order of id. SecurityGroupNotFound, SecurityGroupConflict."""
        wanted = sorted(given)
        if not wanted:
            return wanted
        scope = context.scope_of("security_group") if context.is_admin else Scope(project_id)
        found = _stateful_by_group(tx, tuple(wanted), scope)
        missing = [each for each in wanted if each not in found]
        if missing:
            raise SecurityGroupNotFound(", ".join(missing))
        if len(set(found.values())) > 1:
            raise SecurityGroupConflict(
                "Cannot apply both stateful and stateless security groups on the same port at the same time"
            )
        return wanted

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect."""
        wanted = values.get("security_groups")
        if wanted is None:
            return
        if tx.cache.pop(_has_rows(resource_id), False):
            _FORGET.write(tx, ({"wanted": resource_id},))
        _INSERT.write(tx, [{"port_id": resource_id, "security_group_id": each} for each in wanted])

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for port_id, group_id in _OF_PORTS.rows(connection, list(views)):
            found[port_id].append(group_id)
        for port_id, view in views.items():
            view["security_groups"] = found[port_id]

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect. The rows go with the port's row: they refer to it."""


def _has_rows(port_id: str) -> tuple[str, str]:
    return ("port_security_groups", port_id)


def _stateful_by_group(tx: Transaction, wanted: tuple[str, ...], scope: Scope) -> Mapping[str, bool]:
    """Return whether each of the groups that the scope holds is stateful; read once a commit."""
    known: dict[Any, Mapping[str, bool]] = tx.cache.setdefault(seen_by(GROUP_TYPE), {})
    if (wanted, scope) not in known:
        columns = security_groups.c
        statement = select(columns.id, columns.stateful).where(columns.id.in_(IDS), *visible_groups(scope))
        rows = tx.connection.execute(statement, {"ids": wanted}).all()
        known[wanted, scope] = {row.id: row.stateful for row in rows}
    return known[wanted, scope]

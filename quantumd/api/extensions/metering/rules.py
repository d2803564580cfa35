"""Rules of metering labels: which remote addresses are counted, in which direction, and which are not."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_interface
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, bindparam, select
from zope.interface import implementer

from quantumd.api.errors import HTTPMethodNotAllowed
from quantumd.api.extensions.metering.errors import MeteringLabelRuleNotFound, MeteringLabelRuleOverlaps
from quantumd.api.extensions.metering.labels import LABELS
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.rows import Rows, of_project
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.tables.metering import metering_label_rules
from quantumd.store.transaction import Transaction

_COLUMNS = metering_label_rules.c
_GIVEN = ("metering_label_id", "direction", "excluded", "remote_ip_prefix")
_ALIKE = ("metering_label_id", "direction", "excluded")
_PREFIXES = select(_COLUMNS.remote_ip_prefix).where(*(_COLUMNS[name] == bindparam(name) for name in _ALIKE))

RULES = Rows(
    "metering_label_rule",
    metering_label_rules,
    MeteringLabelRuleNotFound,
    of_project(metering_label_rules),
    hidden=frozenset({"created_at"}),
)


@implementer(IOperations)
@frozen
class Rules:
    """Operations on the rules of metering labels."""

    chance: Chance

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations. MeteringLabelNotFound, MeteringLabelRuleOverlaps."""
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        label = LABELS.show(tx.connection, context, body["metering_label_id"])
        _require_apart(tx.connection, body)
        given = {name: body[name] for name in _GIVEN}
        given["remote_ip_prefix"] = str(ip_interface(body["remote_ip_prefix"]))
        view = {"id": self.chance.new_id(), **given, "project_id": label["project_id"]}
        RULES.insert(tx, context, {**view, "created_at": tx.now})
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations; not served: a rule stays what it is."""
        raise HTTPMethodNotAllowed("PUT", ("GET", "DELETE"))

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        before = RULES.show(tx.connection, context, resource_id)
        RULES.remove(tx, context, before)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return RULES.show(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        return RULES.list(connection, context, query)


def _require_apart(connection: Connection, body: Mapping[str, Any]) -> None:
    """Refuse what a rule of the label counts already. Prefixes of two families are apart."""
    wanted = ip_interface(body["remote_ip_prefix"]).network
    for prefix in connection.execute(_PREFIXES, {name: body[name] for name in _ALIKE}).scalars():
        there = ip_interface(prefix).network
        if there.version == wanted.version and there.overlaps(wanted):
            raise MeteringLabelRuleOverlaps(body["remote_ip_prefix"])

"""Rules of metering labels: which remote addresses are counted, in which direction, and which are not."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_interface
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, bindparam, select

from quantumd.api.extensions.metering.errors import MeteringLabelRuleNotFound, MeteringLabelRuleOverlaps
from quantumd.api.extensions.metering.labels import LABELS
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
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


@frozen
class Rules(KeptAsRows):
    """Operations on the rules of metering labels. One stays what it is."""

    rows: ClassVar = RULES
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows. MeteringLabelNotFound, MeteringLabelRuleOverlaps."""
        label = LABELS.show(tx.connection, context, body["metering_label_id"])
        _require_apart(tx.connection, body)
        given = {name: body[name] for name in _GIVEN}
        given["remote_ip_prefix"] = str(ip_interface(body["remote_ip_prefix"]))
        view = {"id": self.chance.new_id(), **given, "project_id": label["project_id"]}
        RULES.insert(tx, context, {**view, "created_at": tx.now})
        return view


def _require_apart(connection: Connection, body: Mapping[str, Any]) -> None:
    """Refuse what a rule of the label counts already. Prefixes of two families are apart."""
    wanted = ip_interface(body["remote_ip_prefix"]).network
    for prefix in connection.execute(_PREFIXES, {name: body[name] for name in _ALIKE}).scalars():
        there = ip_interface(prefix).network
        if there.version == wanted.version and there.overlaps(wanted):
            raise MeteringLabelRuleOverlaps(body["remote_ip_prefix"])

"""Types of rules, as drivers obey them."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from sqlalchemy import Connection

from quantumd.api.extensions.qos.support import Support
from quantumd.api.resource import Query
from quantumd.model.context import Context
from quantumd.model.qos import DSCP_MARKS, RULE_TYPES, RuleType

_DRIVER = "quantumd"
_MOST_KPPS = (2**32 - 1) // 1000
"""Meters count single packets; a rule that says more is one of so many."""


@frozen
class RuleTypes:
    """The types that packets obey; with the filter ``all_rules`` every type there is."""

    support: Support

    def __call__(self, connection: Connection, context: Context, query: Query) -> list[dict[str, Any]]:
        """Return the types as the API shows them."""
        flags = {name for name, values in query.filters if name == "all_rules" and True in values}
        return [
            {"type": each.name, "drivers": self._drivers(each)}
            for each in RULE_TYPES
            if flags or self.support.has(each.name)
        ]

    def _drivers(self, rule_type: RuleType) -> list[dict[str, Any]]:
        if not self.support.has(rule_type.name):
            return []
        parameters = [_parameter(rule_type, name) for name in rule_type.parameters]
        return [{"name": _DRIVER, "supported_parameters": parameters}]


def _parameter(rule_type: RuleType, name: str) -> dict[str, Any]:
    if name == "direction":
        return _described(name, "choices", list(rule_type.directions))
    if name == "dscp_mark":
        return _described(name, "choices", list(DSCP_MARKS))
    return _described(name, "range", {"start": 0, "end": _MOST_KPPS if "kpps" in name else 2**31 - 1})


def _described(name: str, kind: str, values: Any) -> dict[str, Any]:
    return {"parameter_name": name, "parameter_type": kind, "parameter_values": values}

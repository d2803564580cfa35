"""The names of ports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.aspects import IAspect, KeptInRow, View
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.dns.attributes import ASSIGNMENT, DOMAIN, NAME
from quantumd.model.context import Context
from quantumd.model.dns_names import UNNAMED_DOMAIN, assignments
from quantumd.store.transaction import Transaction


@implementer(IAspect)
@frozen
class PortNames(KeptInRow):
    """``dns_name`` and ``dns_domain`` of ports, and what their addresses are called.

    ``domain`` has its final dot. ``is_served`` is whether anybody sees the names: they cost lists some time.
    """

    attributes: tuple[Attribute, ...]
    domain: str
    is_served: bool

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        said = {NAME: self._own_name(named[NAME])} if NAME in named else {}
        if DOMAIN in named:
            said[DOMAIN] = named[DOMAIN]
        if before is None:
            values: View = {NAME: "", DOMAIN: "", **said}
        else:
            values = {name: value for name, value in said.items() if before[name] != value}
        if self.is_served:
            name = values.get(NAME, view[NAME] if before is None else before[NAME])
            values[ASSIGNMENT] = self._assignment(view, name)
        return values

    def _own_name(self, name: str) -> str:
        return "" if self.domain in ("", UNNAMED_DOMAIN) else name

    def _assignment(self, view: Mapping[str, Any], name: str) -> list[dict[str, str]]:
        return assignments([each["ip_address"] for each in view["fixed_ips"]], name, self.domain)

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""
        if self.is_served:
            for view in views.values():
                view[ASSIGNMENT] = self._assignment(view, view[NAME])

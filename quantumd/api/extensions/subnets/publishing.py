"""``dns_publish_fixed_ip``: whether the addresses of a subnet are published in DNS, not only floating ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.values import BOOLEAN
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

ALIAS: Final = "subnet-dns-publish-fixed-ip"
_NAME: Final = "dns_publish_fixed_ip"


@implementer(IAspect)
@frozen
class Publishing:
    """Settles ``dns_publish_fixed_ip``, a column of the subnet's row."""

    attributes = (Attribute(_NAME, *BOOLEAN, in_post=True, in_put=True, default=False, extension=ALIAS),)
    filters: Mapping[str, Condition] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        if before is None:
            return {_NAME: named.get(_NAME, False)}
        return {_NAME: named[_NAME]} if named.get(_NAME, before[_NAME]) != before[_NAME] else {}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect: it is a column."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect: it is a column."""

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect: it is a column."""

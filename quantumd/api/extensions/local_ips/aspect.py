"""Ports that local IPs refer to stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import bindparam, select
from zope.interface import implementer

from quantumd.api.aspects import IAspect, KeptInRow, View
from quantumd.api.attributes import Attribute
from quantumd.api.resources.errors import ServicePortNotDeletable
from quantumd.api.resources.prepared import Prepared
from quantumd.model.context import Context
from quantumd.store.tables.ports import local_ips
from quantumd.store.transaction import Transaction

_USERS = Prepared(select(local_ips.c.id).where(local_ips.c.local_port_id == bindparam("wanted")))


@implementer(IAspect)
@frozen
class LocalPorts(KeptInRow):
    """Adds nothing to ports but a reason to stay. ``is_served``: whether there are local IPs."""

    is_served: bool
    attributes: tuple[Attribute, ...] = ()

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        return {}

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect. ServicePortInUse. Associations of the port go with it."""
        if self.is_served and _USERS.rows(tx, {"wanted": resource_id}):
            raise ServicePortNotDeletable(resource_id, "still referenced by Local IPs")

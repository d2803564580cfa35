"""Tap mirrors go with their ports."""

from __future__ import annotations

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import AddsNothing, IAspect
from quantumd.api.extensions.tap_mirrors.rows import MIRRORS, mirrors_of_port
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

_BY_ITSELF = Context(request_id="", roles=frozenset({"admin"}))


@implementer(IAspect)
@frozen
class MirroredPorts(AddsNothing):
    """Adds nothing to ports. ``is_served``: whether there are tap mirrors."""

    is_served: bool

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect."""
        if self.is_served:
            for view in MIRRORS.views(tx.connection, _BY_ITSELF, mirrors_of_port(tx, resource_id)):
                MIRRORS.remove(tx, _BY_ITSELF, view)

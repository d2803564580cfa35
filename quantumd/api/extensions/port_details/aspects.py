"""Attributes of ports that are kept in the port's own row and have few rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import IAspect, KeptInRow, View
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.port_details.attributes import DETAIL_ATTRIBUTES
from quantumd.api.resources.port_errors import PortBoundNUMAAffinityPolicy
from quantumd.api.resources.port_views import PORT_DETAILS
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction


@implementer(IAspect)
@frozen
class Details(KeptInRow):
    """What clients say of a port for others to read: Nova, Cyborg, the operator's tools."""

    attributes: tuple[Attribute, ...] = DETAIL_ATTRIBUTES

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. PortBoundNUMAAffinityPolicy."""
        if before is None:
            return {name: named.get(name, PORT_DETAILS[name]) for name in _SAID}
        changed = {name: named[name] for name in _SAID & named.keys() if named[name] != before[name]}
        if "numa_affinity_policy" in changed and before["binding:host_id"]:
            policy = changed["numa_affinity_policy"]
            raise PortBoundNUMAAffinityPolicy(before["id"], before["binding:host_id"], policy)
        return changed


_SAID = frozenset(each.name for each in DETAIL_ATTRIBUTES if each.in_post or each.in_put)

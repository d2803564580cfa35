"""``vlan_transparent`` and ``qinq`` of networks, columns of the network: whether the VLAN tags of guests pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import IAspect, KeptInRow, View
from quantumd.api.attributes import Attribute
from quantumd.api.errors import BadRequest
from quantumd.api.resources.network_rules import TRANSPARENT
from quantumd.api.values import BOOLEAN, filter_boolean
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

QINQ: Final = "qinq"

_IN_POST: dict[str, Any] = {"in_post": True, "filter_convert": filter_boolean, "is_sort_key": False}


@implementer(IAspect)
@frozen
class GuestTags(KeptInRow):
    """Set when a network is made and never changed; null while nobody said."""

    attributes: tuple[Attribute, ...] = (
        Attribute(TRANSPARENT, *BOOLEAN, extension="vlan-transparent", **_IN_POST),
        Attribute(QINQ, *BOOLEAN, extension="qinq", **_IN_POST),
    )

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        if before is not None:
            return {}
        settled = {TRANSPARENT: named.get(TRANSPARENT), QINQ: named.get(QINQ)}
        if all(settled.values()):
            raise BadRequest("network", f"{TRANSPARENT} and {QINQ} cannot both be set to True")
        return settled

"""The address pairs of ports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import IAspect, KeptInRow, View
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.allowed_address_pairs.values import Pair, refuse_repeated
from quantumd.api.resources.port_errors import AddressPairAndPortSecurityRequired
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

PAIRS = "allowed_address_pairs"


@implementer(IAspect)
@frozen
class AddressPairs(KeptInRow):
    """Addresses that a port may send from beside its own; only where they are checked, which is port security."""

    attributes: tuple[Attribute, ...]

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. AddressPairAndPortSecurityRequired, DuplicateAddressPairInRequest."""
        had = [] if before is None else before[PAIRS]
        given = named.get(PAIRS)
        pairs = had if given is None else _complete(given, view["mac_address"])
        if pairs and not view["port_security_enabled"]:
            raise AddressPairAndPortSecurityRequired()
        return {PAIRS: pairs} if before is None or pairs != had else {}


def _complete(given: tuple[Pair, ...], mac_address: str) -> list[Pair]:
    """Return the pairs; one that names no MAC is for that of the port."""
    pairs = [{"mac_address": mac_address, **pair} for pair in given]
    refuse_repeated(tuple(pairs))
    return pairs

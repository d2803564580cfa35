"""Addresses that ports may send from beside their own."""

from __future__ import annotations

from quantumd.api.attributes import Attribute
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.allowed_address_pairs.aspect import PAIRS, AddressPairs
from quantumd.api.extensions.allowed_address_pairs.values import address_pairs
from quantumd.api.extensions.feature import Feature, Parts

ALIAS = "allowed-address-pairs"


def feature(parts: Parts) -> Feature:
    """Return what address pairs add to the API."""
    value = address_pairs(parts.settings.max_address_pairs)
    attribute = Attribute(PAIRS, *value, in_post=True, in_put=True, is_sort_key=False, extension=ALIAS)
    return Feature(
        extensions=(
            Extension(
                ALIAS, "Allowed Address Pairs", "Provides allowed address pairs", "2013-07-23T10:00:00-00:00", ALIAS
            ),
            Extension(
                "aap-reject-multicast",
                "Allowed address pairs reject multicast extension",
                "Reject multicast addresses in Allowed Address Pairs",
                "2026-04-01T00:00:00-00:00",
                ALIAS,
            ),
        ),
        port_aspects=(AddressPairs((attribute,)),),
    )

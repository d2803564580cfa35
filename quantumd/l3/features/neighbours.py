"""Addresses inside for which a router answers on the link of its gateway, and which alone are let in there. Pure.

Who is inside and is not answered for can send, and gets no answer: as it is in Neutron.
"""

from __future__ import annotations

from typing import Final

from quantumd.edge.netns.interfaces import Address
from quantumd.edge.nft.interfaces import Chain, Kind
from quantumd.l3.features.base import FAMILY, Filters
from quantumd.l3.names import GATEWAY, INSIDE, inner_of
from quantumd.model.router_records import RouterRecord

PROXIED: Final = "proxied"
"""The set of addresses that are let in, and the chain that lets in no others."""

_KIND = Kind("type ipv6_addr;")
_HOOK = "type filter hook forward priority 0;"


def proxied_of(router: RouterRecord) -> frozenset[Address]:
    """Return what a router answers for, by the device on whose link it does."""
    if router.gateway is None or not router.enable_ndp_proxy:
        return frozenset()
    device = inner_of(GATEWAY, router.gateway.port_id)
    return frozenset(Address(device, f"{each}/128") for each in router.proxied)


def entry_of(router: RouterRecord) -> Filters:
    """Return the filters of what comes in; none of a router that answers for nobody."""
    if router.gateway is None or not router.enable_ndp_proxy:
        return Filters()
    rule = f'iifname "{GATEWAY}*" oifname "{INSIDE}*" meta nfproto ipv6 ip6 daddr != @{PROXIED} drop'
    return Filters(
        {(FAMILY, PROXIED): Chain((rule,), _HOOK)},
        {(FAMILY, PROXIED): _KIND},
        {(FAMILY, PROXIED, each): "" for each in router.proxied},
    )

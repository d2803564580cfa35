"""Translation of addresses: floating IPs, and the gateway's address for all else that leaves. Pure.

Who is inside and speaks to a floating IP is translated too, or the answer would come to him from another address.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quantumd.edge.nft.interfaces import Chain, Kind, Place
from quantumd.l3.features import forwarding
from quantumd.l3.features.base import FAMILY, Filters
from quantumd.l3.names import GATEWAY, INSIDE, inner_of
from quantumd.model.router_records import RouterRecord

FLOATING: Final = "floating"
FIXED: Final = "fixed"
"""Maps: floating IP → fixed, and back."""

OWN: Final = "own"
"""The set of the gateway's address while what leaves gets it. No rule asks it; when it goes it tells what must end."""

_ADDRESSES = Kind("type ipv4_addr : ipv4_addr;")
_OWN = Kind("type ipv4_addr;")
_BETWEEN_INSIDES = f'iifname "{INSIDE}*" oifname "{INSIDE}*" ct status dnat'
_HOOKS: Final = {
    "prerouting": "type nat hook prerouting priority -100;",
    "output": "type nat hook output priority -100;",
    "postrouting": "type nat hook postrouting priority 100;",
}


def filters_of(router: RouterRecord) -> Filters:
    """Return the filters of a router; none of one without a gateway."""
    if router.gateway is None:
        return Filters()
    to_fixed: tuple[str, ...] = (f"dnat ip to ip daddr map @{FLOATING}",)
    kinds = {OWN: _OWN, **dict.fromkeys((FLOATING, FIXED), _ADDRESSES)}
    if router.forwarded:
        to_fixed += forwarding.RULES
        kinds |= forwarding.KINDS
    rules = {"prerouting": to_fixed, "output": to_fixed, "postrouting": tuple(_leaving(router))}
    return Filters(
        {(FAMILY, name): Chain(each, _HOOKS[name]) for name, each in rules.items()},
        {(FAMILY, name): kind for name, kind in kinds.items()},
        dict(_elements(router)),
    )


def _leaving(router: RouterRecord) -> Iterator[str]:
    own = _own_address(router)
    device = inner_of(GATEWAY, router.gateway.port_id) if router.gateway is not None else ""
    to_floating = f"snat ip to ip saddr map @{FIXED}"
    yield f"{_BETWEEN_INSIDES} {to_floating}"
    yield f"{_BETWEEN_INSIDES} meta nfproto ipv4 " + (f"snat ip to {own}" if own else "masquerade")
    yield f'oifname "{device}" {to_floating}'
    if own and router.enable_snat:
        yield f'oifname "{device}" meta nfproto ipv4 ct status dnat accept'
        yield f'oifname "{device}" meta nfproto ipv4 snat ip to {own}'


def _own_address(router: RouterRecord) -> str:
    """Return the first IPv4 address of the gateway; '' when there is none."""
    addresses = router.gateway.addresses if router.gateway is not None else ()
    return next((each.partition("/")[0] for each in addresses if ":" not in each), "")


def _elements(router: RouterRecord) -> Iterator[tuple[Place, str]]:
    for each in router.floating_ips:
        yield (FAMILY, FLOATING, each.floating_ip), each.fixed_ip
        yield (FAMILY, FIXED, each.fixed_ip), each.floating_ip
    if router.enable_snat and (own := _own_address(router)):
        yield (FAMILY, OWN, own), ""
    yield from forwarding.elements_of(router.forwarded)

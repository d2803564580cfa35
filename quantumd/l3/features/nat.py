"""Translation of addresses: floating IPs, and the gateway's address for all else that leaves. Pure.

Each gateway has its own floating IPs: what leaves by it gets one of those, or its address. Who is inside and speaks to
a floating IP is translated too, or the answer would come to him from another address.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quantumd.edge.nft.interfaces import Chain, Kind, Place
from quantumd.l3.features import forwarding
from quantumd.l3.features.addressing import device_of
from quantumd.l3.features.base import FAMILY, Filters
from quantumd.l3.features.marks import chains_of
from quantumd.l3.features.scopes import crossing_chains, untranslated_from
from quantumd.l3.names import INSIDE
from quantumd.model.router_records import RouterGateway, RouterRecord

FLOATING: Final = "floating"
FIXED: Final = "fixed"
"""Maps: floating IP → fixed, and back, for the first gateway. The others have one back each, by their numbers."""

OWN: Final = "own"
"""The set of the gateways' addresses while what leaves gets them. No rule asks it; when one goes it tells what ends."""

_ADDRESSES = Kind("type ipv4_addr : ipv4_addr;")
_OWN = Kind("type ipv4_addr;")
_BETWEEN_INSIDES = f'iifname "{INSIDE}*" oifname "{INSIDE}*" ct status dnat'
_HOOKS: Final = {
    "prerouting": "type nat hook prerouting priority -100;",
    "output": "type nat hook output priority -100;",
    "postrouting": "type nat hook postrouting priority 100;",
}


def filters_of(router: RouterRecord) -> Filters:
    """Return the filters of a router; of one without a gateway only what keeps scopes apart."""
    chains = dict(crossing_chains(router))
    if not router.gateways:
        return Filters({(FAMILY, name): each for name, each in chains.items()})
    to_fixed: tuple[str, ...] = (f"dnat ip to ip daddr map @{FLOATING}",)
    backwards = [name for name, _ in _backwards(router)]
    kinds = {OWN: _OWN, **dict.fromkeys((FLOATING, *backwards), _ADDRESSES)}
    if any(each.forwarded for each in router.gateways):
        to_fixed += forwarding.RULES
        kinds |= forwarding.KINDS
    rules = {"prerouting": to_fixed, "output": to_fixed, "postrouting": tuple(_leaving(router))}
    chains |= {name: Chain(each, _HOOKS[name]) for name, each in rules.items()} | dict(chains_of(router.gateways))
    return Filters(
        {(FAMILY, name): each for name, each in chains.items()},
        {(FAMILY, name): kind for name, kind in kinds.items()},
        dict(_elements(router)),
    )


def fixed_map(gateway: RouterGateway, first: RouterGateway) -> str:
    """Return the map from fixed addresses to floating IPs of a gateway."""
    return FIXED if gateway == first else f"{FIXED}_{gateway.number}"


def _backwards(router: RouterRecord) -> Iterator[tuple[str, RouterGateway]]:
    """Yield the gateways with the maps from fixed addresses to floating IPs of theirs."""
    yield from ((fixed_map(each, router.gateways[0]), each) for each in router.gateways)


def _leaving(router: RouterRecord) -> Iterator[str]:
    backwards = tuple(_backwards(router))
    yield from (f"{_BETWEEN_INSIDES} {_to(name)}" for name, _ in backwards)
    own = next(filter(None, map(_own_address, router.gateways)), "")
    yield f"{_BETWEEN_INSIDES} meta nfproto ipv4 " + (f"snat ip to {own}" if own else "masquerade")
    for name, gateway in backwards:
        yield f'oifname "{device_of(gateway)}" {_to(name)}'
        if router.enable_snat:
            yield from _translated(router, gateway)


def _translated(router: RouterRecord, gateway: RouterGateway) -> Iterator[str]:
    """Yield what becomes of that which leaves by a gateway and has no floating IP there."""
    own, device = _own_address(gateway), device_of(gateway)
    untranslated = untranslated_from(router, gateway)
    if own:
        yield f'oifname "{device}" meta nfproto ipv4 ct status dnat accept'
        if untranslated:
            yield f'oifname "{device}" meta nfproto ipv4 {untranslated} accept'
        yield f'oifname "{device}" meta nfproto ipv4 snat ip to {own}'


def _to(name: str) -> str:
    return f"snat ip to ip saddr map @{name}"


def _own_address(gateway: RouterGateway) -> str:
    """Return the first IPv4 address of a gateway; '' when there is none."""
    return next((each.partition("/")[0] for each in gateway.link.addresses if ":" not in each), "")


def _elements(router: RouterRecord) -> Iterator[tuple[Place, str]]:
    found: dict[Place, str] = {}
    for name, gateway in _backwards(router):
        for each in gateway.floating_ips:
            found[FAMILY, FLOATING, each.floating_ip] = each.fixed_ip
            found[FAMILY, name, each.fixed_ip] = each.floating_ip
        if router.enable_snat and (own := _own_address(gateway)):
            found[FAMILY, OWN, own] = ""
        found.update(forwarding.elements_of(gateway.forwarded))
    yield from found.items()

"""How fast packets may come to addresses outside, and go out as from them. Pure.

What comes is counted before its address is translated, what goes afterwards, and both on the gateway's link alone. nft
lets the bytes of one second through at once, and no fewer: its unit is the second (nft_limit_init in the kernel).
"""

from __future__ import annotations

from typing import Final

from quantumd.edge.nft.interfaces import Chain, Kind
from quantumd.l3.features.base import FAMILY, Filters
from quantumd.l3.names import GATEWAY
from quantumd.model.qos import EGRESS, INGRESS
from quantumd.model.router_records import AddressLimit, RouterRecord

LEAST_BYTES: Final = 70_000
"""That many may come at once however low the rate: packets of the kernel's own can be so long before they are cut."""

_NAMES: Final = {INGRESS: "limited_in", EGRESS: "limited_out"}
"""Chains by direction, and the maps in which they look an address up."""
_HOOKS: Final = {
    INGRESS: Chain(
        (f'iifname "{GATEWAY}*" ip daddr vmap @{_NAMES[INGRESS]}',), "type filter hook prerouting priority -150;"
    ),
    EGRESS: Chain(
        (f'oifname "{GATEWAY}*" ip saddr vmap @{_NAMES[EGRESS]}',), "type filter hook postrouting priority 300;"
    ),
}
_KIND: Final = Kind("type ipv4_addr : verdict;")


def limits_of(router: RouterRecord) -> Filters:
    """Return the filters that hold the limits; none of a router without any."""
    if router.gateway is None or not router.limits:
        return Filters()
    chains = {(FAMILY, name): _HOOKS[direction] for direction, name in _NAMES.items()}
    elements = {}
    for limit in router.limits:
        name = _NAMES[limit.direction]
        chain = f"{name}_{limit.address.replace('.', '_')}"
        chains[FAMILY, chain] = Chain((_rule(limit),))
        elements[FAMILY, name, limit.address] = f"goto {chain}"
    return Filters(chains, {(FAMILY, name): _KIND for name in _NAMES.values()}, elements)


def _rule(limit: AddressLimit) -> str:
    rate, named = limit.rate_kbps * 125, limit.burst_kbits * 125
    beyond = max(named, LEAST_BYTES) - rate
    burst = f" burst {beyond} bytes" if beyond > 0 else ""
    return f"limit rate over {rate} bytes/second{burst} drop"

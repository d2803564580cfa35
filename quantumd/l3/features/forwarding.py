"""Port forwardings: what goes to ports of a floating IP goes to ports of an address inside. Pure.

Three maps: one has a port to each port, and finds it at once however many there are; the two others have ranges, which
cost more the more there are: of many ports that lead to one, and of many that each lead to themselves. ICMP is among
the last, with every port: whatever is where others have their port then leads on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from quantumd.edge.nft.interfaces import Kind, Place
from quantumd.l3.features.base import FAMILY
from quantumd.model.port_forwarding import ICMP, PROTOCOLS
from quantumd.model.router_records import ForwardedPorts

FORWARDED: Final = "forwarded"
GATHERED: Final = "gathered"
SPREAD: Final = "spread"
"""Maps: floating IP, protocol and port → address and port inside; the last, → address alone."""

_OUTSIDE: Final = "type ipv4_addr . inet_proto . inet_service"
KINDS: Final = {
    FORWARDED: Kind(f"{_OUTSIDE} : ipv4_addr . inet_service;"),
    GATHERED: Kind(f"{_OUTSIDE} : ipv4_addr . inet_service; flags interval;"),
    SPREAD: Kind(f"{_OUTSIDE} : ipv4_addr; flags interval;"),
}
_TO: Final = "dnat ip to ip daddr . meta l4proto . th dport map"
RULES: Final = (
    *(f"meta l4proto {protocol} {_TO} @{name}" for name in KINDS for protocol in PROTOCOLS if protocol != ICMP),
    f"meta l4proto {ICMP} icmp type echo-request {_TO} @{SPREAD}",
)


def elements_of(forwarded: Iterable[ForwardedPorts]) -> Iterator[tuple[Place, str]]:
    """Yield the elements of the maps."""
    for each in forwarded:
        number = PROTOCOLS[each.protocol]
        outside, inside = f"{each.floating_ip} . {number}", each.fixed_ip
        ports, inner = range(each.first_port, each.last_port + 1), each.first_fixed_port
        span = f"{outside} . {each.first_port}-{each.last_port}"
        if each.protocol == ICMP:
            yield (FAMILY, SPREAD, f"{outside} . 0-65535"), inside
        elif len(ports) > 1 and inner == each.last_fixed_port:
            yield (FAMILY, GATHERED, span), f"{inside} . {inner}"
        elif len(ports) > 1 and inner == each.first_port:
            yield (FAMILY, SPREAD, span), inside
        else:
            for at, port in enumerate(ports):
                yield (FAMILY, FORWARDED, f"{outside} . {port}"), f"{inside} . {inner + at}"

"""Address scopes: who may reach whom untranslated, and what is not translated because no address is in two of them.

Networks of one scope reach each other, and what leaves from a network by a gateway of its scope keeps its address.
Networks of different scopes do not, and no scope at all is one too: they reach each other only by translated addresses,
which are floating IPs and those of gateways. Pure. Source: Neutron 29, its agent for routers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_interface
from typing import Final

from quantumd.edge.nft.interfaces import Chain
from quantumd.l3.features.addressing import device_of
from quantumd.l3.names import INSIDE, inner_of
from quantumd.model.router_records import RouterGateway, RouterRecord

CROSSING: Final = "crossing"
"""The chain of what goes from network to network; there is none where all are in one scope."""
_FAMILIES: Final = {4: "meta nfproto ipv4", 6: "meta nfproto ipv6"}

_Together = Mapping[str, list[str]]
"""Devices by the scope that they are in."""


def crossing_chains(router: RouterRecord) -> Iterator[tuple[str, Chain]]:
    """Yield the chain that keeps scopes apart, by its name."""
    rules = tuple(rule for version in _FAMILIES for rule in _crossing(router, version))
    if rules:
        yield CROSSING, Chain(rules, "type filter hook forward priority 0;")


def untranslated_from(router: RouterRecord, gateway: RouterGateway) -> str:
    """Return a match of what leaves as it is because the gateway is in the same scope; '' when that is nothing."""
    for scope, devices in _together(router, 4).items():
        inside = [each for each in devices if each.startswith(INSIDE)]
        if scope and inside and device_of(gateway) in devices:
            return f"iifname {_any_of(inside)}"
    return ""


def _crossing(router: RouterRecord, version: int) -> Iterator[str]:
    together = _together(router, version)
    if len(together) <= 1:
        return
    family = _FAMILIES[version]
    if version == 4:
        yield f"{family} ct status dnat accept"
        yield f"{family} ct status snat accept"
        yield from (f"{family} {match} accept" for match in _about_to_be_translated(router))
    for devices in together.values():
        yield f"{family} iifname {_any_of(devices)} oifname {_any_of(devices)} accept"
    yield f"{family} drop"


def _about_to_be_translated(router: RouterRecord) -> Iterator[str]:
    """Yield matches of what will get another address when it leaves."""
    for gateway in router.gateways:
        device = device_of(gateway)
        fixed = sorted(each.fixed_ip for each in gateway.floating_ips)
        if router.enable_snat and any(":" not in each for each in gateway.link.addresses):
            yield f'oifname "{device}"'
        elif fixed:
            yield f'oifname "{device}" ip saddr {{ {", ".join(fixed)} }}'


def _together(router: RouterRecord, version: int) -> _Together:
    """Return the devices that have addresses of a version of IP, by the scopes of these."""
    scopes = {each.port_id: each.ipv6_scope if version == 6 else each.ipv4_scope for each in router.scopes}
    found: defaultdict[str, list[str]] = defaultdict(list)
    links = [(inner_of(INSIDE, each.port_id), each) for each in router.interfaces]
    links += [(device_of(each), each.link) for each in router.gateways]
    for device, link in links:
        if any(ip_interface(each).version == version for each in link.addresses):
            found[scopes.get(link.port_id, "")].append(device)
    return dict(sorted(found.items()))


def _any_of(devices: Iterable[str]) -> str:
    return "{ " + ", ".join(f'"{each}"' for each in devices) + " }"

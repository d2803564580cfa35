"""Which gateways of a router a request means: it names them by their networks, and by addresses where that is not all.

Source: Neutron 29, its external gateways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantumd.api.extensions.routers.errors import UnableToMatchGateways
from quantumd.api.extensions.routers.gateway_rows import HeldGateway

Wanted = Mapping[str, Any]
"""What a request says of a gateway."""


def named_gateway(router_id: str, held: Sequence[HeldGateway], wanted: Wanted) -> HeldGateway | None:
    """Return the gateway that is meant: one of its addresses is named, or it is the only one in its network.

    :raises UnableToMatchGateways: no address is named, and there are several in the network.
    """
    here = [each for each in held if each.network_id == wanted["network_id"]]
    named = wanted.get("external_fixed_ips")
    if named:
        return next((each for each in here if any(_is_of(fixed_ip, each) for fixed_ip in named)), None)
    if len(here) > 1:
        raise UnableToMatchGateways(
            router_id,
            f"multiple gateway ports are attached to the same network {wanted['network_id']} but external_fixed_ips "
            "parameter is not specified in the request",
        )
    return here[0] if here else None


def _is_of(fixed_ip: Mapping[str, str], gateway: HeldGateway) -> bool:
    for ip_address, subnet_id in gateway.addresses:
        if fixed_ip.get("ip_address", ip_address) == ip_address and fixed_ip.get("subnet_id", subnet_id) == subnet_id:
            return True
    return False


def each_meant(router_id: str, held: Sequence[HeldGateway], wanted: Sequence[Wanted]) -> list[HeldGateway]:
    """Return the gateways that are meant, each once. UnableToMatchGateways: one is not there, or not told apart."""
    found: dict[str, HeldGateway] = {}
    for each in wanted:
        gateway = named_gateway(router_id, held, each)
        if gateway is None:
            fixed_ips = each.get("external_fixed_ips")
            by = f" based on the specified fixed IPs {list(fixed_ips)}" if fixed_ips else ""
            why = f"could not match a gateway port attached to network {each['network_id']}{by}"
            raise UnableToMatchGateways(router_id, why)
        found[gateway.port_id] = gateway
    return list(found.values())


def paired(router_id: str, held: Sequence[HeldGateway], wanted: Sequence[Wanted]) -> list[HeldGateway | None]:
    """Return for each that is wanted the gateway that it is already; None for one that is to be made.

    Each is one at most. What names addresses chooses first. The first gateway may get quite other addresses of its
    network and still be the first. UnableToMatchGateways: some are not told apart.
    """
    free, found = list(held), dict[int, HeldGateway]()
    for place, each in sorted(enumerate(wanted), key=lambda item: not item[1].get("external_fixed_ips")):
        gateway = named_gateway(router_id, free, each)
        if gateway is not None:
            found[place] = gateway
            free.remove(gateway)
    if 0 not in found and held and held[0] in free and held[0].network_id == wanted[0]["network_id"]:
        found[0] = held[0]
    return [found.get(place) for place in range(len(wanted))]

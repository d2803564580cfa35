"""The rules of subnets, with the API's errors: the decisions themselves are in quantumd.model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quantumd.api.errors import InvalidInput
from quantumd.api.resources.errors import (
    DNSNameServersExhausted,
    GatewayConflictWithAllocationPools,
    HostRoutesExhausted,
    InvalidAllocationPool,
    OutOfBoundsAllocationPool,
    OverlappingAllocationPools,
)
from quantumd.api.resources.facts import NetworkFacts, pools_of
from quantumd.config import NetworkSettings
from quantumd.model.addresses import (
    Pool,
    automatic_gateway,
    automatic_pools,
    first_overlap,
    is_gateway_valid,
    overlapping_pools,
    pool_out_of_bounds,
    pool_with,
    prefix_of,
)
from quantumd.model.delegation import PROVISIONAL
from quantumd.model.subnet import cidr_fault, dhcp_fault, first_mismatch, ipv6_modes_fault, version_of


def require_possible(subnet: Mapping[str, Any], before: Mapping[str, Any] | None, settings: NetworkSettings) -> None:
    """Refuse what no subnet can be. InvalidInput, DNSNameServersExhausted, HostRoutesExhausted.

    :param before: the subnet until now; None for a new one.
    """
    mismatch = first_mismatch(subnet["ip_version"], _addresses(subnet))
    if mismatch is not None:
        raise InvalidInput(f"{mismatch.name} '{mismatch.value}' does not match the ip_version '{subnet['ip_version']}'")
    fault = cidr_fault(subnet["cidr"]) or _dhcp_fault(subnet, before) or _modes_fault(subnet, before)
    if fault is not None:
        raise InvalidInput(fault)
    shown_id = "new subnet" if before is None else before["id"]
    if len(subnet["dns_nameservers"]) > settings.max_dns_nameservers:
        raise DNSNameServersExhausted(shown_id, settings.max_dns_nameservers)
    is_named = before is None or subnet["host_routes"] != before["host_routes"]
    if is_named and len(subnet["host_routes"]) > settings.max_host_routes:
        raise HostRoutesExhausted(shown_id, settings.max_host_routes)


def _dhcp_fault(subnet: Mapping[str, Any], before: Mapping[str, Any] | None) -> str | None:
    """Return why DHCP cannot be switched on; what is on may stay on."""
    if not subnet["enable_dhcp"] or (before is not None and before["enable_dhcp"]):
        return None
    return dhcp_fault(subnet["cidr"])


def _modes_fault(subnet: Mapping[str, Any], before: Mapping[str, Any] | None) -> str | None:
    ra_mode, address_mode = subnet["ipv6_ra_mode"], subnet["ipv6_address_mode"]
    if before is None:
        return ipv6_modes_fault(subnet["ip_version"], subnet["cidr"], subnet["enable_dhcp"], ra_mode, address_mode)
    if not subnet["enable_dhcp"] and (ra_mode is not None or address_mode is not None):
        return "Cannot disable enable_dhcp with ipv6 attributes set"
    return None


def _addresses(subnet: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "cidr", subnet["cidr"]
    if subnet.get("gateway_ip") is not None:
        yield "gateway_ip", subnet["gateway_ip"]
    for server in subnet["dns_nameservers"]:
        yield "dns_nameserver", server
    for route in subnet["host_routes"]:
        yield "destination", route["destination"]
        yield "nexthop", route["nexthop"]


def require_disjoint(network: NetworkFacts, cidr: str) -> None:
    """Refuse a prefix that overlaps with another of the network; other networks do not matter. InvalidInput.

    What stands for a prefix that is still to come is in nobody's way.
    """
    others = [subnet.cidr for subnet in network.subnets if subnet.cidr != PROVISIONAL]
    if cidr != PROVISIONAL and first_overlap(cidr, others) is not None:
        raise InvalidInput(f"Requested subnet with cidr: {cidr} for network: {network.id} overlaps with another subnet")


def checked_gateway_and_pools(subnet: Mapping[str, Any]) -> tuple[str | None, list[dict[str, str]]]:
    """Return the gateway and the pools, as the API shows them: those that are named, automatic ones for the rest.

    :raises InvalidInput: the gateway cannot be one. GatewayConflictWithAllocationPools, InvalidAllocationPool,
        OutOfBoundsAllocationPool, OverlappingAllocationPools.
    """
    cidr = subnet["cidr"]
    gateway_ip = subnet["gateway_ip"] if "gateway_ip" in subnet else automatic_gateway(cidr)
    if subnet.get("gateway_ip") is not None and not is_gateway_valid(cidr, subnet["gateway_ip"]):
        raise InvalidInput("Gateway is not valid on subnet")
    if "allocation_pools" not in subnet:
        return gateway_ip, shown_pools(automatic_pools(cidr, gateway_ip))
    pools = _checked_pools(cidr, subnet["ip_version"], subnet["allocation_pools"])
    conflict = None if gateway_ip is None else pool_with(pools, gateway_ip)
    # The one address of a single-address subnet may be its gateway, and then it is in the pool all the same.
    if conflict is not None and prefix_of(cidr).num_addresses > 1:
        raise GatewayConflictWithAllocationPools(str(gateway_ip), conflict)
    return gateway_ip, shown_pools(pools)


def _checked_pools(cidr: str, ip_version: int, shown: Sequence[Mapping[str, str]]) -> tuple[Pool, ...]:
    for given in shown:
        if {version_of(given["start"]), version_of(given["end"])} != {ip_version}:
            raise InvalidAllocationPool(given)
    pools = pools_of(ip_version, shown)
    for pool, given in zip(pools, shown, strict=True):
        if pool.size < 1:
            raise InvalidAllocationPool(given)
    outside = pool_out_of_bounds(cidr, pools)
    if outside is not None:
        raise OutOfBoundsAllocationPool(outside, cidr)
    pair = overlapping_pools(pools)
    if pair is not None:
        raise OverlappingAllocationPools(*pair, cidr)
    return tuple(sorted(pools, key=lambda pool: pool.first))


def shown_pools(pools: Sequence[Pool]) -> list[dict[str, str]]:
    """Return pools as the API shows them."""
    return [{"start": pool.start_text, "end": pool.end_text} for pool in pools]

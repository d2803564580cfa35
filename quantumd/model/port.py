"""Ports: which subnets an automatic address comes from, and which changes hosts must hear of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from quantumd.model.nouns import DHCP_OWNER

HOST_CONTENT = frozenset({"mac_address", "fixed_ips", "admin_state_up", "network_id", "host_id", "device_owner"})
"""Attributes of the row that hosts are told; changing others changes no record."""

DHCP_PORT_FIXED = frozenset(
    {"mac_address", "fixed_ips", "device_id", "device_owner", "binding:host_id", "binding:vnic_type", "admin_state_up"}
)
"""Attributes of a network's DHCP port that follow from its subnets and that nobody sets."""

COMPUTE_OWNER_PREFIX = "compute:"
"""device_owner of ports that a compute service made or uses begins with this."""

ROUTER_OWNER_PREFIX = "network:router"
"""device_owner of ports that routers use begins with this."""


IMMEDIATE = "immediate"
DEFERRED = "deferred"
NO_ADDRESSES = "none"
"""What ``ip_allocation`` says: addresses were chosen at once, wait for a host, or are not wanted."""


class AddressSource(Protocol):
    """What of a subnet decides whether automatic addresses come from it."""

    @property
    def ip_version(self) -> int: ...


S = TypeVar("S", bound=AddressSource)


def is_host_content(changed: Collection[str]) -> bool:
    """Whether a change of these attributes changes what hosts must know."""
    return not HOST_CONTENT.isdisjoint(changed)


def is_dhcp_port(device_owner: str) -> bool:
    """Whether the port is a network's distributed DHCP port."""
    return device_owner == DHCP_OWNER


def dhcp_device_id(network_id: str) -> str:
    """Return the device_id of the network's distributed DHCP port."""
    return f"dhcp-distributed-{network_id}"


def automatic_choices(subnets: Sequence[S]) -> tuple[tuple[S, ...], ...]:
    """Group the subnets by IP version: without named addresses a port gets one of each group."""
    groups = (tuple(subnet for subnet in subnets if subnet.ip_version == version) for version in (4, 6))
    return tuple(group for group in groups if group)

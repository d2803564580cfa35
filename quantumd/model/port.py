"""Ports: which subnets an automatic address comes from, and which changes hosts must hear of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from quantumd.model.nouns import DHCP_OWNER

HOST_CONTENT = frozenset(
    {
        "mac_address", "fixed_ips", "admin_state_up", "network_id", "host_id", "device_owner", "port_security_enabled",
        "security_groups", "allowed_address_pairs", "qos_policy_id", "extra_dhcp_opts",
    }
)  # fmt: skip
"""Attributes that hosts are told; changing others changes no record."""

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


ROUTER_INTERFACE_OWNERS = frozenset(
    {"network:router_interface", "network:ha_router_replicated_interface", "network:router_interface_distributed"}
)
"""device_owner of ports with which routers stand in subnets."""

STILL_OWNERS = ROUTER_INTERFACE_OWNERS | {
    "network:router_gateway",
    "network:router_centralized_snat",
    "network:floatingip",
    "network:floatingip_agent_gateway",
}
"""device_owner of ports whose IPv4 addresses stay while a device uses them: a router would not hear of the change."""

TRUSTED_OWNER_PREFIX = "network:"
"""device_owner of ports that the service itself made begins with this; what they send is not checked."""


class AddressSource(Protocol):
    """What of a subnet decides whether automatic addresses come from it."""

    @property
    def ip_version(self) -> int: ...

    @property
    def is_auto_address(self) -> bool: ...

    @property
    def service_types(self) -> tuple[str, ...]: ...

    @property
    def segment_id(self) -> str | None: ...


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


def computes_addresses(device_owner: str) -> bool:
    """Whether the port has an address on every subnet where addresses follow from the MAC; routers' ports choose."""
    return device_owner not in ROUTER_INTERFACE_OWNERS and device_owner != "network:router_centralized_snat"


def serving(subnets: Sequence[S], device_owner: str) -> tuple[S, ...]:
    """Return the subnets that are for ports of this owner, those that are for nobody else first. Source: Neutron 29."""
    found = [each for each in subnets if not each.service_types or device_owner in each.service_types]
    return tuple(sorted(found, key=lambda each: not each.service_types))


def reachable(subnets: Sequence[S], segment_ids: Collection[str]) -> tuple[S, ...]:
    """Return the subnets of the segments, and those of no segment, which are everywhere."""
    return tuple(each for each in subnets if each.segment_id is None or each.segment_id in segment_ids)


def automatic_choices(subnets: Sequence[S]) -> tuple[tuple[S, ...], ...]:
    """Group the subnets by IP version: without named addresses a port gets one of each group.

    Subnets where addresses are computed from the MAC are in no group.
    """
    given = [subnet for subnet in subnets if not subnet.is_auto_address]
    groups = (tuple(subnet for subnet in given if subnet.ip_version == version) for version in (4, 6))
    return tuple(group for group in groups if group)

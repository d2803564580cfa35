"""The resources of the core API, put together."""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.api.resource import Resource
from quantumd.api.resources.chance import Chance, system_chance
from quantumd.api.resources.dhcp_port import DhcpPorts
from quantumd.api.resources.errors import NetworkNotFound, PortNotFound, SubnetNotFound
from quantumd.api.resources.network_attributes import NETWORK_ATTRIBUTES
from quantumd.api.resources.networks import Networks
from quantumd.api.resources.port_attributes import PORT_ATTRIBUTES
from quantumd.api.resources.ports import Ports
from quantumd.api.resources.subnet_attributes import SUBNET_ATTRIBUTES
from quantumd.api.resources.subnets import Subnets
from quantumd.config import NetworkSettings
from quantumd.errors import SettingsError
from quantumd.model.network import NETWORK_TYPES, SegmentRules, first_unknown_type, parse_vlan_range


def segment_rules(settings: NetworkSettings, physical_networks: Iterable[str]) -> SegmentRules:
    """Return what segments the settings give. SettingsError.

    :param physical_networks: those that have a bridge (``l2.bridge_mappings``).
    """
    unknown = first_unknown_type(settings.tenant_network_types)
    if unknown is not None:
        raise SettingsError(f"network.tenant_network_types: {unknown!r} is not one of {', '.join(NETWORK_TYPES)}.")
    try:
        ranges = tuple(parse_vlan_range(text) for text in settings.vlan_ranges)
    except ValueError as error:
        raise SettingsError(f"network.vlan_ranges: {error}") from None
    return SegmentRules(settings.tenant_network_types, settings.flat_networks, ranges, frozenset(physical_networks))


def core_resources(
    settings: NetworkSettings, physical_networks: Iterable[str], chance: Chance | None = None
) -> tuple[Resource, ...]:
    """Return networks, subnets and ports, ready to be served. SettingsError."""
    dice = chance or system_chance()
    networks = Networks(settings, segment_rules(settings, physical_networks), dice)
    subnets = Subnets(settings, DhcpPorts(settings, dice))
    ports = Ports(settings, dice)
    return (
        Resource("network", "networks", NETWORK_ATTRIBUTES, networks, NetworkNotFound),
        Resource("subnet", "subnets", SUBNET_ATTRIBUTES, subnets, SubnetNotFound),
        Resource("port", "ports", PORT_ATTRIBUTES, ports, PortNotFound),
    )

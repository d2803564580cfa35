"""The resources of the core API, put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from quantumd.api.aspects import IAspect
from quantumd.api.attributes import Attribute
from quantumd.api.resource import Resource
from quantumd.api.resources.dhcp_port import DhcpPorts
from quantumd.api.resources.errors import NetworkNotFound, PortNotFound, SubnetNotFound
from quantumd.api.resources.network_attributes import NETWORK_ATTRIBUTES
from quantumd.api.resources.networks import Networks
from quantumd.api.resources.port_attributes import PORT_ATTRIBUTES
from quantumd.api.resources.ports import Ports
from quantumd.api.resources.subnet_attributes import IPV6_CAPABILITY, subnet_attributes
from quantumd.api.resources.subnets import Subnets
from quantumd.config import NetworkSettings
from quantumd.errors import SettingsError
from quantumd.model.network import NETWORK_TYPES, SegmentRules, first_unknown_type, parse_vlan_range

if TYPE_CHECKING:
    from quantumd.api.extensions.feature import Feature, Parts


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


def core_resources(parts: Parts, families: Sequence[Feature] = ()) -> tuple[Resource, ...]:
    """Return networks, subnets and ports with what the families add to them, ready to be served."""
    networks = Networks(parts.settings, parts.rules, parts.chance, _all(each.network_aspects for each in families))
    subnets = Subnets(
        parts.settings, DhcpPorts(parts.settings, parts.chance), _all(each.subnet_aspects for each in families)
    )
    ports = Ports(parts.settings, parts.chance, _all(each.port_aspects for each in families))
    return (
        Resource(
            "network",
            "networks",
            (*NETWORK_ATTRIBUTES, *_attributes(networks.aspects)),
            networks,
            NetworkNotFound,
            quota="network",
        ),
        Resource(
            "subnet",
            "subnets",
            (*subnet_attributes(parts.obeys(IPV6_CAPABILITY)), *_attributes(subnets.aspects)),
            subnets,
            SubnetNotFound,
            quota="subnet",
        ),
        Resource("port", "ports", (*PORT_ATTRIBUTES, *_attributes(ports.aspects)), ports, PortNotFound, quota="port"),
    )


def _all(groups: Iterable[tuple[IAspect, ...]]) -> tuple[IAspect, ...]:
    return tuple(aspect for group in groups for aspect in group)


def _attributes(aspects: tuple[IAspect, ...]) -> tuple[Attribute, ...]:
    return tuple(attribute for aspect in aspects for attribute in aspect.attributes)

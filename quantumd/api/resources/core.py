"""The resources of the core API, put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from quantumd.api.aspects import IAspect
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.network_cascade_delete.cascade import Cascade
from quantumd.api.resource import Resource
from quantumd.api.resources.dhcp_port import DhcpPorts
from quantumd.api.resources.errors import NetworkNotFound, PortNotFound, SubnetNotFound
from quantumd.api.resources.network_attributes import NETWORK_ATTRIBUTES
from quantumd.api.resources.networks import Networks
from quantumd.api.resources.port_attributes import PORT_ATTRIBUTES
from quantumd.api.resources.ports import Ports
from quantumd.api.resources.segment_settings import underlay_of
from quantumd.api.resources.subnet_attributes import ADVERTISING_CAPABILITY, DHCPV6_CAPABILITY, subnet_attributes
from quantumd.api.resources.subnets import Subnets
from quantumd.store import tables

if TYPE_CHECKING:
    from quantumd.api.extensions.feature import Feature, Parts


def core_resources(parts: Parts, families: Sequence[Feature] = ()) -> tuple[Resource, ...]:
    """Return networks, subnets and ports with what the families add to them, ready to be served."""
    ports = Ports(parts.settings, parts.chance, parts.life, _all(each.port_aspects for each in families))
    networks = Networks(
        parts.settings,
        parts.rules,
        parts.chance,
        Cascade(ports.show, ports.delete, tuple(release for each in families for release in each.releases)),
        _all(each.network_aspects for each in families),
        underlay_of(parts.settings),
    )
    subnets = Subnets(
        parts.settings, DhcpPorts(parts.settings, parts.chance), _all(each.subnet_aspects for each in families)
    )
    return (
        Resource(
            "network",
            "networks",
            (*NETWORK_ATTRIBUTES, *_attributes(networks.aspects)),
            networks,
            NetworkNotFound,
            is_taggable=True,
            quota="network",
            table=tables.networks,
            cascade=networks.delete_with_ports,
        ),
        Resource(
            "subnet",
            "subnets",
            (
                *subnet_attributes(parts.obeys(ADVERTISING_CAPABILITY), parts.obeys(DHCPV6_CAPABILITY)),
                *_attributes(subnets.aspects),
            ),
            subnets,
            SubnetNotFound,
            is_taggable=True,
            quota="subnet",
            table=tables.subnets,
        ),
        Resource(
            "port",
            "ports",
            (*PORT_ATTRIBUTES, *_attributes(ports.aspects)),
            ports,
            PortNotFound,
            is_taggable=True,
            quota="port",
            table=tables.ports,
        ),
    )


def _all(groups: Iterable[tuple[IAspect, ...]]) -> tuple[IAspect, ...]:
    return tuple(aspect for group in groups for aspect in group)


def _attributes(aspects: tuple[IAspect, ...]) -> tuple[Attribute, ...]:
    return tuple(attribute for aspect in aspects for attribute in aspect.attributes)

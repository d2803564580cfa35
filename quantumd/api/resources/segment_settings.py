"""What the settings say of segments and of what carries them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from quantumd.config import NetworkSettings
from quantumd.errors import SettingsError
from quantumd.model.network import (
    CARRIED_BY_ALL,
    LAST_ID,
    TUNNEL_TYPES,
    SegmentRules,
    Underlay,
    first_unknown_type,
    parse_physical_network_mtu,
)
from quantumd.model.segment_ranges import SegmentRange, parse_tunnel_range, parse_vlan_range

T = TypeVar("T")


def segment_rules(
    settings: NetworkSettings, physical_networks: Iterable[str], carried: frozenset[str] = CARRIED_BY_ALL
) -> SegmentRules:
    """Return what segments the settings give. SettingsError.

    :param physical_networks: those that have a bridge or a NIC (``l2.bridge_mappings``, ``l2.interface_mappings``).
    :param carried: the network types that the active drivers carry.
    """
    unknown = first_unknown_type(settings.tenant_network_types, carried)
    if unknown is not None:
        raise SettingsError(f"network.tenant_network_types: {unknown!r} is not one of {', '.join(sorted(carried))}.")
    return SegmentRules(
        settings.tenant_network_types,
        settings.flat_networks,
        tuple(_ranges(settings)),
        frozenset(physical_networks),
        carried,
    )


def _ranges(settings: NetworkSettings) -> Iterator[SegmentRange]:
    yield from _parsed("vlan_ranges", settings.vlan_ranges, parse_vlan_range)
    for network_type in TUNNEL_TYPES:
        parse = partial(parse_tunnel_range, network_type=network_type, largest=LAST_ID[network_type])
        name = f"{network_type}_ranges"
        yield from _parsed(name, getattr(settings, name), parse)


def underlay_of(settings: NetworkSettings) -> Underlay:
    """Return what the settings say of the networks' MTUs. SettingsError."""
    by_name = dict(_parsed("physical_network_mtus", settings.physical_network_mtus, parse_physical_network_mtu))
    if settings.overlay_ip_version not in (4, 6):
        raise SettingsError("network.overlay_ip_version: it is 4 or 6.")
    return Underlay(settings.mtu_bytes, by_name, settings.overlay_ip_version)


def _parsed(name: str, texts: Iterable[str], parse: Callable[[str], T]) -> list[T]:
    try:
        return [parse(text) for text in texts]
    except ValueError as error:
        raise SettingsError(f"network.{name}: {error}") from None

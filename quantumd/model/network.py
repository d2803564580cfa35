"""Networks: their types and segments, their MTU, and which of their changes hosts must hear of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from attrs import frozen

from quantumd.model.segment_ranges import SegmentRange

LOCAL: Final = "local"
FLAT: Final = "flat"
VLAN: Final = "vlan"
GRE: Final = "gre"
VXLAN: Final = "vxlan"
GENEVE: Final = "geneve"

NETWORK_TYPES: Final = (LOCAL, FLAT, VLAN, GRE, VXLAN, GENEVE)
TUNNEL_TYPES: Final = (GRE, VXLAN, GENEVE)
CARRIED_BY_ALL: Final = frozenset({LOCAL, FLAT, VLAN})
"""The types that every L2 driver carries."""

PASSES_TAGS: Final = frozenset({LOCAL, *TUNNEL_TYPES})
"""The types of segments that can carry frames with the tags of guests.

On a physical network such a tag is that of a network already, or (VLAN) would have to be inside another one.
"""

FIRST_ID: Final = 1
LAST_ID: Final[Mapping[str, int]] = {VLAN: 4094, GRE: 2**32 - 1, VXLAN: 2**24 - 1, GENEVE: 2**24 - 1}
"""The largest VLAN id (IEEE 802.1Q), GRE key (RFC 2890) and VNI (RFC 7348, RFC 8926), by network type."""

_ENCAPSULATION_BYTES: Final[Mapping[str, int]] = {GRE: 22, VXLAN: 30, GENEVE: 38}
"""What a tunnel adds to a packet but for the outer IP header: inner Ethernet, tunnel header, UDP where there is one.

Geneve counts 8 bytes of options, as today's deployments do.
"""
_TAG_BYTES: Final = 4
_IP_HEADER_BYTES: Final[Mapping[int, int]] = {4: 20, 6: 40}

LEAST_MTU: Final[Mapping[int, int]] = {4: 68, 6: 1280}
"""The smallest MTU that a subnet of an IP version can work with (RFC 791, RFC 8200)."""


@frozen
class Segment:
    """Where a network lives.

    ``segmentation_id`` is a VLAN id, a GRE key or a VNI; None in a request means: choose one.
    """

    network_type: str
    physical_network: str | None = None
    segmentation_id: int | None = None

    @property
    def is_partial(self) -> bool:
        """Whether a number is still to be chosen."""
        return self.network_type in LAST_ID and self.segmentation_id is None


@frozen
class SegmentRules:
    """What segments there are: from the settings.

    ``ranges`` give ids to networks that name none. ``physical_networks`` are those that have a bridge;
    ``flat_networks`` those a flat network may be made on, * is any. ``carried`` are the types that the active drivers
    carry; a network of another one cannot be made.
    """

    tenant_network_types: tuple[str, ...]
    flat_networks: tuple[str, ...]
    ranges: tuple[SegmentRange, ...]
    physical_networks: frozenset[str]
    carried: frozenset[str] = CARRIED_BY_ALL


@frozen
class Underlay:
    """What carries the networks: MTUs in bytes, some of their own by physical network, and the tunnels' IP version."""

    mtu_bytes: int
    by_physical_network: Mapping[str, int] = {}
    overlay_ip_version: int = 4


def carried_types(capabilities: Collection[str], preview: bool) -> frozenset[str]:
    """Return the network types that can be made: those of every driver, and the tunnels that the drivers declare."""
    declared = (each for each in TUNNEL_TYPES if preview or each in capabilities)
    return CARRIED_BY_ALL.union(declared)


def segment_fault(segment: Segment, rules: SegmentRules) -> str | None:
    """Return why an administrator's segment cannot be, as the API says it; None when it can."""
    if segment.network_type not in rules.carried:
        return f"network_type value '{segment.network_type}' not supported"
    if segment.network_type == LOCAL:
        return _local_fault(segment)
    if segment.network_type == FLAT:
        return _flat_fault(segment, rules)
    if segment.network_type == VLAN:
        return _vlan_fault(segment, rules)
    return _tunnel_fault(segment)


def _local_fault(segment: Segment) -> str | None:
    if segment.physical_network is not None:
        return "physical_network prohibited for local provider network"
    if segment.segmentation_id is not None:
        return "segmentation_id prohibited for local provider network"
    return None


def _flat_fault(segment: Segment, rules: SegmentRules) -> str | None:
    name = segment.physical_network
    if segment.segmentation_id is not None:
        return "segmentation_id prohibited for flat provider network"
    if not name:
        return "physical_network required for flat provider network"
    if name not in rules.physical_networks or not {name, "*"} & set(rules.flat_networks):
        return f"physical_network '{name}' unknown for flat provider network"
    return None


def _vlan_fault(segment: Segment, rules: SegmentRules) -> str | None:
    name = segment.physical_network
    if name is not None and name not in rules.physical_networks:
        return f"physical_network '{name}' unknown for VLAN provider network"
    if segment.segmentation_id is not None and name is None:
        return "segmentation_id requires physical_network for VLAN provider network"
    return _id_fault(segment)


def _tunnel_fault(segment: Segment) -> str | None:
    if segment.physical_network is not None:
        return f"provider:physical_network specified for {segment.network_type} network"
    return _id_fault(segment)


def _id_fault(segment: Segment) -> str | None:
    last = LAST_ID[segment.network_type]
    if segment.segmentation_id is not None and not FIRST_ID <= segment.segmentation_id <= last:
        return f"segmentation_id out of range ({FIRST_ID} through {last})"
    return None


def flat_choices(rules: SegmentRules) -> tuple[str, ...]:
    """Return the physical networks that a tenant's flat network may take, in order of name."""
    return tuple(sorted(name for name in rules.physical_networks if {name, "*"} & set(rules.flat_networks)))


def largest_mtu(segments: Iterable[Segment], underlay: Underlay, passes_tags: bool = False) -> int:
    """Return the largest MTU in bytes that every one of the segments carries.

    :param passes_tags: packets of that size may have a tag, which a tunnel has to carry too.
    """
    return min((_mtu_of(each, underlay, passes_tags) for each in segments), default=underlay.mtu_bytes)


def _mtu_of(segment: Segment, underlay: Underlay, passes_tags: bool) -> int:
    if segment.network_type in TUNNEL_TYPES:
        headers = _ENCAPSULATION_BYTES[segment.network_type] + _IP_HEADER_BYTES[underlay.overlay_ip_version]
        return underlay.mtu_bytes - headers - (_TAG_BYTES if passes_tags else 0)
    return underlay.by_physical_network.get(segment.physical_network or "", underlay.mtu_bytes)


def parse_physical_network_mtu(text: str) -> tuple[str, int]:
    """Parse ``physical_network:mtu``. ValueError with a sentence."""
    name, _, mtu = text.rpartition(":")
    if not name or not mtu.isdigit() or not LEAST_MTU[4] <= int(mtu) <= 65_535:
        raise ValueError(f"{text!r} is not physical_network:mtu with an MTU of {LEAST_MTU[4]} to 65535 bytes.")
    return name, int(mtu)


HOST_CONTENT = frozenset(
    {"admin_state_up", "mtu", "network_type", "physical_network", "segmentation_id", "qos_policy_id"}
)
"""Columns of the row, and what is kept beside it, that hosts are told; changing others changes no record."""


def is_host_content(changed: Collection[str]) -> bool:
    """Whether a change of these columns changes what hosts must know."""
    return not HOST_CONTENT.isdisjoint(changed)


def first_unknown_type(types: Iterable[str], known: Collection[str] = NETWORK_TYPES) -> str | None:
    """Return the first of the names that is no network type, None when all are."""
    return next((name for name in types if name not in known), None)

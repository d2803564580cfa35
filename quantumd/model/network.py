"""Networks: their types and segments, and which of their changes hosts must hear of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from attrs import frozen

LOCAL = "local"
FLAT = "flat"
VLAN = "vlan"
NETWORK_TYPES = (LOCAL, FLAT, VLAN)

FIRST_VLAN = 1
LAST_VLAN = 4094


@frozen
class Segment:
    """Where a network lives. ``segmentation_id`` is the VLAN id (vlan only); None in a request means: choose one."""

    network_type: str
    physical_network: str | None = None
    segmentation_id: int | None = None


@frozen
class VlanRange:
    """VLANs ``first`` to ``last`` (both included) of a physical network, given to networks that name none."""

    physical_network: str
    first: int
    last: int


@frozen
class SegmentRules:
    """What segments there are: from the settings.

    ``physical_networks`` are those that have a bridge; ``flat_networks`` those a flat network may be made on, * is any.
    """

    tenant_network_types: tuple[str, ...]
    flat_networks: tuple[str, ...]
    vlan_ranges: tuple[VlanRange, ...]
    physical_networks: frozenset[str]


def parse_vlan_range(text: str) -> VlanRange:
    """Parse ``physical_network:first:last``. ValueError with a sentence."""
    name, _, bounds = text.partition(":")
    first, _, last = bounds.partition(":")
    if not name or not first.isdigit() or not last.isdigit():
        raise ValueError(f"{text!r} is not physical_network:first:last.")
    parsed = VlanRange(name, int(first), int(last))
    if not FIRST_VLAN <= parsed.first <= parsed.last <= LAST_VLAN:
        raise ValueError(f"{text!r} is not a range within {FIRST_VLAN} to {LAST_VLAN}.")
    return parsed


def segment_fault(segment: Segment, rules: SegmentRules) -> str | None:
    """Return why an administrator's segment cannot be, as the API says it; None when it can."""
    if segment.network_type == LOCAL:
        return _local_fault(segment)
    if segment.network_type == FLAT:
        return _flat_fault(segment, rules)
    if segment.network_type == VLAN:
        return _vlan_fault(segment, rules)
    return f"network_type value '{segment.network_type}' not supported"


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
    name, vlan = segment.physical_network, segment.segmentation_id
    if name is not None and name not in rules.physical_networks:
        return f"physical_network '{name}' unknown for VLAN provider network"
    if vlan is not None and name is None:
        return "segmentation_id requires physical_network for VLAN provider network"
    if vlan is not None and not FIRST_VLAN <= vlan <= LAST_VLAN:
        return f"segmentation_id out of range ({FIRST_VLAN} through {LAST_VLAN})"
    if vlan is None and name is not None and name not in {choice.physical_network for choice in rules.vlan_ranges}:
        return f"segmentation_id required for VLAN provider network: there is no VLAN range on '{name}'"
    return None


def ranges_for(rules: SegmentRules, physical_network: str | None) -> Iterator[VlanRange]:
    """Yield the ranges that a VLAN is chosen from; no physical network means any that has a bridge."""
    for choice in rules.vlan_ranges:
        if choice.physical_network in rules.physical_networks and physical_network in (None, choice.physical_network):
            yield choice


def flat_choices(rules: SegmentRules) -> tuple[str, ...]:
    """Return the physical networks that a tenant's flat network may take, in order of name."""
    return tuple(sorted(name for name in rules.physical_networks if {name, "*"} & set(rules.flat_networks)))


def choose_vlan(choice: VlanRange, taken: Collection[int]) -> int | None:
    """Return the lowest VLAN of the range that no network holds, or None."""
    return next((vlan for vlan in range(choice.first, choice.last + 1) if vlan not in taken), None)


HOST_CONTENT = frozenset({"admin_state_up", "mtu", "network_type", "physical_network", "segmentation_id"})
"""Attributes of the row that hosts are told; changing others changes no record."""


def is_host_content(changed: Collection[str]) -> bool:
    """Whether a change of these attributes changes what hosts must know."""
    return not HOST_CONTENT.isdisjoint(changed)


def first_unknown_type(types: Iterable[str]) -> str | None:
    """Return the first of the names that is no network type, None when all are."""
    return next((name for name in types if name not in NETWORK_TYPES), None)

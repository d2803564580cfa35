"""Segments: which flat network or VLAN a new network gets, and that no two get the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from quantumd.api.errors import InvalidInput
from quantumd.api.resources.errors import FlatNetworkInUse, NoNetworkAvailable, VlanIdInUse
from quantumd.model.network import (
    FLAT,
    LOCAL,
    VLAN,
    Segment,
    SegmentRules,
    choose_vlan,
    flat_choices,
    ranges_for,
    segment_fault,
)
from quantumd.store.tables import segments
from quantumd.store.transaction import Transaction

TYPE = "provider:network_type"
PHYSICAL = "provider:physical_network"
SEGMENTATION = "provider:segmentation_id"


def segment_for(tx: Transaction, rules: SegmentRules, body: Mapping[str, Any]) -> Segment:
    """Return the segment of a new network: the one that an administrator names, or one that is free.

    :raises InvalidInput: the named one cannot be. VlanIdInUse, FlatNetworkInUse: it is held. NoNetworkAvailable.
    """
    asked = Segment(body.get(TYPE) or "", body.get(PHYSICAL), body.get(SEGMENTATION))
    if asked == Segment(""):
        return _tenant_segment(tx, rules)
    if not asked.network_type:
        raise InvalidInput("network_type required")
    fault = segment_fault(asked, rules)
    if fault is not None:
        raise InvalidInput(fault)
    return _named_segment(tx, rules, asked)


def _tenant_segment(tx: Transaction, rules: SegmentRules) -> Segment:
    for network_type in rules.tenant_network_types:
        if network_type == LOCAL:
            return Segment(LOCAL)
        found = _free_flat(tx, rules) if network_type == FLAT else _free_vlan(tx, rules, None)
        if found is not None:
            return found
    raise NoNetworkAvailable


def _named_segment(tx: Transaction, rules: SegmentRules, asked: Segment) -> Segment:
    if asked.network_type == LOCAL:
        return asked
    name = asked.physical_network
    if asked.network_type == FLAT and name is not None:
        if 0 in _held(tx, FLAT, name):
            raise FlatNetworkInUse(name)
        return asked
    if asked.segmentation_id is None:
        found = _free_vlan(tx, rules, name)
        if found is None:
            raise NoNetworkAvailable
        return found
    if name is not None and asked.segmentation_id in _held(tx, VLAN, name):
        raise VlanIdInUse(asked.segmentation_id, name)
    return asked


def _free_flat(tx: Transaction, rules: SegmentRules) -> Segment | None:
    free = (name for name in flat_choices(rules) if 0 not in _held(tx, FLAT, name))
    name = next(free, None)
    return None if name is None else Segment(FLAT, name)


def _free_vlan(tx: Transaction, rules: SegmentRules, physical_network: str | None) -> Segment | None:
    for choice in ranges_for(rules, physical_network):
        vlan = choose_vlan(choice, _held(tx, VLAN, choice.physical_network))
        if vlan is not None:
            return Segment(VLAN, choice.physical_network, vlan)
    return None


def _held(tx: Transaction, network_type: str, physical_network: str) -> set[int]:
    statement = select(segments.c.segmentation_id).where(
        segments.c.network_type == network_type, segments.c.physical_network == physical_network
    )
    return set(tx.connection.execute(statement).scalars())


def hold_segment(tx: Transaction, network_id: str, segment: Segment) -> None:
    """Write that the network holds the segment. IntegrityError when another took it meanwhile."""
    if segment.network_type != LOCAL:
        row = {
            "network_type": segment.network_type,
            "physical_network": segment.physical_network,
            "segmentation_id": segment.segmentation_id or 0,
            "network_id": network_id,
        }
        tx.connection.execute(insert(segments), row)


def release_segment(tx: Transaction, network_id: str) -> None:
    """Give back the network's segment, if it holds one."""
    tx.connection.execute(delete(segments).where(segments.c.network_id == network_id))

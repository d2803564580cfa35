"""Trunks: what a list of sub-ports may say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

VLAN = "vlan"
INHERIT = "inherit"
"""segmentation_type of a sub-port that takes the segment of its network."""

BUILD = "BUILD"
DEGRADED = "DEGRADED"
"""Status of a trunk with a sub-port that is not ACTIVE: not yet, or not possible."""

VLAN_IDS = range(1, 4095)
SUB_PORT_OWNER = "trunk:subport"
"""device_owner of ports while they are sub-ports."""


def sub_ports_fault(given: Any) -> str | None:
    """Return why this is no list of sub-ports, None when it is one. Source: Neutron 29."""
    if not isinstance(given, list):
        return f"Invalid data format for subports: '{given}' is not a list"
    port_ids: set[str] = set()
    segments: set[tuple[Any, str]] = set()
    for each in given:
        fault = _form_fault(each) or _place_fault(each, port_ids, segments)
        if fault is not None:
            return fault
    return None


def _form_fault(given: Any) -> str | None:
    if not isinstance(given, dict):
        return f"Invalid data format for subport: '{given}' is not a dict"
    if "port_id" not in given:
        return "A valid port UUID must be specified"
    if not _is_uuid(given["port_id"]):
        return f"Invalid UUID for subport: '{given['port_id']}'"
    if given.get("segmentation_type") == INHERIT:
        return None
    is_complete = given.get("segmentation_type") and given.get("segmentation_id") is not None
    return None if is_complete or len(given) == 1 else missing_segment(given)


def missing_segment(given: Mapping[str, Any]) -> str:
    """Return what is said of a sub-port that does not say where it is."""
    return (
        f"Invalid subport details '{dict(given)}': missing segmentation information. Must specify both segmentation_id "
        "and segmentation_type"
    )


def _place_fault(given: Mapping[str, Any], port_ids: set[str], segments: set[tuple[Any, str]]) -> str | None:
    if given["port_id"] in port_ids:
        return f"Non unique UUID for subport: '{given['port_id']}'"
    port_ids.add(given["port_id"])
    if given.get("segmentation_id") is None or given.get("segmentation_type") == INHERIT:
        return None
    segment = (str(given.get("segmentation_type")), str(given["segmentation_id"]))
    if segment in segments:
        return f"Segmentation ID '{given['segmentation_id']}' for '{given['port_id']}' is not unique"
    segments.add(segment)
    return None


def _is_uuid(given: Any) -> bool:
    if not isinstance(given, str) or len(given) != 36:
        return False
    try:
        UUID(given)
    except ValueError:
        return False
    return True


def segment_fault(segmentation_type: Any, segmentation_id: int) -> str | None:
    """Return why a sub-port cannot be there, None when it can: frames carry VLAN tags only."""
    if segmentation_type != VLAN:
        return f"Unknown segmentation_type '{segmentation_type}'"
    return None if segmentation_id in VLAN_IDS else f"Segmentation ID '{segmentation_id}' is not in range"


def shown_sub_ports(rows: Sequence[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """Return sub-ports, each a port's id, its segmentation type and id, as trunks show them."""
    return [
        {"port_id": port_id, "segmentation_type": kind, "segmentation_id": number} for port_id, kind, number in rows
    ]

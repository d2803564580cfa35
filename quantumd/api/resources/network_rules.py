"""What networks may be made of and changed to: segments and MTUs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve
from sqlalchemy import select

from quantumd.api.errors import InvalidInput
from quantumd.api.extensions.vlan_transparency.errors import VlanTransparencyDriverError
from quantumd.api.resources.errors import (
    NetworkMTUSubnetConflict,
    SegmentsContainDuplicateEntry,
    SegmentsSetInConjunctionWithProviders,
)
from quantumd.api.resources.network_values import SEGMENT_NAMES
from quantumd.api.resources.network_views import segments_of
from quantumd.api.resources.segments import Segments, asked_segment
from quantumd.api.resources.views import View
from quantumd.model.network import LEAST_MTU, PASSES_TAGS, VLAN, Segment, SegmentRules, Underlay, largest_mtu
from quantumd.store.tables import subnets
from quantumd.store.transaction import Transaction

_TYPE, _PHYSICAL, _NUMBER = SEGMENT_NAMES
TRANSPARENT: Final = "vlan_transparent"
"""Whether a network passes tags of guests: an attribute of an extension, on which segments depend."""


def asked_segments(checker: Segments, body: Mapping[str, Any]) -> tuple[Segment | None, ...]:
    """Return the segments that a create request asks for, checked; one None when the server is to choose.

    :raises InvalidInput: one cannot be. SegmentsSetInConjunctionWithProviders, SegmentsContainDuplicateEntry.
    """
    has_provider = any(body.get(name) is not None for name in SEGMENT_NAMES)
    several = body.get("segments") or ()
    if has_provider and several:
        raise SegmentsSetInConjunctionWithProviders
    if not has_provider and not several:
        return (None,)
    asked = tuple(asked_segment(each) for each in several) or (asked_segment(body),)
    for each in asked:
        checker.check(each)
    whole = [each for each in asked if not each.is_partial]
    if len(set(whole)) != len(whole):
        raise SegmentsContainDuplicateEntry
    return asked


def rules_for(rules: SegmentRules, body: Mapping[str, Any]) -> SegmentRules:
    """Return the rules by which a new network gets its segments: tags of guests pass on some only.

    :raises VlanTransparencyDriverError: tenants' networks are of no such type, and the request names none.
    """
    if not body.get(TRANSPARENT):
        return rules
    types = tuple(each for each in rules.tenant_network_types if each in PASSES_TAGS)
    if not (types or body.get(_TYPE) or body.get("segments")):
        raise VlanTransparencyDriverError(", ".join(rules.tenant_network_types))
    return evolve(rules, tenant_network_types=types)


def require_tags_pass(network: Mapping[str, Any], asked: Iterable[Segment | None]) -> None:
    """Refuse segments that cannot carry tags of guests, for a network that is to. VlanTransparencyDriverError."""
    for each in asked:
        if network.get(TRANSPARENT) and each is not None and each.network_type not in PASSES_TAGS:
            raise VlanTransparencyDriverError(each.network_type)


def moved_segment(checker: Segments, before: View, named: dict[str, Any]) -> Segment | None:
    """Return the segment that a network moves to, None when it stays; only a VLAN's number can change.

    :raises InvalidInput: anything else is to change, or the number cannot be.
    """
    if "segments" in named or _TYPE in named or _PHYSICAL in named:
        raise InvalidInput(
            "Plugin does not support updating the following provider network attributes: "
            f"{', '.join(('segments',) if 'segments' in named else (_TYPE, _PHYSICAL))}"
        )
    if _NUMBER not in named:
        return None
    if "segments" in before:
        raise InvalidInput(f"Provider network attribute {_NUMBER} cannot be updated if there are several segments")
    if before[_TYPE] != VLAN:
        raise InvalidInput("Only VLAN type networks can be updated")
    wanted = Segment(VLAN, before[_PHYSICAL], named[_NUMBER])
    checker.check(wanted)
    return wanted


def network_mtu(asked: int, held: Sequence[Segment], underlay: Underlay, passes_tags: bool = False) -> int:
    """Return the MTU in bytes of a network: what is asked for, or the most that its segments carry when that is 0.

    :param passes_tags: whether packets of that size may have tags of guests.
    :raises InvalidInput: the segments do not carry that much.
    """
    largest = largest_mtu(held, underlay, passes_tags)
    if asked > largest:
        raise InvalidInput(f"Requested MTU is too big, maximum is {largest}")
    return asked or largest


def checked_mtu(tx: Transaction, network: View, asked: int, underlay: Underlay) -> int:
    """Return the MTU in bytes that a network changes to. InvalidInput, NetworkMTUSubnetConflict."""
    network_id = network["id"]
    held = segments_of(tx.connection, network_id)
    mtu = network_mtu(asked, held, underlay, bool(network.get(TRANSPARENT)))
    versions = tx.connection.execute(select(subnets.c.ip_version).where(subnets.c.network_id == network_id))
    require_mtu(network_id, mtu, versions.scalars())
    return mtu


def require_mtu(network_id: str, mtu_bytes: int, ip_versions: Any) -> None:
    """Refuse an MTU with which a subnet of one of the IP versions cannot work. NetworkMTUSubnetConflict."""
    least = max((LEAST_MTU[version] for version in ip_versions), default=0)
    if mtu_bytes < least:
        raise NetworkMTUSubnetConflict(network_id, least)

"""Ranges of VLAN ids, GRE keys and VNIs that administrators make by the API."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.segment_ranges.attributes import RANGE_ATTRIBUTES
from quantumd.api.extensions.segment_ranges.defaults import DefaultRanges
from quantumd.api.extensions.segment_ranges.errors import NetworkSegmentRangeNotFound
from quantumd.api.extensions.segment_ranges.operations import RangeOperations
from quantumd.api.resource import Resource
from quantumd.store.tables.networks import network_segment_ranges


def feature(parts: Parts) -> Feature:
    """Return what segment ranges add to the API."""
    return Feature(
        extensions=(
            Extension(
                "network-segment-range",
                "Neutron Network Segment Range",
                "Provides support for the network segment range management",
                "2018-11-29T00:00:00-00:00",
            ),
        ),
        resources=(
            Resource(
                "network_segment_range",
                "network_segment_ranges",
                RANGE_ATTRIBUTES,
                RangeOperations(parts.chance),
                NetworkSegmentRangeNotFound,
                is_taggable=True,
                extension="network-segment-range",
                before_list=DefaultRanges(parts.rules.ranges).before_list,
                table=network_segment_ranges,
            ),
        ),
    )

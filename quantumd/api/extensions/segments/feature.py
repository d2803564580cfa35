"""Segments of networks as resources, and which networks are routed between theirs."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.segments.adjacency import Adjacency
from quantumd.api.extensions.segments.attributes import SEGMENT_ATTRIBUTES
from quantumd.api.extensions.segments.errors import SegmentNotFound
from quantumd.api.extensions.segments.operations import SegmentOperations
from quantumd.api.resource import Resource
from quantumd.api.resources.segment_settings import underlay_of
from quantumd.api.resources.segments import Segments


def feature(parts: Parts) -> Feature:
    """Return what segments add to the API."""
    return Feature(
        extensions=(
            Extension("segment", "Segment", "Segments extension.", "2016-02-24T17:00:00-00:00", capability="segment"),
            Extension(
                "standard-attr-segment",
                "Standard Attribute Segment Extension",
                "Add standard attributes to Segment resource",
                "2018-04-09T10:00:00-00:00",
                capability="segment",
            ),
            Extension(
                "l2_adjacency",
                "L2 Adjacency",
                "Display L2 Adjacency for Neutron Networks.",
                "2016-04-12T16:00:00-00:00",
            ),
        ),
        resources=(
            Resource(
                "segment",
                "segments",
                SEGMENT_ATTRIBUTES,
                SegmentOperations(Segments(parts.rules, parts.chance), underlay_of(parts.settings)),
                SegmentNotFound,
                extension="segment",
            ),
        ),
        network_aspects=(Adjacency(),),
    )

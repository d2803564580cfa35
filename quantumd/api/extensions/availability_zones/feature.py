"""Availability zones."""

from __future__ import annotations

from quantumd.api.attributes import Attribute
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.availability_zones.zones import AvailabilityZoneNotFound, zones
from quantumd.api.extensions.computed import Computed
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.resource import Resource
from quantumd.api.values import filter_text, string

_TEXT = string(255)

_EXTENSIONS = (
    Extension(
        "availability_zone", "Availability Zone", "The availability zone extension.", "2015-01-01T10:00:00-00:00"
    ),
    Extension(
        "availability_zone_filter",
        "Availability Zone Filter Extension",
        "Add filter parameters to AvailabilityZone resource",
        "2018-06-22T10:00:00-00:00",
    ),
)

_ATTRIBUTES = tuple(
    Attribute(name, *_TEXT, filter_convert=filter_text, is_sort_key=False) for name in ("name", "resource", "state")
)


def feature(parts: Parts) -> Feature:
    """Return the family."""
    return Feature(
        extensions=_EXTENSIONS,
        resources=(
            Resource(
                "availability_zone",
                "availability_zones",
                _ATTRIBUTES,
                Computed(zones, AvailabilityZoneNotFound),
                AvailabilityZoneNotFound,
                verbs=frozenset({"list"}),
                extension="availability_zone",
            ),
        ),
    )

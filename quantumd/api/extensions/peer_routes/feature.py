"""Host routes between the segments of a routed network; the resource ``subnets`` keeps them. See routes."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts

_SEGMENT = "segment"


def feature(parts: Parts) -> Feature:
    """Return the family: subnets without segments have no peers, so it is there when segments are."""
    return Feature(
        extensions=(
            Extension(
                "segments-peer-subnet-host-routes",
                "Segments peer-subnet host routes",
                "Add host routes to subnets on a routed network (segments)",
                "2018-06-12T10:00:00-00:00",
                capability=_SEGMENT,
            ),
        )
    )

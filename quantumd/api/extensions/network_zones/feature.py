"""Availability zones of networks."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.network_zones.aspect import NetworkZones


def feature(parts: Parts) -> Feature:
    """Return what availability zones add to networks."""
    return Feature(
        extensions=(
            Extension(
                "network_availability_zone",
                "Network Availability Zone",
                "Availability zone support for network.",
                "2015-01-01T10:00:00-00:00",
            ),
        ),
        network_aspects=(NetworkZones(parts.agents.availability_zone, parts.scheduler),),
    )

"""How many addresses networks have left."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.ip_availability.attributes import AVAILABILITY_ATTRIBUTES
from quantumd.api.extensions.ip_availability.operations import IpAvailabilities
from quantumd.api.resource import Resource
from quantumd.api.resources.errors import NetworkNotFound


def feature(parts: Parts) -> Feature:
    """Return what the availability of addresses adds to the API."""
    return Feature(
        extensions=(
            Extension(
                "network-ip-availability",
                "Network IP Availability",
                "Provides IP availability data for each network and subnet.",
                "2015-09-24T00:00:00-00:00",
            ),
            Extension(
                "network-ip-availability-details",
                "Network IP Availability Details Extension",
                "Add ip_availability_details attribute to network-ip-availabilities resource.",
                "2025-10-31T00:00:00-00:00",
            ),
        ),
        resources=(
            Resource(
                "network_ip_availability",
                "network_ip_availabilities",
                AVAILABILITY_ATTRIBUTES,
                IpAvailabilities(),
                NetworkNotFound,
                path="network-ip-availabilities",
                verbs=frozenset({"list", "show"}),
                extension="network-ip-availability",
            ),
        ),
    )

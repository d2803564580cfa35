"""Tap as a Service, as the API serves it."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.taps.aspect import TappedPorts
from quantumd.api.extensions.taps.attributes import FLOW_ATTRIBUTES, SERVICE_ATTRIBUTES
from quantumd.api.extensions.taps.errors import TapFlowNotFound, TapServiceNotFound
from quantumd.api.extensions.taps.operations import TapFlows, TapServices
from quantumd.api.resource import Resource

_ALIAS = "taas"


def feature(parts: Parts) -> Feature:
    """Return the family of taps."""
    return Feature(
        extensions=(
            Extension(
                _ALIAS,
                "Neutron Tap as a Service",
                "Neutron Tap as a Service Extension.",
                "2015-01-14T10:00:00-00:00",
                capability=_ALIAS,
            ),
        ),
        resources=(
            Resource(
                "tap_service",
                "tap_services",
                SERVICE_ATTRIBUTES,
                TapServices(parts.chance),
                TapServiceNotFound,
                path="taas/tap_services",
                extension=_ALIAS,
            ),
            Resource(
                "tap_flow",
                "tap_flows",
                FLOW_ATTRIBUTES,
                TapFlows(parts.chance),
                TapFlowNotFound,
                path="taas/tap_flows",
                extension=_ALIAS,
            ),
        ),
        port_aspects=(TappedPorts(parts.obeys(_ALIAS)),),
    )

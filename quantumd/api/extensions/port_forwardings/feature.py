"""Port forwardings, as the API serves them."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.port_forwardings.aspect import ForwardedPorts
from quantumd.api.extensions.port_forwardings.attributes import ALIAS, ATTRIBUTES, DESCRIPTIONS, EXPOSED, RANGES
from quantumd.api.extensions.port_forwardings.errors import PortForwardingNotFound
from quantumd.api.extensions.port_forwardings.operations import ForwardingsOfFloatingIps
from quantumd.api.resource import Resource
from quantumd.api.resources.ownership import owner_in
from quantumd.store.tables.routers import floating_ips

_DETAIL = "floating-ip-port-forwarding-detail"


def feature(parts: Parts) -> Feature:
    """Return the family of port forwardings."""
    return Feature(
        extensions=_extensions(),
        resources=(
            Resource(
                "port_forwarding",
                "port_forwardings",
                ATTRIBUTES,
                ForwardingsOfFloatingIps(parts.chance, parts.settings.max_forwarding_entries),
                PortForwardingNotFound,
                path="floatingips/<parent_id>/port_forwardings",
                ruled_as="floatingip_port_forwarding",
                owner_above=owner_in(floating_ips),
                extension=ALIAS,
            ),
        ),
        port_aspects=(ForwardedPorts(parts.obeys(ALIAS)),),
    )


def _extensions() -> tuple[Extension, ...]:
    return (
        Extension(
            ALIAS,
            "Floating IP Port Forwarding",
            "Allow port forwarding from floating IP port to an internal port",
            "2018-01-19T10:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            DESCRIPTIONS,
            "Floating IP Port Forwarding new attribute description",
            "Add a description field to Port Forwarding rules",
            "2019-11-01T10:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            _DETAIL,
            "Floating IP port forwarding detail",
            "Allow list floating ip return more port forwarding data, include'id' and 'internal_port_id'",
            "2022-05-06T10:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            RANGES,
            "Floating IP Port Forwarding support port ranges",
            "Add support to port ranges",
            "2020-07-01T10:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            EXPOSED,
            "Expose Floating IP port forwardings",
            "Expose port forwarding fields in floating IP response",
            "2018-06-28T16:00:00-00:00",
            capability=ALIAS,
        ),
    )

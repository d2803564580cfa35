"""Floating IPs, as the API serves them: of the extension ``router``."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.floating_ips.aspect import FloatedPorts
from quantumd.api.extensions.floating_ips.attributes import ATTRIBUTES, PORT_DETAILS
from quantumd.api.extensions.floating_ips.errors import FloatingIPNotFound
from quantumd.api.extensions.floating_ips.operations import FloatingIps
from quantumd.api.extensions.routers.attributes import ALIAS
from quantumd.api.resource import Resource
from quantumd.api.resources.port_creation import PortMaker
from quantumd.store.tables.routers import floating_ips


def feature(parts: Parts) -> Feature:
    """Return the family of floating IPs."""
    return Feature(
        extensions=(
            Extension(
                PORT_DETAILS,
                "Floating IP Port Details Extension",
                "Add port_details attribute to Floating IP resource",
                "2018-04-09T10:00:00-00:00",
                capability=ALIAS,
            ),
        ),
        resources=(
            Resource(
                "floatingip",
                "floatingips",
                ATTRIBUTES,
                FloatingIps(PortMaker(parts.settings, parts.chance, ())),
                FloatingIPNotFound,
                is_taggable=True,
                quota="floatingip",
                extension=ALIAS,
                table=floating_ips,
            ),
        ),
        port_aspects=(FloatedPorts(parts.obeys(ALIAS)),),
        quotas={"floatingip": parts.quota.floatingip},
    )

"""NDP proxies, as the API serves them."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.ndp_proxies.aspect import ProxiedPorts
from quantumd.api.extensions.ndp_proxies.attributes import ALIAS, ATTRIBUTES, OF_ROUTERS
from quantumd.api.extensions.ndp_proxies.errors import NDPProxyNotFound
from quantumd.api.extensions.ndp_proxies.operations import NdpProxies
from quantumd.api.resource import Resource
from quantumd.store.tables.routers import ndp_proxies


def feature(parts: Parts) -> Feature:
    """Return the family of NDP proxies."""
    return Feature(
        extensions=(
            Extension(
                ALIAS,
                "L3 NDP Proxy",
                "Router support for L3 NDP proxy.",
                "2021-06-29T10:00:00-00:00",
                capability=ALIAS,
            ),
            Extension(
                OF_ROUTERS,
                "Router support to enable NDP proxy",
                "Router extension to enable ndp proxy",
                "2020-08-25T00:00:00-00:00",
                capability=ALIAS,
            ),
        ),
        resources=(
            Resource(
                "ndp_proxy",
                "ndp_proxies",
                ATTRIBUTES,
                NdpProxies(parts.chance),
                NDPProxyNotFound,
                extension=ALIAS,
                table=ndp_proxies,
            ),
        ),
        port_aspects=(ProxiedPorts(parts.obeys(ALIAS)),),
    )

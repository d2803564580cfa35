"""External networks."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.external_net.aspect import ExternalNetworks
from quantumd.api.extensions.feature import Feature, Parts


def feature(parts: Parts) -> Feature:
    """Return what external networks add to the API."""
    return Feature(
        extensions=(
            Extension(
                "external-net",
                "Neutron external network",
                "Adds external network attribute to network resource.",
                "2013-01-14T10:00:00-00:00",
            ),
        ),
        network_aspects=(ExternalNetworks(),),
    )

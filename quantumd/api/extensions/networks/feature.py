"""Extensions whose attributes are networks' own: the MTU that callers choose, and several segments in one network."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts


def feature(parts: Parts) -> Feature:
    """Return the extensions of networks."""
    return Feature(
        extensions=(
            Extension(
                "net-mtu-writable",
                "Network MTU (writable)",
                "Provides a writable MTU attribute for a network resource.",
                "2017-07-12T00:00:00-00:00",
                capability="net-mtu",
            ),
            Extension(
                "multi-provider",
                "Multi Provider Network",
                "Expose mapping of virtual networks to multiple physical networks",
                "2013-06-27T10:00:00-00:00",
                capability="multi-provider",
            ),
        ),
    )

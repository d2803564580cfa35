"""``DELETE /v2.0/networks/<id>?cascade=true``: a network goes with every port that is on it. See cascade."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts


def feature(parts: Parts) -> Feature:
    """Return the family; the resource ``networks`` has the request."""
    return Feature(
        extensions=(
            Extension(
                "network-cascade-delete",
                "Network Cascade Deletion Extension",
                "Allows for cascade deletion of networks and all associated ports.",
                "",
            ),
        )
    )

"""Automatic topologies; not announced until routers make them whole."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.auto_topology.topologies import Topologies
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.resource import Action

_ALIAS = "auto-allocated-topology"


def feature(parts: Parts) -> Feature:
    """Return the family."""
    topologies = Topologies()
    one = f"{_ALIAS}/<project_id>"
    return Feature(
        extensions=(
            Extension(
                _ALIAS,
                "Auto Allocated Topology Services",
                "Auto Allocated Topology Services.",
                "2016-01-01T00:00:00-00:00",
                capability=_ALIAS,
            ),
        ),
        actions=(
            Action("GET", _ALIAS, topologies.shown, extension=_ALIAS),
            Action("GET", one, topologies.shown, extension=_ALIAS),
            Action("DELETE", one, topologies.removed, extension=_ALIAS),
        ),
    )

"""Automatic topologies; not announced until routers make them whole."""

from __future__ import annotations

from typing import Any

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.auto_topology.topologies import Topologies
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.resource import Action

_ALIAS = "auto-allocated-topology"


def feature(parts: Parts) -> Feature:
    """Return the family."""
    topologies = Topologies()
    one = f"{_ALIAS}/<project_id>"
    rest: dict[str, Any] = {"asks_itself": True, "extension": _ALIAS}
    shown: dict[str, Any] = {"rule": "get_auto_allocated_topology"}
    removed: dict[str, Any] = {"rule": "delete_auto_allocated_topology"}
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
            Action("GET", _ALIAS, topologies.shown, **shown, **rest),
            Action("GET", one, topologies.shown, **shown, **rest),
            Action("DELETE", one, topologies.removed, **removed, **rest),
        ),
    )

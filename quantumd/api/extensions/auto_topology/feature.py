"""Automatic topologies, which are made of what other families bring."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.auto_topology.making import maker_of
from quantumd.api.extensions.auto_topology.topologies import Topologies
from quantumd.api.extensions.feature import Feature
from quantumd.api.resource import Action, Resource

_ALIAS: Final = "auto-allocated-topology"

TOPOLOGY_EXTENSIONS: Final = (
    Extension(
        _ALIAS,
        "Auto Allocated Topology Services",
        "Auto Allocated Topology Services.",
        "2016-01-01T00:00:00-00:00",
        capability="router",
    ),
)


def topologies_feature(resources: Iterable[Resource], actions: Iterable[Action]) -> Feature:
    """Return the family.

    :param resources, actions: of all families, routers among them.
    """
    topologies = Topologies(maker_of(resources, actions))
    one = f"{_ALIAS}/<project_id>"
    rest: dict[str, Any] = {"asks_itself": True, "extension": _ALIAS}
    shown: dict[str, Any] = {"rule": "get_auto_allocated_topology"}
    removed: dict[str, Any] = {"rule": "delete_auto_allocated_topology"}
    return Feature(
        actions=(
            Action("GET", _ALIAS, topologies.shown, **shown, **rest),
            Action("GET", one, topologies.shown, **shown, **rest),
            Action("DELETE", one, topologies.removed, **removed, **rest),
        ),
    )

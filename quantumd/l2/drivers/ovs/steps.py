"""Typed, repeatable changes of Open vSwitch, as data."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from quantumd.converge.plan import Key
from quantumd.edge.openflow.interfaces import SwitchChange
from quantumd.edge.ovsdb.interfaces import Operation


@frozen
class ConfigureBridges:
    """Make bridges and patch ports as they must be."""

    keys: frozenset[Key]
    operations: tuple[Operation, ...]


@frozen
class RememberNumbers:
    """Write to, and remove from, what the integration bridge remembers of network numbers."""

    keys: frozenset[Key]
    put: Mapping[str, str]
    remove: frozenset[str] = frozenset()


@frozen
class ChangeFlows:
    """Change flows, groups and meters of the integration bridge."""

    keys: frozenset[Key]
    change: SwitchChange

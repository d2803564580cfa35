"""Typed, repeatable changes of this host, as data."""

from __future__ import annotations

from attrs import frozen

from quantumd.converge.plan import Key
from quantumd.edge.netlink.interfaces import Operation
from quantumd.edge.nft.interfaces import Change
from quantumd.l2.drivers.linuxbridge.plan import EntryChange


@frozen
class ChangeDevices:
    """Make, change and remove devices."""

    keys: frozenset[Key]
    operations: tuple[Operation, ...]


@frozen
class ChangeRules:
    """Change filters."""

    keys: frozenset[Key]
    change: Change


@frozen
class ChangeEntries:
    """Change what bridges know."""

    keys: frozenset[Key]
    change: EntryChange


@frozen
class ReleaseZones:
    """Forget the connections of networks that are carried no more."""

    keys: frozenset[Key]
    networks: frozenset[str]

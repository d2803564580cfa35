"""What the role can do for a router, as values.

Each may be repeated; a change of filters that was made already is refused, and what is left is planned anew.
"""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from quantumd.converge.plan import Key
from quantumd.edge.netns.interfaces import Operation, OuterPorts
from quantumd.edge.nft.interfaces import Change


@frozen
class AddNamespace:
    """Make the router's namespace, or give it its name again."""


@frozen
class RemoveNamespace:
    """Remove the router's namespace with all that is in it."""


@frozen
class Unplug:
    """Let a device be that of no port."""

    device: str


@frozen
class Plug:
    """Let a device be that of a port."""

    port_id: str
    device: str
    mac: str


@frozen
class ChangeInside:
    """Change devices, addresses and routes."""

    operations: tuple[Operation, ...]


@frozen
class ChangeFilters:
    """Change the filters, all at once."""

    change: Change


@frozen
class EndTranslated:
    """End the connections that go by these addresses, or to these ports, which lead nowhere any more, or elsewhere."""

    addresses: frozenset[str]
    ports: frozenset[OuterPorts] = frozenset()


Deed: TypeAlias = AddNamespace | RemoveNamespace | Unplug | Plug | ChangeInside | ChangeFilters | EndTranslated


@frozen
class ChangeRouter:
    """Do these for a router, in this order, and nothing that comes behind one that failed."""

    keys: frozenset[Key]
    router_id: str
    deeds: tuple[Deed, ...]

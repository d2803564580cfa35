"""The edges that this driver acts through."""

from __future__ import annotations

from attrs import frozen

from quantumd.edge.netlink.interfaces import ILinks
from quantumd.edge.nft.interfaces import INft
from quantumd.edge.tracked.interfaces import IConnections


@frozen
class BridgeEdges:
    """The edges of a host with Linux bridges."""

    links: ILinks
    nft: INft
    connections: IConnections

"""Marks of connections: by which gateway each goes, so that it goes on by it whatever else changes. Pure.

A connection is marked with the number of the first gateway that a packet of it comes or leaves by. Packets from inside,
and those of the router itself that leave by any gateway, get the mark of their connection, by which rules find the
table of its gateway. So it is also where one gateway is alone, without rules: there may be more later, or were before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from quantumd.edge.nft.interfaces import Chain
from quantumd.l3.features.addressing import device_of
from quantumd.l3.names import GATEWAY, INSIDE
from quantumd.model.router_records import RouterGateway

COMING: Final = "marking_coming"
OWN_PACKETS: Final = "marking_own"
LEAVING: Final = "marking_leaving"

_OF_CONNECTION: Final = "ct mark != 0 meta mark set ct mark"


def chains_of(gateways: Sequence[RouterGateway]) -> Iterator[tuple[str, Chain]]:
    """Yield the chains that mark, by name."""
    coming = (f'iifname "{INSIDE}*" {_OF_CONNECTION}', *_marking("iifname", gateways))
    yield COMING, Chain(coming, "type filter hook prerouting priority -150;")
    yield LEAVING, Chain(tuple(_marking("oifname", gateways)), "type filter hook postrouting priority -150;")
    yield OWN_PACKETS, Chain((f'oifname "{GATEWAY}*" {_OF_CONNECTION}',), "type route hook output priority -150;")


def _marking(side: str, gateways: Sequence[RouterGateway]) -> Iterator[str]:
    for each in gateways:
        yield f'{side} "{device_of(each)}" ct mark 0 ct mark set {each.number}'

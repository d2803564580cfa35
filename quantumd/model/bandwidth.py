"""How much bandwidth a host can guarantee to its ports, and whether that is enough. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from attrs import frozen

from quantumd.model.qos import EGRESS, INGRESS

MOST_NETWORKS = 256
"""Of how many physical networks a host may say it."""

Amounts: TypeAlias = Mapping[str, int]
"""kbit/s by direction; a direction that is not named is 0."""


@frozen
class Bandwidth:
    """What a host can guarantee on a physical network, in kbit/s: of what its ports send, and of what they get."""

    physical_network: str
    egress_kbps: int
    ingress_kbps: int

    @property
    def amounts(self) -> Amounts:
        """The same by direction."""
        return {EGRESS: self.egress_kbps, INGRESS: self.ingress_kbps}


@frozen
class Shortage:
    """What a host cannot guarantee: it has ``capacity_kbps``, and would need ``needed_kbps``."""

    direction: str
    needed_kbps: int
    capacity_kbps: int


def parse_bandwidth(text: str) -> Bandwidth:
    """Return what a setting ``physical_network:egress:ingress`` says. ValueError."""
    name, *amounts = text.rsplit(":", 2)
    egress, ingress = (int(each) for each in amounts)
    if not name or min(egress, ingress) < 0:
        raise ValueError(text)
    return Bandwidth(name, egress, ingress)


def shortage(capacity: Amounts, taken: Amounts, more: Amounts) -> Shortage | None:
    """Return why a host has no room for more than what is taken; None when it has.

    Only the directions of ``more`` are looked at: what is too much in another one already keeps nobody out.
    """
    for direction, kbps in sorted(more.items()):
        needed, has = taken.get(direction, 0) + kbps, capacity.get(direction, 0)
        if needed > has:
            return Shortage(direction, needed, has)
    return None


def beyond(wanted: Amounts, had: Amounts) -> Amounts:
    """Return what is wanted in those directions in which it is more than there was."""
    return {direction: kbps for direction, kbps in wanted.items() if kbps > had.get(direction, 0)}


def on_network(bandwidths: Iterable[Bandwidth], physical_network: str | None) -> Amounts:
    """Return what a host can guarantee on a physical network: nothing where it does not say."""
    return next((each.amounts for each in bandwidths if each.physical_network == physical_network), {})

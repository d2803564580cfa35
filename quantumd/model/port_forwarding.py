"""Port forwardings: ports of a floating IP that lead to ports of an address inside. Source: Neutron 29."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

ICMP: Final = "icmp"
"""It has no ports: a forwarding of it is of all echo requests, whatever ports it names."""

PROTOCOLS: Final[Mapping[str, int]] = {"tcp": 6, "udp": 17, "sctp": 132, ICMP: 1}
"""Numbers of the protocols that can be forwarded. The kernel translates no others' ports."""


@frozen
class PortSpan:
    """Ports from the first to the last, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many they are."""
        return self.last - self.first + 1

    @property
    def text(self) -> str:
        """As the API has them: ``80:90``."""
        return f"{self.first}:{self.last}"

    @property
    def single(self) -> int | None:
        """The port when it is one, else None."""
        return self.first if self.first == self.last else None

    def overlaps(self, other: PortSpan) -> bool:
        """Whether both have a port."""
        return self.first <= other.last and other.first <= self.last


EVERY_PORT: Final = PortSpan(1, 65_535)
"""All that there are."""


def parse_span(text: str) -> PortSpan:
    """Return the ports that a text ``80:90``, or ``80``, names. ValueError when it names none."""
    first, colon, last = text.partition(":")
    ends = (first, last if colon else first)
    if not all(each.isascii() and each.isdigit() and len(each) <= len("65535") for each in ends):
        raise ValueError(text)
    span = PortSpan(int(ends[0]), int(ends[1]))
    if not 1 <= span.first <= span.last <= 65_535:
        raise ValueError(text)
    return span


def span_fault(outer: PortSpan, inner: PortSpan) -> str | None:
    """Return why ports outside cannot lead to these inside, None when they can: to one port, or each to its own."""
    if inner.size not in (1, outer.size):
        return (
            "Invalid ranges of internal and/or external ports. The relation between internal and external ports must "
            "be N-N or 1-N"
        )
    return None


def entries_of(outer: PortSpan, inner: PortSpan) -> int:
    """Return how many entries hosts make of it: one, or, where ports lead to as many others, one of each."""
    return outer.size if inner.size > 1 and inner != outer else 1

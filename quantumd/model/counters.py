"""What a port has sent and received, and the messages that ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from attrs import frozen


@frozen
class PortCounters:
    """Sums since the port was plugged, from the view of whoever is behind it: incoming is what it received."""

    incoming_bytes: int
    incoming_packets: int
    incoming_dropped: int
    outgoing_bytes: int
    outgoing_packets: int
    outgoing_dropped: int


def counters_of(statistics: Mapping[str, int]) -> PortCounters:
    """Return the counters of a switch's interface, which counts from its own view: what it receives, the port sent.

    Source: ovs-vswitchd.conf.db(5), table Interface, column statistics. What is not counted there is 0.
    """
    names = [f"{way}_{what}" for way in ("tx", "rx") for what in ("bytes", "packets", "dropped")]
    return PortCounters(*(statistics.get(name, 0) for name in names))


MOST_COUNTED = 1000
"""Of how many ports, or of how many meters, one reply tells."""


@frozen
class CountersRequest:
    """The server's question: what have your ports sent and received, those whose ids come after ``after``?"""

    message_kind: ClassVar[str] = "counters"
    host: str
    after: str = ""


@frozen
class PortCount:
    """The counters of one port."""

    port_id: str
    counters: PortCounters

    @property
    def key(self) -> str:
        """By what they are in order."""
        return self.port_id


@frozen
class CountersReply:
    """At most MOST_COUNTED plugged ports of a host in the order of their ids; ``is_more``: others come after them."""

    message_kind: ClassVar[str] = "counters_reply"
    ports: tuple[PortCount, ...]
    is_more: bool = False

    @property
    def counts(self) -> tuple[PortCount, ...]:
        """As of all that is counted."""
        return self.ports

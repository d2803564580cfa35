"""What routers have counted for metering labels, and the messages that ask for it."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen


@frozen
class MeterCount:
    """Sums of one label at one router since the router is where it is."""

    router_id: str
    label_id: str
    packets: int
    octets: int

    @property
    def key(self) -> tuple[str, str]:
        """By what they are in order."""
        return self.router_id, self.label_id


@frozen
class MetersRequest:
    """The server's question: what have your routers counted, of those whose keys come after ``after``?"""

    message_kind: ClassVar[str] = "meters"
    host: str
    after: tuple[str, str] = ("", "")


@frozen
class MetersReply:
    """At most MOST_COUNTED of a host in the order of their keys; ``is_more``: others come after them."""

    message_kind: ClassVar[str] = "meters_reply"
    counts: tuple[MeterCount, ...]
    is_more: bool = False

"""Records of what is to be logged of the packets of a port."""

from __future__ import annotations

from typing import ClassVar, Final

from attrs import frozen

ACCEPT: Final = "ACCEPT"
DROP: Final = "DROP"
EVERY_EVENT: Final = "ALL"


@frozen
class PacketLog:
    """A log that concerns a port. ``event``: ACCEPT, DROP or ALL."""

    id: str
    project_id: str
    event: str

    @property
    def events(self) -> frozenset[str]:
        """What it asks for: ACCEPT, DROP or both."""
        return frozenset((ACCEPT, DROP)) if self.event == EVERY_EVENT else frozenset((self.event,))


@frozen
class PortLogsRecord:
    """The logs, at least one, that concern a port which is bound to the host; ``id`` is the port's.

    ``version`` is the position at which it was read, which no digest covers: see docs/decisions/record-versions.md.
    """

    kind: ClassVar[str] = "l2.port_logs"
    id: str
    version: int
    logs: tuple[PacketLog, ...]

    @property
    def events(self) -> frozenset[str]:
        """What any of them asks for."""
        return frozenset().union(*(log.events for log in self.logs))

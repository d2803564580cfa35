"""What must be known of the guarded ports of a host to tell which connections nothing lets pass any more."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from quantumd.converge.records import Records
    from quantumd.l2.drivers.ovs.policies import Policies
    from quantumd.l2.drivers.ovs.remote import Elsewhere
    from quantumd.model.records import PortRecord


class Zoned(Protocol):
    """Under which numbers connections of networks are tracked."""

    def given(self, network_id: str) -> int | None:
        """Return the number of a network, None when it was given none."""


class GuardedPorts(Protocol):
    """A driver's view of its host, as far as connections go."""

    @property
    def records(self) -> Records:
        """What this host knows."""

    @property
    def policies(self) -> Policies:
        """What guards its ports."""

    @property
    def elsewhere(self) -> Elsewhere:
        """What other hosts have of its networks."""

    @property
    def numbers(self) -> Zoned:
        """Under which numbers connections are tracked."""

    def network_of(self, port_id: str) -> str | None:
        """Return the network of a port that this host has a record of."""

    def networks(self) -> AbstractSet[str]:
        """Return the networks that have ports or records here."""

    def records_on(self, network_id: str) -> tuple[PortRecord, ...]:
        """Return the records of the ports of a network."""

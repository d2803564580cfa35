"""What was allowed and is no more: from records that change to connections that end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from quantumd.converge.plan import Key
from quantumd.edge.tracked.interfaces import IConnections
from quantumd.l2.drivers.linuxbridge.view import HostView
from quantumd.l2.drivers.ovs.audit import Audit
from quantumd.l2.drivers.ovs.suspicion import Suspected, Suspicions
from quantumd.model.records import RecordKey


@define(eq=False)
class Revocation:
    """Follows the passes of the loop: connections are looked at when packets obey what changed.

    After each look at the whole host all connections are, as what went on before it is not known.
    """

    _connections: IConnections
    _view: HostView
    _clock: IReactorTime
    _suspicions: Suspicions = field(init=False)
    _audit: Audit = field(init=False)
    _must_audit: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        """Suspect nothing yet."""
        self._suspicions = Suspicions(self._view)
        self._audit = Audit(self._connections, self._view, self._clock)

    def faults(self) -> dict[Key, str]:
        """Return why connections could not be looked at the last time; nothing when they could."""
        return {("connections", ""): self._audit.trouble} if self._audit.trouble else {}

    def observed(self) -> None:
        """Note that the whole host is looked at."""
        self._suspicions.clear()
        self._must_audit = True

    def look(self, changed: Iterable[RecordKey]) -> Suspected:
        """Return what records that changed give cause to suspect, before the view is told of them."""
        return self._suspicions.look(changed)

    def wait(self, suspected: Suspected, keys: Iterable[Key]) -> None:
        """Look at what is suspected when packets obey these keys."""
        self._suspicions.add(suspected, keys)

    def planned(self, keys: Iterable[Key]) -> None:
        """Note that keys were planned."""
        self._suspicions.planned(keys)

    async def clear(self, zones: frozenset[int]) -> None:
        """Forget the connections of networks whose numbers may be given to others then. EdgeError."""
        if zones:
            await self._connections.clear(zones)

    def concluded(self, keys: Iterable[Key], faults: Mapping[Key, str], is_last: bool) -> None:
        """Note that keys were concluded; ``is_last`` says that a full pass ends with them."""
        self._audit.take(self._suspicions.concluded(keys, faults))
        if self._must_audit and is_last:
            self._must_audit = False
            self._audit.take_all()

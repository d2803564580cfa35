"""Telling now and then what ports have sent and received: ``port.counters``, one for each plugged port.

Today's Neutron has no such notification for ports (its ``l3.meter`` is of routers). The sums only grow while a port is
plugged, so a reader makes rates of them, as Ceilometer does of what it calls cumulative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import attrs
from attrs import define
from sqlalchemy import BindParameter, Connection, bindparam, select

from quantumd.api.notifications.counting import Counting, counted_by_hosts
from quantumd.api.notifications.messages import Asker, Notification
from quantumd.api.notifications.outbox import Outbox
from quantumd.interfaces import IStore
from quantumd.model.counters import PortCount, PortCounters
from quantumd.store.nouns import CHUNK
from quantumd.store.tables import ports
from quantumd.store.times import utc_text

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_OWNERS = select(ports.c.id, ports.c.project_id, ports.c.network_id).where(
    ports.c.id.in_(_IDS), ports.c.host_id == bindparam("host")
)


@define(eq=False)
class CounterTeller:
    """Tells those of every host. What fails is not repeated: the next time has its sums."""

    _store: IStore
    _outbox: Outbox
    _counting: Counting[PortCount]
    _may_tell: Callable[[], bool] = lambda: True
    """Whether it is this process that tells: one does, of those that hear the same hosts."""
    _now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _new_id: Callable[[], UUID] = uuid4

    async def tell(self) -> None:
        """Tell those of every plugged port once. EdgeError."""
        if not self._may_tell():
            return
        async for host, counts in counted_by_hosts(self._counting):
            await self._tell_of(host, counts)

    async def _tell_of(self, host: str, counts: Sequence[PortCount]) -> None:
        at, asker = utc_text(self._now()), Asker(f"req-{self._new_id()}")
        counted = {each.port_id: each.counters for each in counts}

        # An interface of a port that nobody knows tells nothing, and a host only of its own.
        found = await self._store.read(lambda connection: _owners(connection, host, sorted(counted)))
        made = [self._made(host, each, found[each], counted[each], at, asker) for each in sorted(found)]
        await self._outbox.send(made)

    def _made(
        self, host: str, port_id: str, owner: tuple[str, str], counters: PortCounters, at: str, asker: Asker
    ) -> Notification:
        project_id, network_id = owner
        payload = {
            "port_id": port_id,
            "project_id": project_id,
            "tenant_id": project_id,
            "network_id": network_id,
            "host": host,
            "time": at,
            **attrs.asdict(counters),
        }
        return Notification("port.counters", payload, self._new_id(), at, asker, f"counters {port_id}")


def _owners(connection: Connection, host: str, port_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return project and network of those of the ports that are bound to the host."""
    chunks = (port_ids[start : start + CHUNK] for start in range(0, len(port_ids), CHUNK))
    rows = (row for ids in chunks for row in connection.execute(_OWNERS, {"ids": ids, "host": host}))
    return {row.id: (row.project_id, row.network_id) for row in rows}

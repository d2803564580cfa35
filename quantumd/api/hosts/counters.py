"""What ports of hosts have sent and received, and what routers counted, asked of the hosts over the bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from attrs import define
from sqlalchemy import Connection, select
from twisted.internet.defer import Deferred, ensureDeferred, succeed

from quantumd.converge.client import address_of
from quantumd.errors import EdgeError
from quantumd.interfaces import IBus, IStore
from quantumd.model.counters import CountersReply, CountersRequest, PortCounters
from quantumd.model.host_life import HostLife
from quantumd.model.status import L2
from quantumd.store.tables import hosts
from quantumd.store.times import utc_text

CALL_SECONDS: Final = 10.0
"""How long a host may take to answer."""

MOST_PAGES: Final = 100
"""How many answers of one host are taken in a round."""


class WrongCounters(EdgeError):
    """A host answered something else than the counters that it was asked for."""


@define(eq=False)
class HostCounters:
    """Asks the hosts that are alive, or ``only`` that one where there is one: the others tell theirs themselves."""

    _bus: IBus
    _store: IStore
    _life: HostLife
    _only: str = ""
    _now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _role: str = L2

    def hosts(self) -> Deferred[Sequence[str]]:
        """Return the hosts to ask, in order."""
        if self._only:
            return succeed((self._only,))
        oldest, here = utc_text(self._life.oldest(self._now())), self._life.here
        return self._store.read(lambda connection: _alive(connection, self._role, oldest, here))

    def read(self, host: str) -> Deferred[Mapping[str, PortCounters]]:
        """Return the counters of a host's ports by id. EdgeError."""
        return ensureDeferred(self._read(host))

    async def _read(self, host: str) -> Mapping[str, PortCounters]:
        found: dict[str, PortCounters] = {}
        after = ""
        for _ in range(MOST_PAGES):
            request = CountersRequest(host, after)
            reply = await self._bus.call(address_of(host, self._role), request, CALL_SECONDS)
            if not isinstance(reply, CountersReply):
                raise WrongCounters(f"{host} answers a question for counters with {reply.message_kind}")
            found.update((each.port_id, each.counters) for each in reply.ports)
            last = reply.ports[-1].port_id if reply.ports else after
            if not reply.is_more or last <= after:
                break
            after = last
        return found


def _alive(connection: Connection, role: str, oldest: str, here: str) -> Sequence[str]:
    statement = (
        select(hosts.c.host)
        .where(hosts.c.role == role, (hosts.c.reported_at >= oldest) | (hosts.c.host == here))
        .order_by(hosts.c.host)
    )
    return connection.execute(statement).scalars().all()

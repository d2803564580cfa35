"""What ports of hosts have sent and received, and what routers counted, asked of the hosts over the bus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from attrs import define, evolve, frozen
from sqlalchemy import Connection, select
from twisted.internet.defer import Deferred, ensureDeferred, succeed

from quantumd.converge.client import address_of
from quantumd.errors import EdgeError
from quantumd.interfaces import IBus, IStore
from quantumd.model.counters import CountersReply, CountersRequest, PortCount
from quantumd.model.host_life import HostLife
from quantumd.model.meter_counts import MeterCount, MetersReply, MetersRequest
from quantumd.model.status import L2, L3
from quantumd.store.tables import hosts
from quantumd.store.times import utc_text

CALL_SECONDS: Final = 10.0
"""How long a host may take to answer."""

MOST_PAGES: Final = 100
"""How many answers of one host are taken in a round."""


class WrongCounters(EdgeError):
    """A host answered something else than the counters that it was asked for."""


Counted = TypeVar("Counted")


@frozen
class Question(Generic[Counted]):
    """What a role of a host is asked, again and again with the key of what was told last, and how it must answer."""

    role: str
    request: type[Any]
    reply: type[Any]


PORTS: Final = Question[PortCount](L2, CountersRequest, CountersReply)
METERS: Final = Question[MeterCount](L3, MetersRequest, MetersReply)


@define(eq=False)
class HostCounters(Generic[Counted]):
    """Asks the hosts that are alive, or ``only`` that one where there is one: the others tell theirs themselves."""

    _bus: IBus
    _store: IStore
    _life: HostLife
    _question: Question[Counted]
    _only: str = ""
    _now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def hosts(self) -> Deferred[Sequence[str]]:
        """Return the hosts to ask, in order."""
        if self._only:
            return succeed((self._only,))
        oldest, here = utc_text(self._life.oldest(self._now())), self._life.here
        return self._store.read(lambda connection: _alive(connection, self._question.role, oldest, here))

    def read(self, host: str) -> Deferred[Sequence[Counted]]:
        """Return what a host has counted, in order. EdgeError."""
        return ensureDeferred(self._read(host))

    async def _read(self, host: str) -> Sequence[Counted]:
        address, found = address_of(host, self._question.role), list[Counted]()
        request = self._question.request(host)
        for _ in range(MOST_PAGES):
            reply = await self._bus.call(address, request, CALL_SECONDS)
            if not isinstance(reply, self._question.reply):
                raise WrongCounters(f"{host} answers a question for counters with {reply.message_kind}")
            later = [each for each in reply.counts if each.key > request.after]
            found += later
            if not reply.is_more or not later:
                break
            request = evolve(request, after=later[-1].key)
        return found


def _alive(connection: Connection, role: str, oldest: str, here: str) -> Sequence[str]:
    statement = (
        select(hosts.c.host)
        .where(hosts.c.role == role, (hosts.c.reported_at >= oldest) | (hosts.c.host == here))
        .order_by(hosts.c.host)
    )
    return connection.execute(statement).scalars().all()

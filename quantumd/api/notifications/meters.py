"""Telling now and then what metering labels counted at routers: ``l3.meter``, as Neutron's metering agent does.

What was told of last is kept in the database: so what is told adds up, whoever is restarted meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from attrs import define, frozen
from sqlalchemy import Connection, delete, insert, select

from quantumd.api.notifications.counting import Counting, counted_by_hosts
from quantumd.api.notifications.messages import Asker, Notification
from quantumd.api.notifications.outbox import Outbox
from quantumd.interfaces import IStore
from quantumd.model.meter_counts import MeterCount
from quantumd.store.tables.metering import metered, metering_labels
from quantumd.store.tables.routers import routers
from quantumd.store.times import utc_text
from quantumd.store.transaction import Transaction

_KNOWN = (
    select(
        routers.c.id.label("router_id"),
        routers.c.project_id,
        metering_labels.c.id.label("label_id"),
        metered.c.host,
        metered.c.packets,
        metered.c.octets,
        metered.c.first_at,
        metered.c.told_at,
    )
    .join(metering_labels, (metering_labels.c.project_id == routers.c.project_id) | metering_labels.c.shared)
    .outerjoin(metered, (metered.c.router_id == routers.c.id) & (metered.c.metering_label_id == metering_labels.c.id))
)


@frozen
class _Growth:
    """What a label counted at one router: in all, and since it was told last."""

    router_id: str
    label_id: str
    project_id: str
    packets: int
    octets: int
    more_packets: int
    more_octets: int
    first_at: int
    seconds: int


@define(eq=False)
class MeterTeller:
    """Tells those of every host; what fails is told with the next round."""

    _store: IStore
    _outbox: Outbox
    _counting: Counting[MeterCount]
    _may_tell: Callable[[], bool] = lambda: True
    """Whether it is this process that tells."""
    _now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _new_id: Callable[[], UUID] = uuid4

    async def tell(self) -> None:
        """Tell what was counted since the last time. EdgeError."""
        if not self._may_tell():
            return
        async for host, counts in counted_by_hosts(self._counting):
            await self._tell_of(host, counts)

    async def _tell_of(self, host: str, counts: Sequence[MeterCount]) -> None:
        if not counts:
            return
        now = int(self._now().timestamp())
        grown = await self._store.read(lambda connection: _grown(connection, host, counts, now))
        await self._outbox.send(self._made(host, grown, now))
        await self._store.write(lambda tx: _note(tx, host, grown, now))

    def _made(self, host: str, grown: Iterable[_Growth], now: int) -> list[Notification]:
        """Return one for each label and project of the routers, as of an agent."""
        sums: dict[tuple[str, str], dict[str, Any]] = {}
        for each in grown:
            told = sums.setdefault((each.label_id, each.project_id), _nothing(each, host, now))
            told["pkts"] += each.more_packets
            told["bytes"] += each.more_octets
            told["time"] = max(told["time"], each.seconds)
            told["first_update"] = min(told["first_update"], each.first_at)
        at, asker = utc_text(self._now()), Asker(f"req-{self._new_id()}")
        return [
            Notification("l3.meter", payload, self._new_id(), at, asker, f"meter {label_id} {project_id}")
            for (label_id, project_id), payload in sorted(sums.items())
        ]


def _nothing(growth: _Growth, host: str, now: int) -> dict[str, Any]:
    return {
        "label_id": growth.label_id,
        "project_id": growth.project_id,
        "tenant_id": growth.project_id,
        "host": host,
        "pkts": 0,
        "bytes": 0,
        "time": 0,
        "first_update": growth.first_at,
        "last_update": now,
    }


def _grown(connection: Connection, host: str, counts: Sequence[MeterCount], now: int) -> list[_Growth]:
    """Return what grew, of routers and labels that are known; a counter that is less than it was began anew."""
    by_key = {each.key: each for each in counts}
    router_ids = {each.router_id for each in counts}
    found = []
    for row in connection.execute(_KNOWN.where(routers.c.id.in_(router_ids))):
        count = by_key.get((row.router_id, row.label_id))
        if count is None:
            continue
        packets, octets = count.packets, count.octets
        goes_on = row.host == host and row.octets <= octets and row.packets <= packets
        more = (packets - row.packets, octets - row.octets) if goes_on else (packets, octets)
        first, last = (row.first_at, row.told_at) if row.host is not None else (now, now)
        found.append(
            _Growth(
                router_id=row.router_id,
                label_id=row.label_id,
                project_id=row.project_id,
                packets=packets,
                octets=octets,
                more_packets=more[0],
                more_octets=more[1],
                first_at=first,
                seconds=now - last,
            )
        )
    return found


def _note(tx: Transaction, host: str, grown: Iterable[_Growth], now: int) -> None:
    for each in grown:
        where = (metered.c.router_id == each.router_id, metered.c.metering_label_id == each.label_id)
        tx.connection.execute(delete(metered).where(*where))
        values = {"host": host, "packets": each.packets, "octets": each.octets, "first_at": each.first_at}
        there = {"router_id": each.router_id, "metering_label_id": each.label_id, "told_at": now, **values}
        # The router or the label may have gone meanwhile.
        still = select(routers.c.id).join(metering_labels, metering_labels.c.id == each.label_id)
        if tx.connection.execute(still.where(routers.c.id == each.router_id)).first() is not None:
            tx.connection.execute(insert(metered), there)

"""``quantumctl router``: moves routers between hosts, also from one that is gone. API processes tell hosts of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from twisted.python.failure import Failure

from quantumd.api.extensions.routers.hosting import RouterHosts, host_of, move, zones_of
from quantumd.config import Settings
from quantumd.ctl.hosts import reading
from quantumd.errors import QuantumdError
from quantumd.model.context import Context
from quantumd.model.host_life import HostLife
from quantumd.store.batch import BatchWriter
from quantumd.store.engine import database_url, writer_engine
from quantumd.store.tables.routers import routers
from quantumd.store.times import utc_text
from quantumd.store.transaction import Transaction

_CONTEXT: Final = Context("quantumctl", roles=frozenset({"admin"}))


class CannotMove(QuantumdError):
    """A router is not there, or a host may carry none. ``reason`` is a sentence without a full stop."""


def move_router(settings: Settings, router_id: str, host: str) -> int:
    """Let a host carry a router, wherever it is; return 0. CannotMove."""
    hosts = _hosts(settings)

    def work(tx: Transaction) -> str:
        if tx.connection.execute(select(routers.c.id).where(routers.c.id == router_id)).first() is None:
            raise CannotMove(f"there is no router {router_id}")
        if not hosts.may_carry(tx, host):
            raise CannotMove(f"{host} may carry no routers: quantumctl host list shows why")
        before = host_of(tx, router_id)
        move(tx, _CONTEXT, router_id, host)
        return before

    with _writing(settings) as commit:
        print(_moved(router_id, commit(work), host))
    return 0


def evacuate(settings: Settings, host: str) -> int:
    """Move all routers of a host to others, those with the fewest first; return 1 when some had to stay."""
    hosts = _hosts(settings)
    with reading(settings) as connection:
        carried = select(routers.c.id).where(routers.c.host == host).order_by(routers.c.created_at, routers.c.id)
        ids = list(connection.execute(carried).scalars())

    def leave(tx: Transaction, router_id: str) -> str | None:
        if host_of(tx, router_id) != host:
            return None
        target = hosts.choose(tx, zones_of(tx, router_id), but=host)
        if target:
            move(tx, _CONTEXT, router_id, target)
        return target

    staying = 0
    with _writing(settings) as commit:
        for router_id in ids:
            target = commit(partial(leave, router_id=router_id))
            staying += target == ""
            if target:
                print(_moved(router_id, host, target))
    if staying:
        print(f"{staying} routers stay on {host}: no other host may carry routers")
    return int(staying > 0)


def _hosts(settings: Settings) -> RouterHosts:
    return RouterHosts(HostLife(settings.agents.down_seconds))


def _moved(router_id: str, before: str, host: str) -> str:
    return f"router {router_id}: {before or 'no host'} -> {host}"


@contextmanager
def _writing(settings: Settings) -> Iterator[Callable[[Callable[[Transaction], Any]], Any]]:
    """Make what commits one change and returns what came of it. QuantumdError."""
    with reading(settings):
        # The database is there, and of this version.
        pass
    engine = writer_engine(database_url(settings.database_url))
    writer = BatchWriter(engine, lambda: utc_text(datetime.now(UTC)))

    def commit(work: Callable[[Transaction], Any]) -> Any:
        (outcome,) = writer.commit((work,)).outcomes
        if isinstance(outcome, Failure):
            outcome.raiseException()
        return outcome

    try:
        yield commit
    finally:
        writer.close()
        engine.dispose()

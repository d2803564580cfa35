"""Which host carries a router, and the ports of the router with it. A host once given stays, unless one moves it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

import orjson
from attrs import frozen
from sqlalchemy import bindparam, func, or_, select, update

from quantumd.api.extensions.agents.heartbeats import agent_id_of
from quantumd.api.extensions.routers.statuses import router_moved
from quantumd.api.resources.port_binding import rebound
from quantumd.api.resources.port_changes import bind_plugged
from quantumd.api.resources.port_reading import port_of
from quantumd.api.resources.port_rows import change_port
from quantumd.api.resources.prepared import Prepared, text_of
from quantumd.model.context import Context
from quantumd.model.host_life import HostLife
from quantumd.model.router import CARRIED, choose_host, is_in
from quantumd.model.router_records import RouterRecord
from quantumd.model.status import L3
from quantumd.store.tables import hosts
from quantumd.store.tables.routers import router_ports, routers
from quantumd.store.tables.services import agents
from quantumd.store.transaction import Transaction

# Of an agent that an operator removed, nobody said that it takes no more.
_ENABLED: Final = or_(agents.c.admin_state_up.is_(None), agents.c.admin_state_up.is_(True))
_HOSTS = Prepared(
    select(hosts.c.host, hosts.c.reported_at, hosts.c.record_kinds, agents.c.availability_zone)
    .outerjoin(agents, (agents.c.host == hosts.c.host) & (agents.c.role == hosts.c.role))
    .where(hosts.c.role == bindparam("as_role"), _ENABLED)
)
# Greater, not different: the index then leaves out those that no host carries.
_CARRIED = Prepared(select(routers.c.host, func.count()).where(routers.c.host > text_of("")).group_by(routers.c.host))
_WAITING = Prepared(
    select(routers.c.id, routers.c.availability_zone_hints)
    .where(routers.c.host == text_of(""), routers.c.taken_from != bindparam("here"))
    .order_by(routers.c.created_at, routers.c.id)
)
_HOST = Prepared(select(routers.c.host, routers.c.availability_zone_hints).where(routers.c.id == bindparam("wanted")))
_PORTS = Prepared(
    select(router_ports.c.port_id)
    .where(router_ports.c.router_id == bindparam("wanted"))
    .order_by(router_ports.c.port_id)
)
_GIVE = Prepared(
    update(routers)
    .where(routers.c.id == bindparam("wanted"))
    .values(host=bindparam("new_host"), record_version=bindparam("position"), taken_from=bindparam("former"))
)


@frozen
class RouterHosts:
    """Gives routers their hosts. ``life``: which hosts are alive."""

    life: HostLife

    def carrier(self, tx: Transaction, context: Context, router_id: str) -> str:
        """Return the host that carries a router; one that has none is given one, '' while none may carry it."""
        host = host_of(tx, router_id)
        if not host:
            host = self.choose(tx, zones_of(tx, router_id))
            if host:
                give(tx, context, router_id, host)
        return host

    def choose(self, tx: Transaction, zones: Collection[str], but: str = "") -> str:
        """Return the host that a router is given next, '' while none may carry it.

        Transactions take turns, so what is counted here nobody else counts at the same time.

        :param zones: in one of which it must be; of none, in any.
        :param but: is not chosen.
        """
        fit = (host for host, zone in self._alive(tx) if host != but and is_in(zone, zones))
        return choose_host(fit, dict(_CARRIED.rows(tx, {})))

    def may_carry(self, tx: Transaction, host: str) -> bool:
        """Whether a host may be given routers."""
        return any(each == host for each, _ in self._alive(tx))

    def _alive(self, tx: Transaction) -> Iterator[tuple[str, str]]:
        """Yield the hosts that may carry routers, with their zones."""
        now = datetime.fromisoformat(tx.now)
        for host, reported_at, zone in _willing(tx):
            if self.life.is_alive(host, datetime.fromisoformat(reported_at), now):
                yield host, zone

    def release(self, tx: Transaction, context: Context, router_id: str) -> None:
        """Note that the host of a router, which is about to be deleted, carries it no longer."""
        host = host_of(tx, router_id)
        if host:
            _journal(tx, context, host, router_id, is_given=False)


def host_of(tx: Transaction, router_id: str) -> str:
    """Return the host that carries a router, '' while none does."""
    return str(_HOST.rows(tx, {"wanted": router_id})[0][0])


def zones_of(tx: Transaction, router_id: str) -> tuple[str, ...]:
    """Return the names of the zones in one of which a router's host must be; of none, it may be in any."""
    return tuple(orjson.loads(_HOST.rows(tx, {"wanted": router_id})[0][1]))


def move(tx: Transaction, context: Context, router_id: str, host: str) -> None:
    """Let another host carry a router, or none (''). It is DOWN until that host has realised it.

    The host from which it was taken is not given it again only because it reports: see ``give_waiting``.
    """
    before = host_of(tx, router_id)
    if host == before:
        return
    router_moved(tx, context, router_id)
    if before:
        _journal(tx, context, before, router_id, is_given=False)
    if host:
        give(tx, context, router_id, host)
        return
    _GIVE.write(tx, ({"wanted": router_id, "new_host": "", "position": tx.position, "former": before},))
    for (port_id,) in _PORTS.rows(tx, {"wanted": router_id}):
        _rebind(tx, context, port_id, "")


def give_waiting(tx: Transaction, host: str) -> None:
    """Give a host that has just reported its l3 role all routers that wait for another one, if it may carry any.

    One that an operator took from this very host waits for another, for the operator, or for an interface that it gets.
    """
    waiting = _WAITING.rows(tx, {"here": host})
    here = [zone for each, _, zone in _willing(tx) if each == host] if waiting else []
    context = Context(f"report-{L3}-{host}", roles=frozenset({"admin"}))
    for router_id, zones in waiting if here else ():
        if is_in(here[0], orjson.loads(zones)):
            give(tx, context, router_id, host)


def _willing(tx: Transaction) -> Iterator[tuple[str, str, str]]:
    """Yield the hosts whose l3 role knows what a router is and takes more: name, time of the last report, zone."""
    for host, reported_at, kinds, zone in _HOSTS.rows(tx, {"as_role": L3}):
        if RouterRecord.kind in (kinds or "").split(","):
            yield host, reported_at, zone or ""


def give(tx: Transaction, context: Context, router_id: str, host: str) -> None:
    """Let a host carry a router that none carries, and its ports."""
    position = _journal(tx, context, host, router_id, is_given=True)
    _GIVE.write(tx, ({"wanted": router_id, "new_host": host, "position": position, "former": ""},))
    for (port_id,) in _PORTS.rows(tx, {"wanted": router_id}):
        _bind(tx, context, port_id, host)


def _bind(tx: Transaction, context: Context, port_id: str, host: str) -> None:
    """Bind a port to the host of its router, wherever it was meanwhile plugged or bound by hand."""
    if not bind_plugged(tx, context, port_id, host):
        _rebind(tx, context, port_id, host)


def _rebind(tx: Transaction, context: Context, port_id: str, host: str) -> None:
    port = port_of(tx.connection, (), port_id)
    if port is not None and port["binding:host_id"] not in ("", host):
        change_port(tx, context.request_id, port, rebound(tx, port, {"binding:host_id": host}, None))


def _journal(tx: Transaction, context: Context, host: str, router_id: str, *, is_given: bool) -> int:
    agent_id = agent_id_of(host, L3)
    free, carrying = ({"id": agent_id, "host": host, CARRIED: carried} for carried in (None, router_id))
    before, after = (free, carrying) if is_given else (carrying, free)
    return tx.journal(
        resource="agent",
        resource_id=agent_id,
        project_id="",
        request_id=context.request_id,
        operation="update",
        before=before,
        after=after,
    )

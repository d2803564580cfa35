"""Prefixes that routers are given from outside: what hosts report of them, and when they are a subnet's no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen
from sqlalchemy import bindparam, select
from twisted.logger import Logger

from quantumd.api.resources.prepared import Prepared, text_of
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.renumbering import renumber
from quantumd.model.addresses import first_overlap
from quantumd.model.context import Context
from quantumd.model.delegation import PREFIX_DELEGATION, PROVISIONAL, DelegatedPrefix, delegated_subnet
from quantumd.model.messages import Report
from quantumd.model.router import GATEWAY, INTERFACE
from quantumd.store.tables import ip_allocations, subnets
from quantumd.store.tables.routers import router_ports, routers
from quantumd.store.transaction import Transaction

_LINK = router_ports.c
_DELEGATED = PreparedIds(
    select(_LINK.router_id, subnets.c.id, subnets.c.cidr, routers.c.host)
    .join(routers, routers.c.id == _LINK.router_id)
    .join(ip_allocations, ip_allocations.c.port_id == _LINK.port_id)
    .join(subnets, subnets.c.id == ip_allocations.c.subnet_id)
    .where(
        _LINK.kind == text_of(INTERFACE),
        subnets.c.subnetpool_id == text_of(PREFIX_DELEGATION),
        # Of several routers that stand in a subnet its gateway asks.
        ip_allocations.c.ip_address == subnets.c.gateway_ip,
    )
    .order_by(subnets.c.id),
    _LINK.router_id,
)
_WITH_GATEWAY = PreparedIds(select(_LINK.router_id).where(_LINK.kind == text_of(GATEWAY)), _LINK.router_id)
# All that a router, or another one beside it, must be able to tell the prefix from.
_NEIGHBOURS = Prepared(
    select(subnets.c.id, subnets.c.cidr)
    .join(ip_allocations, ip_allocations.c.subnet_id == subnets.c.id)
    .join(router_ports, _LINK.port_id == ip_allocations.c.port_id)
    .where(_LINK.router_id == bindparam("router"), subnets.c.ip_version == bindparam("version"))
    .distinct()
)
_OTHERS = Prepared(
    select(subnets.c.id, subnets.c.cidr).where(
        (subnets.c.subnetpool_id == text_of(PREFIX_DELEGATION)) & (subnets.c.cidr == bindparam("cidr"))
    )
)
_OF_NETWORK = Prepared(
    select(subnets.c.id, subnets.c.cidr).where(
        subnets.c.ip_version == bindparam("version"),
        subnets.c.network_id.in_(select(subnets.c.network_id).where(subnets.c.id == bindparam("subnet"))),
    )
)
_IS_DELEGATED = Prepared(
    select(subnets.c.id).where(
        subnets.c.id == bindparam("wanted"), subnets.c.subnetpool_id == text_of(PREFIX_DELEGATION)
    )
)
_log = Logger()


@frozen
class _Delegated:
    """A subnet whose prefix is delegated to a router that a host carries; ``cidr`` is what it has now."""

    router_id: str
    subnet_id: str
    cidr: str
    host: str


def apply_delegations(tx: Transaction, report: Report) -> None:
    """Let subnets have the prefixes that a host reports.

    Only what the router's own host says of it counts, of subnets whose gateway it is while it has a gateway itself.
    """
    said = {(each.port_id, one.subnet_id): one for each in report.ports for one in each.delegated}
    if not said:
        return
    context = Context(f"report-{report.role}-{report.host}", roles=frozenset({"admin"}))
    for each in _delegated(tx, sorted({router_id for router_id, _ in said})):
        one = said.get((each.router_id, each.subnet_id))
        if one is not None and each.host == report.host:
            _apply(tx, context, each, one)


def withdraw(tx: Transaction, context: Context, router_id: str, subnet_ids: Iterable[str] | None = None) -> None:
    """Take the prefixes away that a router was given; of some subnets, or (None) of all.

    Called before the router leaves these subnets, or loses its gateway: its host gives them back then.
    """
    wanted = None if subnet_ids is None else set(subnet_ids)
    for each in list(_standing(tx, (router_id,))):
        if wanted is None or each.subnet_id in wanted:
            renumber(tx, context, each.subnet_id, PROVISIONAL)


def is_delegated(tx: Transaction, subnet_id: str) -> bool:
    """Whether the prefix of a subnet is, or will be, delegated."""
    return bool(_IS_DELEGATED.rows(tx, {"wanted": subnet_id}))


def _apply(tx: Transaction, context: Context, held: _Delegated, said: DelegatedPrefix) -> None:
    if not said.prefix:
        renumber(tx, context, held.subnet_id, PROVISIONAL)
    elif said.prefix != held.cidr:
        fault = _fault(tx, held, said.prefix)
        if fault is None:
            renumber(tx, context, held.subnet_id, said.prefix)
        else:
            text = "the prefix {prefix} for subnet {subnet} of router {router} is not used: {why}"
            _log.warn(text, prefix=said.prefix[:64], subnet=held.subnet_id, router=held.router_id, why=fault)


def _fault(tx: Transaction, held: _Delegated, prefix: str) -> str | None:
    """Return why a subnet cannot have a prefix."""
    try:
        is_one = delegated_subnet(prefix) == prefix
    except ValueError:
        is_one = False
    if not is_one:
        return "it is no prefix for hosts"
    neighbours = (
        *_NEIGHBOURS.rows(tx, {"router": held.router_id, "version": 6}),
        *_OTHERS.rows(tx, {"cidr": prefix}),
        *_OF_NETWORK.rows(tx, {"version": 6, "subnet": held.subnet_id}),
    )
    others = [cidr for subnet_id, cidr in neighbours if subnet_id != held.subnet_id and cidr != PROVISIONAL]
    other = first_overlap(prefix, others)
    return None if other is None else f"it overlaps with {other}"


def _delegated(tx: Transaction, router_ids: list[str]) -> Iterator[_Delegated]:
    leading = {router_id for (router_id,) in _WITH_GATEWAY.rows(tx.connection, router_ids)}
    yield from (each for each in _standing(tx, router_ids) if each.router_id in leading)


def _standing(tx: Transaction, router_ids: Iterable[str]) -> Iterator[_Delegated]:
    yield from (_Delegated(*row) for row in _DELEGATED.rows(tx.connection, list(router_ids)))

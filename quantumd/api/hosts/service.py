"""Answers hosts at the bus address ``api``: comparisons, fetches, reports, and who they are."""

from __future__ import annotations

from attrs import define
from sqlalchemy import Connection
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.api.extensions.agents.heartbeats import note_agent
from quantumd.api.extensions.routers.delegations import apply_delegations
from quantumd.api.extensions.routers.hosting import give_waiting
from quantumd.api.extensions.routers.statuses import apply_router_report
from quantumd.api.extensions.segments.hosts import keep_physical_networks
from quantumd.api.hosts import mirrors, routers, taps
from quantumd.api.hosts.announce import tell_all
from quantumd.api.hosts.compiled import records_of_host, records_of_ports, tell_of_reach
from quantumd.api.hosts.mesh import tell_of_end
from quantumd.api.hosts.outbox import Outbox
from quantumd.api.hosts.plugged import bind_all, with_sub_ports
from quantumd.api.hosts.rows import keep_host
from quantumd.api.resources.statuses import apply_report
from quantumd.compile.digest import difference, differing_buckets, digest_buckets
from quantumd.converge.client import address_of
from quantumd.errors import EdgeError
from quantumd.interfaces import IBus, IStore
from quantumd.model.context import Context
from quantumd.model.host_life import MOST_REPORT_SECONDS
from quantumd.model.messages import (
    Ack,
    CompareReply,
    CompareRequest,
    FetchReply,
    FetchRequest,
    HostReply,
    HostReport,
    Message,
    Report,
    Update,
)
from quantumd.model.records import Record
from quantumd.model.status import L3
from quantumd.store.journal import last_position
from quantumd.store.transaction import Transaction

ADDRESS = "api"


Records = dict[str, tuple[Record, ...]]
"""What hosts must know, by role."""

Statuses = list[tuple[str, str, str]]
"""What has another status now: what it is, its id, the status."""


class UnknownMessage(EdgeError):
    """A host sent something that the server does not take."""


@define(eq=False)
class HostsService(Service):
    """The server's end of every conversation with hosts."""

    _bus: IBus
    _store: IStore
    _binds_unbound: bool
    _availability_zone: str = "nova"
    _report_seconds: float = MOST_REPORT_SECONDS
    """How often roles of hosts are to report."""
    _log = Logger()

    def startService(self) -> None:
        """Answer from now on."""
        super().startService()
        self._bus.consume(ADDRESS, self._receive)

    def _receive(self, message: Message) -> Deferred[Message]:
        if isinstance(message, Report):
            return self._take_report(message)
        if isinstance(message, CompareRequest):
            return self._store.read(lambda connection: _compare(connection, message))
        if isinstance(message, FetchRequest):
            return self._store.read(lambda connection: _fetch(connection, message))
        if isinstance(message, HostReport):
            return self._take_host_report(message)
        raise UnknownMessage(f"the server takes no {message.message_kind}")

    def _take_host_report(self, report: HostReport) -> Deferred[Message]:
        noted = self._store.write(lambda tx: note_host(tx, report, self._availability_zone))
        # Hosts of before know no other answer.
        answer = Ack() if report.state is None else HostReply(self._report_seconds)
        return noted.addCallback(self._noted, report.host).addCallback(lambda _: answer)

    def _noted(self, is_moved: bool, host: str) -> None:
        """Let a host and its peers know what follows; it may not wait for that, and comparisons heal it."""
        if is_moved:
            told = self._store.read(lambda connection: _of_end(connection, host))
            told.addCallback(lambda updates: Deferred.fromCoroutine(tell_all(self._bus, updates)))
            told.addErrback(self._untold, host)

    def _untold(self, failure: Failure, host: str) -> None:
        failure.trap(EdgeError)
        self._log.warn("{host} and its peers are not told of it: {why}", host=host, why=failure.getErrorMessage())

    def _take_report(self, report: Report) -> Deferred[Message]:
        context = Context(request_id=f"report-{report.role}-{report.host}", roles=frozenset({"admin"}))

        def write(tx: Transaction) -> tuple[Statuses, Records]:
            if report.role == L3:
                return _take_routers(tx, report)
            unknown = [port.port_id for port in report.ports if port.is_unknown] if report.role == "l2" else []
            if self._binds_unbound:
                bind_all(tx, context, unknown, report.host)
            statuses = [("port", port_id, status) for port_id, status in apply_report(tx, report).items()]
            told = with_sub_ports(tx, unknown)
            return statuses, records_of_ports(tx.connection, report.host, told) if told else {}

        return self._store.write(write).addCallback(self._took_report, report)

    def _took_report(self, outcome: tuple[Statuses, Records], report: Report) -> Message:
        statuses, records = outcome
        for role in records.keys() - {report.role}:
            # The journal will tell the host too; a port that is plugged already need not wait for that.
            told = self._bus.publish(address_of(report.host, role), Update(report.host, role, records[role]))
            told.addErrback(lambda failure: failure.trap(EdgeError) and None)
        for what, port_id, status in statuses:
            said = {"what": what, "port": port_id, "status": status}
            self._log.info("{what} {port} is {status}", host=report.host, role=report.role, **said)
        for port in report.ports:
            if port.fault is not None:
                what = "router" if report.role == L3 else "port"
                self._log.warn("{what} {port} is not realised: {why}", what=what, port=port.port_id, why=port.fault)
        return Ack(records.get(report.role, ()))


def _take_routers(tx: Transaction, report: Report) -> tuple[Statuses, Records]:
    """Take what a host says of routers; return what it may have missed of them."""
    news = apply_router_report(tx, report)
    apply_delegations(tx, report)
    return news.statuses, {L3: tuple(routers.records_for(tx.connection, report.host, news.behind))}


def _compare(connection: Connection, request: CompareRequest) -> CompareReply:
    ours = digest_buckets(records_of_host(connection, request.host, request.role, None))
    return CompareReply(differing_buckets(ours, request.digests))


def _fetch(connection: Connection, request: FetchRequest) -> FetchReply:
    # The position is read first: what commits in between is in the records and also comes as an update.
    position = last_position(connection)
    records = records_of_host(connection, request.host, request.role, frozenset(request.buckets))
    return FetchReply(position, *difference(records, request.known))


def _of_end(connection: Connection, host: str) -> list[Update]:
    outbox = Outbox()
    tell_of_reach(connection, host, outbox)
    tell_of_end(connection, host, outbox)
    taps.tell_of_end(connection, host, outbox)
    mirrors.tell_of_end(connection, outbox)
    return outbox.updates("")


def note_host(tx: Transaction, report: HostReport, availability_zone: str) -> bool:
    """Note what a role of a host says of itself, and when; return whether it carries networks otherwise now."""
    note_agent(tx, report, availability_zone)
    if report.physical_networks is not None:
        keep_physical_networks(tx, report.host, report.physical_networks)
    is_moved = keep_host(tx, report)
    if report.role == L3:
        give_waiting(tx, report.host)
    return is_moved

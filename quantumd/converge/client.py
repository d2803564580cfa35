"""A role's side of the bus: gets its records, keeps them right by comparing digests, and sends what it observed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol, TypeVar, cast

from attrs import define, evolve, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from quantumd.bus.errors import AskedFailed
from quantumd.converge.counting import NO_ANSWERS, Answers
from quantumd.converge.records import Records
from quantumd.converge.worker import SLICE_SECONDS
from quantumd.interfaces import IBus
from quantumd.model.messages import (
    BUCKETS,
    Ack,
    CompareReply,
    CompareRequest,
    FetchReply,
    FetchRequest,
    Message,
    PortReport,
    Report,
    Update,
)
from quantumd.model.records import RecordKey

API_ADDRESS = "api"
COMPARE_SECONDS = 60.0
"""After how long, at most, digests are compared when nothing seems lost."""

_CALL_TIMEOUT_SECONDS = 30.0
_RETRY_SECONDS = 0.5
_FETCH_BUCKETS = 16
_REPORT_PORTS = 200

T = TypeVar("T")


class TakesRecords(Protocol):
    """Whoever is told that records changed: the converge loop."""

    def records_changed(self, changed: frozenset[RecordKey], is_complete: bool) -> None:
        """Records under these keys changed; ``is_complete``: nothing is known to be missing."""


def address_of(host: str, role: str) -> str:
    """Return the bus address of one role of one host."""
    return f"{role}.{host}"


@define(eq=False)
class RecordsClient(Service):
    """Keeps ``records`` equal to what the server says this (host, role) must know."""

    _bus: IBus
    _clock: IReactorTime
    _host: str
    _role: str
    _records: Records
    _takes: TakesRecords
    _introduced: Callable[[], Deferred[None]] = lambda: succeed(None)
    """Fires when the server knows this role: before that nothing is asked."""
    _answers: Answers = NO_ANSWERS
    _chance: Callable[[], float] = random.random
    """Between 0 and 1: shortens the wait for the next comparison by up to a quarter, so that hosts come one by one."""
    _is_comparing: bool = field(default=False, init=False)
    _must_repeat: bool = field(default=False, init=False)
    _is_complete: bool = field(default=False, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _trouble: str = field(default="", init=False)
    """What was logged last of why it cannot compare; the same again is not."""
    _log = Logger()

    @property
    def is_complete(self) -> bool:
        """Whether this run has had everything it must know at least once."""
        return self._is_complete

    def startService(self) -> None:
        """Consume updates and compare at once."""
        super().startService()
        self._bus.consume(address_of(self._host, self._role), self._receive)
        self._bus.on_lost(self.compare)
        self.compare()

    def stopService(self) -> None:
        """Stop comparing."""
        super().stopService()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def compare(self) -> None:
        """Compare digests with the server and fetch what differs; while a comparison runs, once more after it."""
        self._must_repeat = self._is_comparing
        if self.running and not self._is_comparing:
            if self._timer is not None and self._timer.active():
                self._timer.cancel()
            self._is_comparing = True
            ensureDeferred(self._compare()).addBoth(self._compared)

    def _receive(self, message: Message) -> Deferred[Message] | None:
        if (answer := self._answers.get(type(message))) is not None:
            return answer(message)
        if isinstance(message, Update):
            self.take(message)
        else:
            self._log.warn("{role} got a {kind} that it does not take", role=self._role, kind=message.message_kind)
        return None

    def take(self, message: Update) -> None:
        """Take what the server sent, in whatever order it comes."""
        changed = self._records.apply(message)
        if changed:
            self._log.info("{n} records changed", n=len(changed), role=self._role, request_id=message.request_id)
            self._takes.records_changed(changed, False)

    async def _compare(self) -> None:
        await self._introduced()
        request = CompareRequest(self._host, self._role, await self._digests())
        reply = cast(CompareReply, await self._bus.call(API_ADDRESS, request, _CALL_TIMEOUT_SECONDS))
        for buckets in _pieces(reply.buckets, _FETCH_BUCKETS):
            await self._fetch(FetchRequest(self._host, self._role, buckets))
        self._is_complete = True
        self._takes.records_changed(frozenset(), True)

    async def _digests(self) -> tuple[tuple[int, str], ...]:
        digests: list[tuple[int, str]] = []
        began = self._clock.seconds()
        for bucket in range(BUCKETS):
            if (digest := self._records.digest(bucket)) is not None:
                digests.append((bucket, digest))
            if self._clock.seconds() - began > SLICE_SECONDS:
                await deferLater(self._clock, 0)
                began = self._clock.seconds()
        return tuple(digests)

    async def _fetch(self, request: FetchRequest) -> None:
        held = self._records.held_in(request.buckets)
        try:
            asked = evolve(request, known=tuple(held))
            reply = cast(FetchReply, await self._bus.call(API_ADDRESS, asked, _CALL_TIMEOUT_SECONDS))
            changed = self._records.correct(held, reply)
        except AskedFailed:
            # An older server does not understand what is known here.
            reply = cast(FetchReply, await self._bus.call(API_ADDRESS, request, _CALL_TIMEOUT_SECONDS))
            changed = self._records.replace(request.buckets, reply.records, reply.position)
        if changed:
            self._log.info("{role} fetched {n} records that differed", role=self._role, n=len(changed))
            self._takes.records_changed(changed, False)

    def _compared(self, result: object) -> None:
        self._is_comparing = False
        self._tell_trouble("" if result is None else str(getattr(result, "value", result)))
        if result is not None:
            delay = _RETRY_SECONDS
        else:
            # At once if anything changed or was lost while the comparison ran.
            delay = 0.0 if self._must_repeat else COMPARE_SECONDS * (0.75 + self._chance() / 4)
        if self.running:
            self._timer = self._clock.callLater(delay, self.compare)

    def _tell_trouble(self, why: str) -> None:
        # It is tried twice a second, and said once.
        if why not in ("", self._trouble):
            self._log.warn("{role} cannot compare records: {why}", role=self._role, why=why)
        self._trouble = why


@define(eq=False)
class Reporter(Service):
    """Sends port reports to the server until it has them durably; of several of one port the latest is sent.

    What the server was told last of a port is not told again. ``take`` gets the records that come back.
    """

    _bus: IBus
    _clock: IReactorTime
    _host: str
    _role: str
    _take: Callable[[Update], None] = lambda update: None
    _waiting: dict[str, PortReport] = field(factory=dict, init=False)
    _told: dict[str, PortReport] = field(factory=dict, init=False)
    _named: tuple[str, ...] | None = field(default=None, init=False)
    """The ports of a complete report that the server does not have yet."""
    _is_sending: bool = field(default=False, init=False)
    _is_stopped: bool = field(default=False, init=False)
    _retry: IDelayedCall | None = field(default=None, init=False)
    _trouble: str = field(default="", init=False)
    _log = Logger()

    def stopService(self) -> None:
        """Send nothing again; a process that starts reports everything."""
        super().stopService()
        self._is_stopped = True
        if self._retry is not None and self._retry.active():
            self._retry.cancel()

    @property
    def waiting(self) -> int:
        """How many reports the server does not have yet."""
        return len(self._waiting)

    def tell(self, reports: tuple[PortReport, ...], is_complete: bool) -> None:
        """Send reports; a complete one replaces all that waited."""
        if is_complete:
            self._waiting.clear()
            self._told.clear()
            self._named = tuple(report.port_id for report in reports)
        for report in reports:
            if self._told.get(report.port_id) != report:
                self._told[report.port_id] = self._waiting[report.port_id] = report
        if not self._is_sending:
            self._is_sending = True
            self._send()

    def _send(self) -> None:
        sending: Deferred[None] = ensureDeferred(self._send_all())
        sending.addErrback(self._failed)

    async def _send_all(self) -> None:
        while self._waiting or self._named is not None:
            ports = tuple(islice(self._waiting.values(), _REPORT_PORTS))
            # What makes a report complete goes last, when all that it names is there.
            named = self._named if len(ports) == len(self._waiting) else None
            message = Report(self._host, self._role, ports, named is not None, named or ())
            ack = cast(Ack, await self._bus.call(API_ADDRESS, message, _CALL_TIMEOUT_SECONDS))
            for report in ports:
                # A newer one may have come meanwhile.
                if self._waiting.get(report.port_id) is report:
                    del self._waiting[report.port_id]
            if named is self._named:
                self._named = None
            if ack.records:
                self._take(Update(self._host, self._role, ack.records))
        self._is_sending = False
        self._trouble = ""

    def _failed(self, failure: object) -> None:
        why = str(getattr(failure, "value", failure))
        if why != self._trouble:
            self._log.warn("{role} cannot report: {why}", role=self._role, why=why, waiting=len(self._waiting))
        self._trouble = why
        if not self._is_stopped:
            self._retry = self._clock.callLater(_RETRY_SECONDS, self._send)


def _pieces(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    held = tuple(items)
    for start in range(0, len(held), size):
        yield held[start : start + size]

"""Telling now and then what exists, for those who account for it: ``network.exists`` and so on.

Today's Neutron does this from a program of its own (neutron-usage-audit). The payloads are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from attrs import define, field
from sqlalchemy import Connection
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from quantumd.api.notifications.messages import Asker, Notification, Teller
from quantumd.api.notifications.outbox import Outbox
from quantumd.api.resource import Page, Query, Resource
from quantumd.errors import EdgeError
from quantumd.interfaces import IStore
from quantumd.model.context import Context
from quantumd.store.times import utc_text

TOLD = ("network", "subnet", "port", "router", "floatingip")
"""What is told, as far as it is served."""

PAGE_ROWS = 200

_EVERYTHING = Context("", roles=frozenset({"admin"}))


@define(eq=False)
class Audit(Service):
    """Tells all of it every ``period`` seconds, while ``is_chosen``: of several processes one.

    What is told is of no use later, so a round that fails is not repeated.
    """

    _clock: IReactorTime
    _store: IStore
    _outbox: Outbox
    _teller: Teller
    _resources: Iterable[Resource]
    _period: float
    _is_chosen: Callable[[], bool]
    _now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _new_id: Callable[[], UUID] = uuid4
    _call: LoopingCall | None = field(default=None, init=False)
    _round: Deferred[None] = field(factory=lambda: succeed(None), init=False)
    _log = Logger()

    def startService(self) -> None:
        """The first round is after the first period."""
        super().startService()
        self._call = LoopingCall(self._begin)
        self._call.clock = self._clock
        self._call.start(self._period, now=False)

    def stopService(self) -> None:
        """End; a round under way is given up."""
        super().stopService()
        if self._call is not None and self._call.running:
            self._call.stop()
        self._round.cancel()

    def _begin(self) -> Deferred[None]:
        self._round = Deferred.fromCoroutine(self._tell_all()).addErrback(self._failed)
        return self._round

    def _failed(self, failure: Any) -> None:
        if failure.check(EdgeError):
            self._log.warn("what exists was not told: {why}", why=str(failure.value))
        elif self.running:
            self._log.failure("what exists was not told", failure)

    async def _tell_all(self) -> None:
        if not self._is_chosen():
            return
        by_member = {each.member: each for each in self._resources}
        asker = Asker(f"req-{self._new_id()}")
        for member in TOLD:
            if member in by_member:
                await self._tell(by_member[member], asker)

    async def _tell(self, resource: Resource, asker: Asker) -> None:
        marker = None
        while True:
            views = await self._page(resource, Page(PAGE_ROWS, marker))
            await self._outbox.send([self._exists(resource.member, view, asker) for view in views])
            if len(views) < PAGE_ROWS:
                return
            marker = views[-1]["id"]

    def _page(self, resource: Resource, page: Page) -> Deferred[list[dict[str, Any]]]:
        return self._store.read(lambda connection: list(_views(connection, resource, page)))

    def _exists(self, member: str, view: dict[str, Any], asker: Asker) -> Notification:
        payload = {member: self._teller.shown(member, view)}
        at = utc_text(self._now())
        return Notification(f"{member}.exists", payload, self._new_id(), at, asker, f"exists {view['id']}")


def _views(connection: Connection, resource: Resource, page: Page) -> Iterator[dict[str, Any]]:
    for batch in resource.operations.list(connection, _EVERYTHING, Query(page=page)):
        yield from batch

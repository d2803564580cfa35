"""Telling now and then what exists, for those who account for it: ``network.exists`` and so on.

Today's Neutron does this from a program of its own (neutron-usage-audit). The payloads are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from attrs import define
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from quantumd.api.notifications.messages import Asker, Notification, Teller
from quantumd.api.notifications.outbox import Outbox
from quantumd.api.resource import Page, Query, Resource
from quantumd.interfaces import IStore
from quantumd.model.context import Context
from quantumd.store.times import utc_text

TOLD = ("network", "subnet", "port", "router", "floatingip")
"""What is told, as far as it is served."""

PAGE_ROWS = 200

_EVERYTHING = Context("", roles=frozenset({"admin"}))


@define(eq=False)
class Audit:
    """Tells all of it, while ``is_chosen``: of several processes one."""

    _store: IStore
    _outbox: Outbox
    _teller: Teller
    _resources: Iterable[Resource]
    _is_chosen: Callable[[], bool]
    _now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _new_id: Callable[[], UUID] = uuid4

    async def tell(self) -> None:
        """Tell all of it once. EdgeError."""
        if not self._is_chosen():
            return
        by_member = {each.member: each for each in self._resources}
        asker = Asker(f"req-{self._new_id()}")
        for member in TOLD:
            if member in by_member:
                await self._tell_all(by_member[member], asker)

    async def _tell_all(self, resource: Resource, asker: Asker) -> None:
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

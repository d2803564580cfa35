"""Sends events to Nova over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred, gatherResults

from quantumd.api.nova.answers import TokenRefused, outcomes
from quantumd.api.nova.events import Event, body_of
from quantumd.api.nova.session import Access, NovaSession
from quantumd.edge.http.exchange import Exchange
from quantumd.errors import EdgeUnavailable


@define(eq=False)
class NovaClient:
    """Nova's os-server-external-events. ``exchange`` takes whole URLs; ``keystone`` is that of the session."""

    _exchange: Exchange
    _keystone: Exchange
    _session: NovaSession

    async def tell(self, events: Sequence[Event]) -> tuple[str, ...]:
        """Send events in one request; return what became of each (quantumd.api.nova.answers) once Nova has answered.

        :raises BadEvents: Nova will never take this request.
        :raises EdgeUnavailable: nothing is known; it is to be sent again.
        """
        try:
            return await self._post(events)
        except TokenRefused:
            # It was revoked, or Nova's clock differs: once more with a new one.
            self._session.drop()
        try:
            return await self._post(events)
        except TokenRefused:
            self._session.drop()
            raise EdgeUnavailable("Nova refuses quantumd's own token") from None

    def close(self) -> Deferred[Any]:
        """Close the connections that are kept; fires when they are closed."""
        return gatherResults([self._exchange.close(), self._keystone.close()])

    async def _post(self, events: Sequence[Event]) -> tuple[str, ...]:
        access = await self._session.access()
        try:
            return await self._post_with(access, events)
        except EdgeUnavailable:
            # Nova may be found elsewhere by now.
            self._session.drop()
            raise

    async def _post_with(self, access: Access, events: Sequence[Event]) -> tuple[str, ...]:
        url = f"{access.endpoint}/os-server-external-events".encode("ascii")
        headers = {b"X-Auth-Token": access.own.token, b"Content-Type": b"application/json"}
        reply = await self._exchange.send(b"POST", url, headers, body_of(events))
        return outcomes(reply.status, reply.body, events)

"""``GET /v2.0/events``: the request, from its headers to the end of its stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from quantumd.api.events.asking import Wanted, accepts, wanted
from quantumd.api.events.audience import Audience
from quantumd.api.events.errors import NotAcceptable
from quantumd.api.events.hub import EventHub, who
from quantumd.api.events.sight import catalogue_of
from quantumd.api.events.stream import EventStream
from quantumd.api.events.wire import CONTENT_TYPE
from quantumd.api.policy.rules import Policy
from quantumd.api.query import parameters
from quantumd.api.request import ApiRequest
from quantumd.api.resource import Resource
from quantumd.config import ApiSettings
from quantumd.errors import QuantumdError
from quantumd.interfaces import IStore
from quantumd.metrics import ApiMetrics
from quantumd.model.context import Context

RETRY_SECONDS: Final = 1.0
"""After what time a client comes again when its stream has ended."""

_HEADERS: Final = (
    (b"Content-Type", CONTENT_TYPE),
    (b"Cache-Control", b"no-store"),
    # nginx would keep events back until it has some kilobytes of them.
    (b"X-Accel-Buffering", b"no"),
)


@define(eq=False)
class Events:
    """Answers requests for events."""

    reactor: Any
    store: IStore
    served: Iterable[Resource]
    settings: ApiSettings
    metrics: ApiMetrics
    policy: Policy
    hub: EventHub = field(init=False)

    @hub.default
    def _make_hub(self) -> EventHub:
        hub = EventHub(
            self.reactor,
            self.store,
            catalogue_of(self.served, self.policy),
            self.settings.event_streams,
            self.settings.event_streams_per_caller,
            self.settings.event_heartbeat_seconds,
            self.settings.event_stalled_seconds,
            _ask_again,
        )
        self.metrics.event_streams.set_function(lambda: hub.count)
        return hub

    async def answer(self, request: ApiRequest) -> None:
        """Stream until the client leaves, its token ends, or this process does."""
        request.resource_label = "events"
        if not accepts(request.getHeader("accept")):
            raise NotAcceptable()
        given = parameters(request.query_string)
        context = self.policy.bind(request.context)
        asked = wanted(context, given, request.getHeader("last-event-id"), self.hub.catalogue.resources)
        leave = self.hub.admit(context)
        try:
            await self._stream(request, context, asked)
        finally:
            leave()

    async def _stream(self, request: ApiRequest, context: Context, asked: Wanted) -> None:
        ends = await self.hub.ends()
        for name, value in _HEADERS:
            request.setHeader(name, value)
        if request.method == b"HEAD":
            return
        lost = None if asked.after is None or ends.reach(asked.after) else asked.after
        position = ends.last if asked.after is None or lost is not None else asked.after

        def stream_of(audience: Audience) -> EventStream:
            return EventStream(request, audience, position, asked.resources, self.hub.read_page, self.reactor.seconds)

        stream = self.hub.add(stream_of, who(context, asked.scope), ends.last)
        request.notifyFinish().addErrback(lambda _: stream.stopProducing())
        try:
            stream.open(RETRY_SECONDS, lost)
            if self.hub.is_stopping:
                stream.end("the server restarts")
            await stream.done
        finally:
            self.hub.remove(stream)

    def stop(self) -> None:
        """End every stream, and from now on each as soon as it has begun."""
        self.hub.stop()


def _ask_again(stream: EventStream) -> None:
    """Ask once more who the caller is: its token may have ended, or its roles changed."""
    request = stream.request
    channel = request.channel
    try:
        found = channel.site.identify(
            request.context.request_id, request.requestHeaders, channel.is_loopback, channel.peer
        )
    except QuantumdError:
        stream.end("the caller is not known any more")
        return
    if isinstance(found, Deferred):
        found.addCallbacks(_compare, _unknown, callbackArgs=(stream,), errbackArgs=(stream,))
    else:
        _compare(found, stream)


def _compare(context: Context, stream: EventStream) -> None:
    if context != stream.request.context:
        stream.end("the caller may see something else now")


def _unknown(failure: Failure, stream: EventStream) -> None:
    failure.trap(QuantumdError)
    stream.end("the caller is not known any more")

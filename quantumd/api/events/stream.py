"""One stream: what one caller has seen, and how fast it takes more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.api.events import wire
from quantumd.api.events.audience import Audience
from quantumd.api.events.reading import Page
from quantumd.api.request import ApiRequest
from quantumd.errors import QuantumdError

log = Logger()


class ReadPage(Protocol):
    """Reads from the journal for one stream."""

    def __call__(self, audience: Audience, after: int) -> Deferred[Page]:
        """Return the next rows of the audience's scope after a position."""


@implementer(IPushProducer)
@define(eq=False)
class EventStream:
    """Writes events to one request, as fast as its client takes them.

    It keeps no events: only the position that its client was sent. A client that is slow is sent the rest later, from
    what its audience keeps or from the journal. ``now`` returns seconds.
    """

    request: ApiRequest
    audience: Audience
    position: int
    resources: frozenset[str]
    read_page: ReadPage
    now: Callable[[], float]
    done: Deferred[None] = field(factory=Deferred, init=False)
    paused_at: float | None = field(default=None, init=False)
    """Since when the client takes nothing; None while it does."""
    due_at: float = field(default=0.0, init=False)
    """When the next heartbeat is due."""
    is_over: bool = field(default=False, init=False)
    _is_reading: bool = field(default=False, init=False)

    def open(self, retry_seconds: float, lost: int | None) -> None:
        """Begin.

        :param lost: the position after which the client asked, if not all that came after it is there.
        """
        self.request.registerProducer(self, True)
        self.request.write(wire.opening(self.position, retry_seconds))
        if lost is not None:
            self._tell_pruned(lost)
        self.pull()

    def pull(self) -> None:
        """Write what there is, if the client takes it."""
        while not (self.is_over or self._is_reading or self.paused_at is not None):
            if self.position < self.audience.begins_after:
                self._catch_up()
                return
            piece = self.audience.after(self.position, self.resources)
            if piece.position <= self.position:
                return
            self.position = piece.position
            if piece.data:
                self.request.write(piece.data)

    def beat(self) -> None:
        """Show that the connection lives."""
        if not self.is_over and self.paused_at is None:
            self.request.write(wire.HEARTBEAT)

    def end(self, why: str) -> None:
        """End gently; the client may come again."""
        if not self.is_over:
            self.request.write(wire.comment(why))
            self._finish()

    def cut(self) -> None:
        """End at once: the client takes nothing."""
        if not self.is_over:
            self.request.channel.abort()
            self._finish()

    def pauseProducing(self) -> None:
        """The client is slow."""
        self.paused_at = self.now()

    def resumeProducing(self) -> None:
        """The client has taken what was sent."""
        self.paused_at = None
        self.pull()

    def stopProducing(self) -> None:
        """The client is gone."""
        self._finish()

    def _catch_up(self) -> None:
        self._is_reading = True
        self.read_page(self.audience, self.position).addCallbacks(self._take, self._fail)

    def _take(self, page: Page) -> None:
        self._is_reading = False
        if self.is_over:
            return
        if not page.is_complete:
            lost, self.position = self.position, page.up_to
            self._tell_pruned(lost)
        else:
            # What the audience reads next is not before the journal's end, whatever was pruned meanwhile.
            self.position = max(page.up_to, self.audience.begins_after) if page.up_to == self.position else page.up_to
            self._write(page)
        self.pull()

    def _write(self, page: Page) -> None:
        events = self.audience.events_of(page.rows)
        data = b"".join(each.data for each in events if not self.resources or each.resource in self.resources)
        if data:
            self.request.write(data)

    def _tell_pruned(self, asked: int) -> None:
        self.request.write(wire.event(self.position, wire.PRUNED, {"asked": asked, "position": self.position}))

    def _fail(self, failure: Failure) -> None:
        self._is_reading = False
        if failure.check(QuantumdError) is None and not self.is_over:
            log.failure("a stream of events could not read the journal", failure)
        self.end("the journal cannot be read at the moment")

    def _finish(self) -> None:
        if self.is_over:
            return
        self.is_over = True
        if not self.request.is_gone:
            self.request.unregisterProducer()
        self.done.callback(None)

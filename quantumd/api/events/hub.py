"""All streams of events: one read of the journal for a commit serves them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.logger import Logger

from quantumd.api.events.audience import Audience, Who
from quantumd.api.events.errors import NoRoomForStreams, TooManyStreams
from quantumd.api.events.reading import Ends, News, Page, read_ends, read_news, read_page
from quantumd.api.events.sight import Catalogue, Sight
from quantumd.api.events.stream import EventStream
from quantumd.interfaces import IStore
from quantumd.model.context import Context, Scope
from quantumd.store.journal import JournalRow

log = Logger()

GATHER_SECONDS: Final = 0.01
GATHER_SECONDS_EACH: Final = 0.0002
"""How long commits are gathered before the journal is read for the streams, and how much longer for each of them: a
write to a stream costs the same for one event and for several."""

STREAMS_A_TURN: Final = 50
"""How many streams are written to in one turn of the reactor."""

LOOK_SECONDS: Final = 1.0
"""How often streams are looked after, and the journal for what other processes commit."""

READS_AT_ONCE: Final = 2
"""How many streams may read the journal by themselves at a time; others wait, so that requests need not."""


@define(eq=False)
class EventHub:
    """Keeps the streams, reads the journal for them, and ends those that must end.

    ``check(stream)`` is called with each heartbeat of a stream: it ends those whose caller is not known any more.
    Nothing is read while there is no stream.
    """

    reactor: Any
    store: IStore
    catalogue: Catalogue
    most: int
    most_per_caller: int
    heartbeat_seconds: float
    stalled_seconds: float
    check: Callable[[EventStream], None]
    is_stopping: bool = field(default=False, init=False)
    _streams: dict[EventStream, Who] = field(factory=dict, init=False)
    _audiences: dict[Who, Audience] = field(factory=dict, init=False)
    _listeners: Counter[Who] = field(factory=Counter, init=False)
    _admitted: Counter[tuple[str | None, str | None]] = field(factory=Counter, init=False)
    _read_up_to: int = field(default=0, init=False)
    _is_reading: bool = field(default=False, init=False)
    _is_behind: bool = field(default=False, init=False)
    _is_listening: bool = field(default=False, init=False)
    _look: IDelayedCall | None = field(default=None, init=False)
    _gathering: IDelayedCall | None = field(default=None, init=False)
    _turn: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(READS_AT_ONCE), init=False)

    @property
    def count(self) -> int:
        """How many streams there are."""
        return len(self._streams)

    @property
    def audiences(self) -> Iterable[Audience]:
        """Those who see the same, each once."""
        return self._audiences.values()

    def admit(self, context: Context) -> Callable[[], None]:
        """Let a caller have one more stream; return what gives its place back.

        :raises TooManyStreams, NoRoomForStreams: as its name says.
        """
        caller = (context.user_id, context.project_id)
        if self._admitted[caller] >= self.most_per_caller:
            raise TooManyStreams(self.most_per_caller)
        if self._admitted.total() >= self.most:
            raise NoRoomForStreams()
        self._admitted[caller] += 1

        def leave() -> None:
            self._admitted[caller] -= 1
            if not self._admitted[caller]:
                del self._admitted[caller]

        return leave

    def ends(self) -> Deferred[Ends]:
        """Return how far the journal reaches."""
        return self.store.read(read_ends)

    def add(self, stream_of: Callable[[Audience], EventStream], who: Who, newest: int) -> EventStream:
        """Add a stream to those who see the same; ``newest`` is a position that the journal has reached."""
        if not self._streams:
            self._read_up_to = max(self._read_up_to, newest)
            self._listen()
        audience = self._audiences.get(who)
        if audience is None:
            sight = Sight(who.caller, self.catalogue)
            audience = self._audiences[who] = Audience(who.scope, sight, self._read_up_to)
        stream = stream_of(audience)
        stream.due_at = self.reactor.seconds() + self.heartbeat_seconds
        self._streams[stream] = who
        self._listeners[who] += 1
        return stream

    def remove(self, stream: EventStream) -> None:
        """Forget a stream that has ended."""
        who = self._streams.pop(stream)
        self._listeners[who] -= 1
        if not self._listeners[who]:
            del self._listeners[who], self._audiences[who]
        if not self._streams and self._look is not None:
            self._look.cancel()
            self._look = None

    def read_page(self, audience: Audience, after: int) -> Deferred[Page]:
        """See ReadPage."""
        page: Deferred[Page] = self._turn.run(
            self.store.read, lambda connection: read_page(connection, audience.scope, after)
        )
        return page

    def stop(self) -> None:
        """End every stream: this process ends, another one goes on."""
        self.is_stopping = True
        for stream in tuple(self._streams):
            stream.end("the server restarts")

    def _listen(self) -> None:
        if not self._is_listening:
            self._is_listening = True
            self.store.on_commit(self._committed)
        self._look = self.reactor.callLater(LOOK_SECONDS, self._look_after)

    def _committed(self, position: int) -> None:
        if self._streams and position > self._read_up_to and self._gathering is None:
            seconds = GATHER_SECONDS + GATHER_SECONDS_EACH * self.count
            self._gathering = self.reactor.callLater(seconds, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        self._read()

    def _look_after(self) -> None:
        self._look = self.reactor.callLater(LOOK_SECONDS, self._look_after)
        now = self.reactor.seconds()
        for stream in tuple(self._streams):
            if stream.paused_at is not None and now - stream.paused_at >= self.stalled_seconds:
                log.info("a stream of events is cut: its client takes nothing")
                stream.cut()
            elif now >= stream.due_at:
                stream.due_at = now + self.heartbeat_seconds
                stream.beat()
                self.check(stream)
        self._read()

    def _read(self) -> None:
        """Read once more, unless that is under way: then once more afterwards."""
        self._is_behind = True
        if not self._is_reading:
            self._is_reading = True
            Deferred.fromCoroutine(self._read_on()).addErrback(self._failed)

    async def _read_on(self) -> None:
        try:
            while self._is_behind and self._streams:
                self._is_behind = False
                await self._read_once()
        finally:
            self._is_reading = False

    async def _read_once(self) -> None:
        audiences = tuple(self._audiences.values())
        scopes = {each.scope for each in audiences}
        projects = frozenset(each.project_id for each in scopes if each.project_id is not None)
        is_everything = any(each.is_everything for each in scopes)
        after = self._read_up_to
        news = await self.store.read(lambda connection: read_news(connection, after, projects, is_everything))
        self._read_up_to = max(self._read_up_to, news.up_to)
        if news.is_whole:
            return
        self._is_behind = True
        for audience in self._audiences.values():
            if audience not in audiences:
                audience.skip(news.up_to)
        for audience in audiences:
            audience.add(_rows(news, audience), news.up_to)
        for number, stream in enumerate(tuple(self._streams), start=1):
            stream.pull()
            if number % STREAMS_A_TURN == 0:
                await deferLater(self.reactor, 0.0)
        for audience in audiences:
            audience.trim()

    def _failed(self, failure: Any) -> None:
        # The next look tries again.
        log.failure("the journal could not be read for streams of events; next try in {s} s", failure, s=LOOK_SECONDS)


def _rows(news: News, audience: Audience) -> Sequence[JournalRow]:
    project_id = audience.scope.project_id
    return news.everything if project_id is None else news.by_project.get(project_id, ())


def who(context: Context, scope: Scope) -> Who:
    """Return what decides what a caller's streams show: everything about it but its request."""
    return Who(evolve(context, request_id="", global_request_id=None), scope)

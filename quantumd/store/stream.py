"""Long answers, made chunk by chunk on the reader threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, TypeAlias

from attrs import frozen
from sqlalchemy import Connection
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.errors import EdgeTimeout
from quantumd.interfaces import IByteStream
from quantumd.store.connecting import sentence_of
from quantumd.store.delivery import Reactor
from quantumd.store.errors import StoreBusy
from quantumd.store.readers import ConnectionGone, Readers

ChunkWork: TypeAlias = Callable[[Connection], Iterator[bytes]]


@frozen
class StreamLimits:
    """Time limits of long streams, in seconds.

    ``idle``: between a chunk and the asking for the next; ``total``: from the first chunk to the last;
    ``line``: waiting for the streams before.
    """

    idle: float = 30.0
    total: float = 300.0
    line: float = 60.0


class Line:
    """Who may be under way with more than one chunk: one stream at a time, the others in the order in which they came.

    ``enter`` is called on reader threads, the rest on the reactor thread.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._holder: ByteStream | None = None
        self._waiting: deque[tuple[ByteStream, Callable[[], None]]] = deque()

    @property
    def waiting(self) -> int:
        """How many streams wait in line."""
        return len(self._waiting)

    def enter(self, stream: ByteStream) -> bool:
        """Take the place if it is free; return whether ``stream`` has it."""
        with self._lock:
            if self._holder is None:
                self._holder = stream
            return self._holder is stream

    def wait(self, stream: ByteStream, go: Callable[[], None]) -> None:
        """Stand in line; ``go`` is called when the place is this stream's, at once if it is free."""
        if self.enter(stream):
            go()
        else:
            self._waiting.append((stream, go))

    def leave(self, stream: ByteStream) -> None:
        """Give the place up, or the wait for it."""
        self._waiting = deque(item for item in self._waiting if item[0] is not stream)
        following = None
        with self._lock:
            if self._holder is stream:
                # Handed on under the lock, so that no newcomer on a reader thread takes it first.
                following = self._waiting.popleft() if self._waiting else None
                self._holder = following[0] if following else None
        if following:
            following[1]()

    def dissolve(self) -> None:
        """End every stream that is under way or waits: the store stops."""
        for stream in (*(stream for stream, _ in self._waiting), self._holder):
            if stream is not None:
                stream.cancel()


@frozen
class _Step:
    """What a step on a reader thread gave: a chunk (None: there is none) and whether it was the last."""

    chunk: bytes | None
    is_last: bool


_MUST_WAIT = _Step(None, False)
"""The stream is a long one, and another long one is under way."""


class _Run:
    """One run of the work over one transaction. Used on reader threads, by one at a time."""

    def __init__(self, readers: Readers, work: ChunkWork, may_go_on: Callable[[], bool]) -> None:
        self.is_unwanted = False
        """Set on the reactor thread: a step at work ends the run when it is done."""
        self._connections = readers.connections
        self._work = work
        self._may_go_on = may_go_on
        self._connection: Connection | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._held: bytes | None = None

    def step(self) -> _Step:
        """Make one chunk more than is handed out, so that the last one is known to be the last."""
        is_first = self._connection is None
        try:
            if is_first:
                self._begin()
            chunk, self._held = self._held, self._guarded(lambda: next(self._chunks, None))
        except BaseException:
            self.close()
            raise
        is_last = self._held is None
        must_wait = is_first and not is_last and not self._may_go_on()
        if is_last or must_wait or self.is_unwanted:
            self.close()
        return _MUST_WAIT if must_wait else _Step(chunk, is_last)

    def _begin(self) -> None:
        """Make the first chunk; once more on a new connection when the one at hand was dead."""
        try:
            self._begin_once()
        except ConnectionGone:
            self._begin_once()

    def _begin_once(self) -> None:
        self._connection = self._connections.take()
        self._held = self._guarded(self._first)

    def _first(self) -> bytes | None:
        if self._connection is not None:
            self._connection.begin()
            self._chunks = iter(self._work(self._connection))
        return next(self._chunks, None)

    def _guarded(self, make: Callable[[], bytes | None]) -> bytes | None:
        connection = self._connection
        try:
            return make()
        except self._connections.errors as error:
            self._connection = None
            if connection is not None and self._connections.give_broken(connection, error):
                raise ConnectionGone(sentence_of(error)) from None
            raise

    def close(self) -> None:
        """End the work and its transaction."""
        connection, self._connection = self._connection, None
        chunks, self._chunks, self._held = self._chunks, iter(()), None
        if connection is None:
            return
        try:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        finally:
            self._connections.give(connection)


@implementer(IByteStream)
class ByteStream:
    """Implements IByteStream on the reader threads."""

    def __init__(
        self,
        reactor: Reactor,
        readers: Readers,
        line: Line,
        limits: StreamLimits,
        refusal: Callable[[], Exception | None],
        work: ChunkWork,
    ) -> None:
        self.is_finished = False
        self._reactor = reactor
        self._refusal = refusal
        self._is_begun = False
        self._readers = readers
        self._line = line
        self._limits = limits
        self._run = _Run(readers, work, lambda: line.enter(self))
        self._asked: Deferred[bytes | None] | None = None
        self._is_stepping = False
        self._failure: Failure | None = None
        self._deadline: float | None = None
        self._timer: IDelayedCall | None = None

    def next(self) -> Deferred[bytes | None]:
        """See IByteStream."""
        if self._asked is not None:
            raise RuntimeError("the chunk asked for before has not arrived yet")
        if self._failure is not None:
            return defer.fail(self._failure)
        if self.is_finished:
            return defer.succeed(None)
        if self._deadline is not None and self._reactor.seconds() > self._deadline:
            self._expire()
            return self.next()
        refusal = None if self._is_begun else self._refusal()
        if refusal is not None:
            return defer.fail(refusal)
        self._is_begun = True
        self._set_timer(None)
        self._asked = Deferred(lambda _: self.cancel())
        asked = self._asked
        self._step()
        return asked

    def cancel(self) -> None:
        """See IByteStream."""
        self._end(Failure(defer.CancelledError()))

    def _step(self) -> None:
        self._is_stepping = True
        self._readers.put_long(self._run.step).addCallbacks(self._stepped, self._failed)

    def _stepped(self, step: _Step) -> None:
        self._is_stepping = False
        if self._failure is not None:
            self._release()
        elif step is _MUST_WAIT:
            self._set_timer(self._limits.line, self._line_stands)
            self._line.wait(self, self._go)
        else:
            self._hand_out(step)

    def _go(self) -> None:
        self._set_timer(None)
        self._step()

    def _failed(self, failure: Failure) -> None:
        self._is_stepping = False
        self._end(failure)

    def _hand_out(self, step: _Step) -> None:
        asked, self._asked = self._asked, None
        if step.is_last:
            self.is_finished = True
            self._line.leave(self)
        else:
            self._set_timer(self._limits.idle, self._expire)
            if self._deadline is None:
                self._deadline = self._reactor.seconds() + self._limits.total
        if asked is not None:
            asked.callback(step.chunk)

    def _line_stands(self) -> None:
        self._end(Failure(StoreBusy(self._line.waiting)))

    def _expire(self) -> None:
        self._end(Failure(EdgeTimeout("The list was not taken off the database in time; it was ended.")))

    def _end(self, failure: Failure) -> None:
        """End early. What is being made at the moment on a thread is thrown away when it arrives."""
        if self.is_finished:
            return
        self.is_finished = True
        self._failure = failure
        self._set_timer(None)
        asked, self._asked = self._asked, None
        self._run.is_unwanted = True
        if not self._is_stepping:
            self._release()
        if asked is not None:
            asked.errback(failure)

    def _release(self) -> None:
        self._readers.put_long(self._run.close).addBoth(lambda _: self._line.leave(self))

    def _set_timer(self, seconds: float | None, call: Callable[[], Any] | None = None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None if seconds is None or call is None else self._reactor.callLater(seconds, call)

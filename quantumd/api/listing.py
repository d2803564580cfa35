"""Lists: read and serialised in chunks on a database thread, and handed to the client as fast as it takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.api.etags import is_known
from quantumd.api.links import PageEnds, PageLinks
from quantumd.api.request import ApiRequest
from quantumd.api.views import Shape
from quantumd.interfaces import IByteStream

CHUNK_BYTES: Final = 262_144
"""No chunk is larger."""

_VIEWS_AT_ONCE: Final = 32


def list_chunks(
    collection: str, batches: Iterable[list[dict[str, Any]]], shape: Shape, links: PageLinks | None = None
) -> Iterator[bytes]:
    """Yield the body that lists the views, in chunks of at most ``CHUNK_BYTES``. Runs on a database thread.

    :param links: makes the links to the pages around this one; None for what is no page.
    """
    buffer = bytearray(b'{"%s":[' % collection.encode())
    ends = PageEnds()
    separator = b""
    for views in _slices(batches):
        if links is not None:
            ends.note(views)
        # Without its brackets a serialised slice is a piece of the list.
        buffer += separator
        buffer += orjson.dumps([shape.apply(view) for view in views])[1:-1]
        separator = b","
        while len(buffer) > CHUNK_BYTES:
            yield bytes(buffer[:CHUNK_BYTES])
            del buffer[:CHUNK_BYTES]
    buffer += b"]}" if links is None else b'],"%s_links":%s}' % (collection.encode(), links.body(ends))
    if len(buffer) > CHUNK_BYTES:
        yield bytes(buffer[:CHUNK_BYTES])
        del buffer[:CHUNK_BYTES]
    yield bytes(buffer)


def _slices(batches: Iterable[list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    for batch in batches:
        for start in range(0, len(batch), _VIEWS_AT_ONCE):
            yield batch[start : start + _VIEWS_AT_ONCE]


async def answer_stream(request: ApiRequest, stream: IByteStream) -> None:
    """Answer with the stream: in one write of known length when it is one chunk, else chunk by chunk.

    An error of the first chunk flies, so that the caller gets a proper answer. Once bytes are out an error can only be
    shown by breaking the connection, so that nobody takes half a list for the whole.
    """
    gone = request.notifyFinish()
    gone.addErrback(lambda _: stream.cancel())
    first = await stream.next() or b""
    if request.is_gone:
        return
    if stream.is_finished:
        if not is_known(request, first):
            request.write(request.show(200, first))
        return
    request.setHeader(b"Content-Type", b"application/json")
    if request.method == b"HEAD":
        stream.cancel()
    else:
        await ChunkProducer(request, stream).run(first)


@implementer(IPushProducer)
@define
class ChunkProducer:
    """Asks the stream for a chunk while the client takes the one before, and holds it until that is taken.

    It pulls from the stream and pushes to the channel: Twisted drives a pull producer in a busy loop, which would burn
    the reactor's time while a database thread makes the next chunk.
    """

    _request: ApiRequest
    _stream: IByteStream
    _done: Deferred[None] = field(factory=Deferred)
    _held: bytes | None = None
    _is_paused: bool = False
    _is_waiting: bool = False
    _is_stopped: bool = False

    def run(self, first: bytes) -> Deferred[None]:
        """Write the first chunk and all others; fires when the last one is written or the client is gone."""
        self._request.registerProducer(self, True)
        self._request.write(first)
        self._pull()
        return self._done

    def pauseProducing(self) -> None:
        """The client is slow: write no more chunks."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """The client has taken what was sent."""
        self._is_paused = False
        held, self._held = self._held, None
        if held is not None:
            self._request.write(held)
            self._pull()

    def stopProducing(self) -> None:
        """The client is gone."""
        self._stop()

    def _pull(self) -> None:
        if self._is_waiting or self._is_stopped:
            return
        if self._stream.is_finished:
            self._stop()
            return
        self._is_waiting = True
        self._stream.next().addCallbacks(self._take, self._fail)

    def _take(self, chunk: bytes | None) -> None:
        self._is_waiting = False
        if self._is_stopped:
            return
        if chunk is None:
            self._stop()
        elif self._is_paused:
            self._held = chunk
        else:
            self._request.write(chunk)
            self._pull()

    def _fail(self, failure: Failure) -> None:
        self._is_waiting = False
        if self._is_stopped:
            return
        # A client that left cancels the stream, which is no error.
        if not self._request.is_gone:
            self._request.break_off(failure)
        self._stop()

    def _stop(self) -> None:
        if self._is_stopped:
            return
        self._is_stopped = True
        self._stream.cancel()
        if not self._request.is_gone:
            self._request.unregisterProducer()
        self._done.callback(None)

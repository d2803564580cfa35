"""Lists: filters, fields, and bodies that are sent in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from attrs import define
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.listing import CHUNK_BYTES, list_chunks
from quantumd.api.views import Shape
from tests.api.wire import MEMBER, Wire, parse_replies

_VIEWS = st.dictionaries(st.text(max_size=3), st.text(max_size=9), max_size=3)
PLAIN = Shape((), None, False)


class QueryTests(SynchronousTestCase):
    """The query language."""

    def setUp(self) -> None:
        """Serve three widgets."""
        self.wire = Wire()
        for name, project in (("a", "p1"), ("b", "p1"), ("", "p2")):
            self.wire.create(name=name, project_id=project)

    def names(self, query: str, headers: dict[str, str] | None = None) -> list[str]:
        """Return the names that a query finds."""
        reply = self.wire.request("GET", f"/v2.0/widgets?fields=name&{query}", headers=headers)
        return [each["name"] for each in reply.json["widgets"]]

    def test_a_key_twice_is_or(self) -> None:
        """Several values of one filter are alternatives."""
        self.assertEqual(self.names("name=a&name=b"), ["a", "b"])

    def test_two_keys_are_and(self) -> None:
        """Several filters must all match."""
        self.assertEqual(self.names("name=a&tenant_id=p2"), [])

    def test_an_empty_value_is_a_value(self) -> None:
        """Filtering by the empty text finds what has none."""
        self.assertEqual(self.names("name="), [""])

    def test_values_are_converted(self) -> None:
        """Booleans may be written in any form."""
        self.assertEqual(self.names("admin_state_up=TRUE&size=1&name=a"), ["a"])

    def test_members_see_their_own(self) -> None:
        """Rows of other projects are not listed."""
        self.assertEqual(self.names("", MEMBER), ["a", "b"])

    def test_unknown_filters_are_named(self) -> None:
        """A filter that does not exist is refused."""
        reply = self.wire.request("GET", "/v2.0/widgets?nope=1")
        self.assertEqual(reply.error, (400, "HTTPBadRequest", "['nope'] is invalid attribute for filtering"))

    def test_a_filter_value_of_the_wrong_type_is_refused(self) -> None:
        """A filter that cannot match because its value is none of the attribute's is refused."""
        reply = self.wire.request("GET", "/v2.0/widgets?admin_state_up=perhaps")
        self.assertEqual(reply.error[:2], (400, "InvalidInput"))

    def test_text_that_is_not_utf8_is_refused(self) -> None:
        """A query of other bytes is a bad request."""
        for query in ("name=%ff", "name=%00", "%ff=1"):
            self.assertEqual(self.wire.request("GET", f"/v2.0/widgets?{query}").error[:2], (400, "HTTPBadRequest"))

    def test_unknown_fields_are_ignored(self) -> None:
        """Fields that do not exist are not shown and not refused."""
        reply = self.wire.request("GET", "/v2.0/widgets?name=a&fields=name&fields=nope")
        self.assertEqual(reply.json, {"widgets": [{"name": "a"}]})

    def test_an_empty_field_is_none(self) -> None:
        """As today who names no field gets all."""
        whole = self.wire.request("GET", "/v2.0/widgets?name=a").json
        self.assertEqual(self.wire.request("GET", "/v2.0/widgets?name=a&fields=").json, whole)
        named = self.wire.request("GET", "/v2.0/widgets?name=a&fields=&fields=name").json
        self.assertEqual(named, {"widgets": [{"name": "a"}]})

    def test_a_small_list_has_a_known_length(self) -> None:
        """A list that fits into one chunk is sent with its length."""
        reply = self.wire.request("GET", "/v2.0/widgets")
        self.assertEqual(int(reply.headers["content-length"]), len(reply.body))

    def test_no_rows_are_an_empty_list(self) -> None:
        """An empty list is a list."""
        self.assertEqual(Wire().request("GET", "/v2.0/widgets").json, {"widgets": []})


class ChunkTests(SynchronousTestCase):
    """How a list is cut."""

    @settings(deadline=None)
    @given(st.lists(st.lists(_VIEWS, max_size=70), max_size=4))
    def test_the_chunks_are_the_list(self, batches: list[list[dict[str, Any]]]) -> None:
        """Put together, the chunks are the list in its order."""
        body = b"".join(list_chunks("things", [[dict(each) for each in batch] for batch in batches], PLAIN))
        self.assertEqual(orjson.loads(body), {"things": [each for batch in batches for each in batch]})

    def test_no_chunk_is_too_large_or_empty(self) -> None:
        """Chunks are never larger than the limit, also with huge views."""
        views = [[{"name": "x" * 100_000} for _ in range(20)], [], [{"name": "y" * 1_000_000}]]
        sizes = [len(chunk) for chunk in list_chunks("things", views, PLAIN)]
        self.assertLessEqual(max(sizes), CHUNK_BYTES)
        self.assertGreater(min(sizes), 0)


@define
class _ScriptedStream:
    """A stream that gives chunks, fails, or waits, as it is told."""

    script: list[bytes | Exception | None]
    is_cancelled: bool = False
    asked: int = 0
    waiting: Deferred[bytes | None] | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will come."""
        return self.is_cancelled or not self.script

    def next(self) -> Deferred[bytes | None]:
        """Give the next item; None waits."""
        self.asked += 1
        item = self.script.pop(0)
        if item is None:
            self.waiting = Deferred()
            return self.waiting
        if isinstance(item, Exception):
            failed: Deferred[bytes | None] = Deferred()
            failed.errback(Failure(item))
            return failed
        return succeed(item)

    def cancel(self) -> None:
        """Note it, and end what waits."""
        self.is_cancelled = True
        if self.waiting is not None and not self.waiting.called:
            self.waiting.errback(Failure(CancelledError()))


@define
class _StreamStore:
    """A store whose lists are a scripted stream."""

    scripted: _ScriptedStream

    def stream(self, work: Any) -> _ScriptedStream:
        """Return the stream, whatever the work."""
        return self.scripted


def _list(stream: _ScriptedStream, method: str = "GET") -> tuple[Any, Any]:
    wire = Wire(store=_StreamStore(stream))
    channel, transport = wire.connect()
    channel.dataReceived(f"{method} /v2.0/widgets HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return channel, transport


class StreamTests(SynchronousTestCase):
    """Long lists on the wire."""

    def test_long_lists_are_sent_in_chunks(self) -> None:
        """A list of several chunks arrives whole, and the connection lives on."""
        _, transport = _list(_ScriptedStream([b'{"widgets":[', b"1,2", b"]}"]))
        reply = parse_replies(transport.value())[0]
        self.assertEqual((reply.status, reply.json), (200, {"widgets": [1, 2]}))
        self.assertFalse(transport.disconnecting)

    def test_a_slow_client_is_not_sent_more(self) -> None:
        """One chunk is made while the client takes those before, and is held until it has; no other is made."""
        stream = _ScriptedStream([b'{"widgets":[', None, b"1", b"]}"])
        channel, transport = _list(stream)
        channel.pauseProducing()
        if stream.waiting is not None:
            stream.waiting.callback(b"0,")
        self.assertEqual((stream.asked, b"0," in transport.value()), (2, False))
        channel.resumeProducing()
        self.assertEqual(stream.asked, 4)
        self.assertEqual(parse_replies(transport.value())[0].json, {"widgets": [0, 1]})

    def test_a_slow_client_that_leaves_ends_the_stream(self) -> None:
        """Also when a chunk is held for it."""
        stream = _ScriptedStream([b"[", None, b"1", b"]"])
        channel, transport = _list(stream)
        channel.pauseProducing()
        if stream.waiting is not None:
            stream.waiting.callback(b"0,")
        transport.loseConnection()
        self.assertEqual((stream.asked, stream.is_cancelled), (2, True))

    def test_a_client_that_leaves_ends_the_stream(self) -> None:
        """The transaction of a list is freed when its client is gone."""
        stream = _ScriptedStream([b"[", None])
        _, transport = _list(stream)
        transport.loseConnection()
        self.assertTrue(stream.is_cancelled)

    def test_a_client_that_leaves_before_the_first_chunk_ends_the_stream(self) -> None:
        """Also when nothing was sent yet."""
        stream = _ScriptedStream([None])
        _, transport = _list(stream)
        transport.loseConnection()
        self.assertTrue(stream.is_cancelled)

    def test_an_error_of_the_first_chunk_is_a_proper_answer(self) -> None:
        """A list that cannot begin is an error answer."""
        _, transport = _list(_ScriptedStream([ZeroDivisionError()]))
        self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual(parse_replies(transport.value())[0].status, 500)

    def test_an_error_in_the_middle_breaks_the_connection(self) -> None:
        """Half a list is never taken for the whole: the answer does not end properly."""
        _, transport = _list(_ScriptedStream([b"[", ZeroDivisionError()]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertFalse(transport.connected)
        self.assertFalse(transport.value().endswith(b"0\r\n\r\n"))

    def test_head_of_a_long_list_reads_no_more_than_its_beginning(self) -> None:
        """HEAD does not make the whole list."""
        stream = _ScriptedStream([b"[", b"]"])
        _list(stream, "HEAD")
        self.assertEqual((stream.asked, stream.is_cancelled), (1, True))

    def test_batches_are_read_bit_by_bit(self) -> None:
        """The first chunk needs only the batches that fill it."""
        read = []

        def batches() -> Iterator[list[dict[str, Any]]]:
            for number in range(100):
                read.append(number)
                yield [{"name": "x" * 10_000} for _ in range(10)]

        next(list_chunks("things", batches(), PLAIN))
        self.assertLess(len(read), 5)

"""Requests that come in one piece, and how long a connection may be silent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.head import plain_request
from quantumd.errors import EdgeUnavailable
from tests.api.wire import NETWORK, Wire, parse_replies

GET = b"GET /v2.0/widgets?limit=1 HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v2.0/widgets HTTP/1.1\r\nHost: x\r\n"
BODY = b'{"widget": {"network_id": "%s"}}' % NETWORK.encode()


def _is_plain(data: bytes) -> bool:
    return plain_request(data, 16_384, 10_000, 500) is not None


class PlainTests(SynchronousTestCase):
    """What is read in one go, and what is left to Twisted's reader."""

    def test_plain_requests_are_read(self) -> None:
        """With and without a body."""
        found = plain_request(POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY, 16_384, 10_000, 500)
        self.assertEqual((found and found.method, found and found.body), (b"POST", BODY))
        self.assertTrue(_is_plain(GET + b"X-Roles: \t a, b \t\r\nConnection: keep-alive\r\n\r\n"))

    def test_whatever_is_in_doubt_is_left(self) -> None:
        """Nothing that two servers could read differently is read in one go."""
        for lines in (
            b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
            b"Content-Length: 4, 4\r\n\r\nbody",
            b"Content-Length: +4\r\n\r\nbody",
            b"Content-Length: 04 \x0b\r\n\r\nbody",
            b"Content-Length : 4\r\n\r\nbody",
            b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nbody",
            b"transfer-encoding: identity\r\n\r\n",
            b"X-A: 1\r\n folded: 2\r\n\r\n",
            b"X-A: 1\nX-B: 2\r\n\r\n",
            b"X-A: 1\rX-B: 2\r\n\r\n",
            b"X-A: \x00\r\n\r\n",
            b"X-A: \xc3\xa4\r\n\r\n",
            b"no colon\r\n\r\n",
            b": no name\r\n\r\n",
            b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
            b"Connection: close\r\n\r\n",
            b"Connection: keep-alive\r\nConnection: close\r\n\r\n",
        ):
            self.assertFalse(_is_plain(POST + lines), lines)

    def test_pieces_and_several_at_once_are_left(self) -> None:
        """One piece, one request."""
        whole = POST + b"Content-Length: 4\r\n\r\nbody"
        for data in (whole[:-1], whole + b"x", whole + whole, GET, GET + b"\r", b"\r\n" + GET + b"\r\n"):
            self.assertFalse(_is_plain(data), data)

    def test_other_first_lines_are_left(self) -> None:
        """HTTP/1.0, absolute forms, spaces and signs beyond ASCII."""
        for line in (
            b"GET / HTTP/1.0",
            b"GET http://x/ HTTP/1.1",
            b"GET  / HTTP/1.1",
            b"OPTIONS * HTTP/1.1",
            b"GET /\xff HTTP/1.1",
        ):
            self.assertFalse(_is_plain(line + b"\r\n\r\n"), line)

    def test_limits_hold(self) -> None:
        """A head or a body that is too large is not read at all."""
        self.assertFalse(_is_plain(GET + b"X-Long: " + b"x" * 16_384 + b"\r\n\r\n"))
        self.assertFalse(_is_plain(POST + b"Content-Length: 10001\r\n\r\n" + b"x" * 10_001))
        self.assertFalse(_is_plain(GET + b"X: 1\r\n" * 501 + b"\r\n"))


def _answers(wire: Wire, pieces: list[bytes]) -> list[tuple[int, Mapping[str, str], bytes]]:
    """Return the answers, without their time and what was made."""
    channel, transport = wire.connect()
    for piece in pieces:
        channel.dataReceived(piece)
    replies = parse_replies(transport.value())
    transport.loseConnection()
    return [(each.status, {**each.headers, "date": ""}, b"" if each.status == 201 else each.body) for each in replies]


_LINES = st.sampled_from(
    [
        b"X-Roles: member", b"X-Project-Id: p1", b"Content-Type: text/html", b"Connection: close", b"Cookie: a=b",
        b"Connection: keep-alive", b"If-None-Match: *", b"Content-Length: 3", b"Expect: 100-continue", b"Host: y",
    ]
)  # fmt: skip


class SameTests(SynchronousTestCase):
    """It makes no difference in how many pieces a request comes."""

    def setUp(self) -> None:
        """Serve."""
        self.wire = Wire()

    @settings(deadline=None)
    @given(
        st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"get"]),
        st.sampled_from([b"/", b"/v2.0/widgets", b"/v2.0/widgets?limit=x", b"/v2.0/widgets/1.json", b"/%ff", b"*"]),
        st.lists(_LINES, max_size=4),
        st.sampled_from([b"", BODY, b"{"]),
        st.integers(1, 200),
    )
    def test_whole_or_in_pieces(self, method: bytes, path: bytes, lines: list[bytes], body: bytes, cut: int) -> None:
        """The answers are the same, and so is what is refused."""
        lines = [b"Host: x", *lines, *([b"Content-Length: %d" % len(body)] if body else [])]
        data = b"%s %s HTTP/1.1\r\n%s\r\n\r\n%s" % (method, path, b"\r\n".join(lines), body)
        self.assertEqual(_answers(self.wire, [data]), _answers(self.wire, [data[:cut], data[cut:]]))


@define
class _SlowStore:
    """A store that answers when the test says so."""

    answer: Deferred[Any] = field(factory=Deferred)

    def read(self, work: Any) -> Deferred[Any]:
        """Answer later."""
        return self.answer


class SilenceTests(SynchronousTestCase):
    """A connection on which nothing comes is ended."""

    def setUp(self) -> None:
        """Serve, and connect."""
        self.wire = Wire()
        self.channel, self.transport = self.wire.connect()

    def test_silence_ends_a_connection(self) -> None:
        """From the last answer on."""
        self.wire.clock.advance(74)
        self.channel.dataReceived(GET + b"\r\n")
        self.wire.clock.advance(74)
        self.assertTrue(self.transport.connected)
        self.wire.clock.advance(1)
        self.assertFalse(self.transport.connected)

    def test_a_piece_breaks_the_silence(self) -> None:
        """Half a head is not silence."""
        self.wire.clock.advance(74)
        self.channel.dataReceived(GET)
        self.wire.clock.advance(74)
        self.assertTrue(self.transport.connected)
        self.transport.loseConnection()

    def test_waiting_for_an_answer_is_no_silence(self) -> None:
        """However long an answer takes; then the silence begins."""
        slow = _SlowStore()
        wire = Wire(store=slow)
        channel, transport = wire.connect()
        channel.dataReceived(b"GET /v2.0/widgets/1 HTTP/1.1\r\nHost: x\r\n\r\n")
        wire.clock.advance(1000)
        slow.answer.errback(EdgeUnavailable("at last"))
        wire.clock.advance(74)
        self.assertTrue(transport.connected)
        wire.clock.advance(1)
        self.assertFalse(transport.connected)

    def test_a_connection_that_is_gone_leaves_no_timer(self) -> None:
        """Nothing is left to do for it."""
        self.transport.loseConnection()
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])

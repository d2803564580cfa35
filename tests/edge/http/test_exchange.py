"""Requests to servers that do as they should, and to those that do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from quantumd.edge.http.answers import LARGEST_ANSWER_BYTES
from quantumd.edge.http.connection import CLOSE_SECONDS
from quantumd.edge.http.connections import IDLE_SECONDS
from quantumd.edge.http.exchange import Exchange, make_exchange
from quantumd.edge.http.messages import Reply
from quantumd.errors import EdgeUnavailable
from tests.bed.keystone_memory import MemoryEndpoints

ROOT = "http://keystone.example:5000/v3/"
SECONDS = 5.0
KEPT = 2
TOKEN = b"a-secret-token"


def answer(body: bytes, *headers: bytes) -> bytes:
    """Return an answer."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


class Server(Protocol):
    """Says what its script says, in answer to each request, and then closes when there is nothing left to say."""

    def __init__(self, script: Sequence[bytes | None], requests: list[bytes]) -> None:
        self._script = list(script)
        self._requests = requests
        self.is_open = True

    def dataReceived(self, data: bytes) -> None:
        """Take a request: they are small enough to come at once."""
        wire: Any = self.transport
        self._requests.append(data)
        if not self._script:
            wire.loseConnection()
            return
        said = self._script.pop(0)
        if said is not None:
            wire.write(said)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note it."""
        self.is_open = False

    def say(self, text: bytes) -> None:
        """Say something that nobody asked for."""
        wire: Any = self.transport
        wire.write(text)

    def leave(self) -> None:
        """Close."""
        wire: Any = self.transport
        wire.loseConnection()


class Case(SynchronousTestCase):
    """An exchange, and a server with a script for each connection; None is no answer."""

    def setUp(self) -> None:
        """Nobody has connected."""
        self.clock = Clock()
        self.scripts: list[Sequence[bytes | None]] = []
        self.servers: list[Server] = []
        self.requests: list[bytes] = []
        factory = Factory.forProtocol(self._serve)
        self.endpoints = MemoryEndpoints(factory, self.clock)
        self.exchange = self.make(ROOT)

    def make(self, root: str) -> Exchange:
        """Return an exchange with such a server."""
        return make_exchange(self.clock, root, SECONDS, KEPT, self.endpoints.endpoint_of)

    def _serve(self) -> Server:
        self.servers.append(Server(self.scripts.pop(0) if self.scripts else (), self.requests))
        return self.servers[-1]

    def send(self, method: bytes = b"GET", content: bytes | None = None) -> Deferred[Reply]:
        """Send a request with a token."""
        sending = Deferred.fromCoroutine(self.exchange.send(method, b"/a", {b"X-Auth-Token": TOKEN}, content))
        self.endpoints.flush()
        return sending

    def body(self) -> bytes:
        """Send a request that is answered."""
        reply: Reply = self.successResultOf(self.send())
        return reply.body

    def refusal(self, sending: Deferred[Reply] | None = None) -> str:
        """Send a request that is not; return why, in which nothing is that was sent or said."""
        said = str(self.failureResultOf(sending or self.send(), EdgeUnavailable).value)
        self.assertNotIn("secret", said)
        self.assertNotIn("keystone.example", said)
        self.assertIn("Keystone does not answer: ", said)
        return said

    def live(self) -> int:
        """How many connections are open, as the servers see it."""
        self.endpoints.flush()
        return sum(1 for server in self.servers if server.is_open)

    def timers(self) -> int:
        """How many moments are waited for."""
        return len(self.clock.getDelayedCalls())


class ConnectionsTests(Case):
    """Which connection carries what."""

    def test_one_carries_one_request_after_the_other(self) -> None:
        """As long as it is well."""
        self.scripts = [[answer(b"1"), answer(b"2"), answer(b"3")]]
        self.assertEqual([self.body() for _ in range(3)], [b"1", b"2", b"3"])
        self.assertEqual((len(self.servers), self.requests[0].split(b"\r\n")[0]), (1, b"GET /v3/a HTTP/1.1"))

    def test_requests_at_once_have_one_each(self) -> None:
        """Some of them are kept, the others closed."""
        self.scripts = [[answer(b"%d" % number)] for number in range(5)]
        sending = [Deferred.fromCoroutine(self.exchange.send(b"GET", b"/a", {})) for _ in range(5)]
        self.endpoints.flush()
        self.assertEqual({self.successResultOf(each).body for each in sending}, {b"0", b"1", b"2", b"3", b"4"})
        self.assertEqual(self.live(), KEPT)

    def test_one_that_rests_is_closed(self) -> None:
        """After a while."""
        self.scripts = [[answer(b"1")]]
        self.body()
        self.clock.advance(IDLE_SECONDS)
        self.assertEqual((self.live(), self.timers()), (0, 0))

    def test_one_is_for_one_origin(self) -> None:
        """A token for Nova at one place goes to no other."""
        self.scripts = [[answer(b"1")], [answer(b"2")], []]
        exchange = self.make("")
        for url in (b"http://one/a", b"http://two/a"):
            sending = Deferred.fromCoroutine(exchange.send(b"GET", url, {}))
            self.endpoints.flush()
            self.successResultOf(sending)
        self.assertEqual((len(self.servers), self.live()), (2, 2))

    def test_the_end_closes_all(self) -> None:
        """And waits for it; nothing is left to wait for then."""
        self.scripts = [[answer(b"1")]]
        self.body()
        closing = self.exchange.close()
        self.assertNoResult(closing)
        self.assertEqual(self.live(), 0)
        self.assertIsNone(self.successResultOf(closing))
        self.assertEqual(self.timers(), 0)

    def test_one_that_does_not_close_is_cut(self) -> None:
        """TLS asks the other side, which may say nothing."""
        self.scripts = [[answer(b"1")]]
        self.body()
        self.exchange.close()
        self.clock.advance(CLOSE_SECONDS)
        self.assertEqual((self.live(), self.timers()), (0, 0))


class ClosedTests(Case):
    """Servers close connections when they like."""

    def test_one_that_was_closed_is_not_used(self) -> None:
        """Another one is made."""
        self.scripts = [[answer(b"1")], [answer(b"2")]]
        self.body()
        self.servers[0].leave()
        self.endpoints.flush()
        self.assertEqual((self.body(), len(self.requests)), (b"2", 2))

    def test_a_question_whose_connection_was_closed_meanwhile_is_asked_again(self) -> None:
        """Once, on a new connection; the second time it is told."""
        self.scripts = [[answer(b"1")], [answer(b"2")], []]
        self.body()
        self.assertEqual((self.body(), len(self.servers)), (b"2", 2))
        self.refusal()
        self.assertEqual(len(self.servers), 3)

    def test_what_changes_something_is_not_sent_again(self) -> None:
        """Who sent it decides."""
        self.scripts = [[answer(b"1")]]
        self.body()
        self.assertIn("the connection ended", self.refusal(self.send(b"POST", b"{}")))
        self.assertEqual(len(self.servers), 1)

    def test_a_new_connection_that_closes_at_once(self) -> None:
        """That server would only do it again."""
        self.assertIn("the connection ended", self.refusal())
        self.assertEqual((len(self.requests), self.timers()), (1, 0))

    def test_the_server_says_that_it_closes(self) -> None:
        """The answer counts, the connection does not."""
        self.scripts = [[answer(b"1", b"Connection: close")], [answer(b"2")]]
        self.assertEqual([self.body(), self.body()], [b"1", b"2"])
        self.assertEqual((len(self.servers), self.live()), (2, 1))

    def test_a_body_may_end_with_the_connection(self) -> None:
        """Where no length was said."""
        self.scripts = [[b"HTTP/1.1 200 OK\r\n\r\nbody"]]
        sending = self.send()
        self.assertNoResult(sending)
        self.servers[0].leave()
        self.endpoints.flush()
        self.assertEqual(self.successResultOf(sending).body, b"body")

    def test_nobody_listens(self) -> None:
        """Refused connections are told as such."""
        self.endpoints.is_away = True
        self.assertIn("ConnectionRefusedError", self.refusal())


class HostileTests(Case):
    """Servers that do what none should: each loses its connection, and nothing is left behind."""

    def hostile(self, text: bytes, then: str = "stay") -> str:
        """Let a server say something; return why it is no answer."""
        self.scripts = [[text]]
        sending = self.send()
        if then == "leave":
            self.servers[-1].leave()
            self.endpoints.flush()
        said = self.refusal(sending)
        self.assertEqual((self.live(), self.timers()), (0, 0))
        return said

    def test_half_an_answer(self) -> None:
        """The connection ends in the head, in the body, in a chunk; it is not asked again."""
        chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"
        for text in (b"H", b"HTTP/1.1 200 OK\r\nA: secret", answer(b"secret")[:-1], chunk):
            self.assertIn("breaks off", self.hostile(text, "leave"))

    def test_half_an_answer_on_a_kept_connection(self) -> None:
        """Something came, so the question was understood: neither."""
        self.scripts = [[answer(b"1"), b"HTTP/1.1 2"]]
        self.body()
        sending = self.send()
        self.servers[0].leave()
        self.endpoints.flush()
        self.refusal(sending)
        self.assertEqual(len(self.servers), 1)

    def test_answers_without_end(self) -> None:
        """Nothing more is read of them."""
        self.assertIn("too long", self.hostile(b"HTTP/1.1 200 OK\r\nA: " + b"x" * LARGEST_ANSWER_BYTES))
        self.assertIn("too long", self.hostile(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * LARGEST_ANSWER_BYTES))
        self.assertIn("too long", self.hostile(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"))

    def test_what_is_no_http(self) -> None:
        """Another service has the port."""
        self.assertIn("not HTTP", self.hostile(b"SSH-2.0-secret\r\n\r\n"))

    def test_no_answer(self) -> None:
        """The time for it is over; a late one is nobody's."""
        self.scripts = [[None], [answer(b"2")]]
        sending = self.send()
        self.clock.advance(SECONDS)
        self.assertIn("too long", self.refusal(sending))
        self.servers[0].say(answer(b"1"))
        self.assertEqual((self.live(), self.timers()), (0, 0))
        self.assertEqual(self.body(), b"2")

    def test_an_answer_drop_by_drop(self) -> None:
        """Each drop comes in time, the whole does not."""
        self.scripts = [[b"HTTP/1.1 200 OK\r\n"]]
        sending = self.send()
        for _ in range(int(SECONDS) - 1):
            self.clock.advance(1.0)
            self.servers[0].say(b"A: b\r\n")
            self.endpoints.flush()
            self.assertNoResult(sending)
        self.clock.advance(1.0)
        self.refusal(sending)

    def test_two_answers_to_one_request(self) -> None:
        """The second would be taken for that to the next token: the connection is cut."""
        self.scripts = [[answer(b"1") + answer(b"mine")], [answer(b"2")]]
        self.assertEqual([self.body(), self.body()], [b"1", b"2"])
        self.assertEqual(len(self.servers), 2)

    def test_an_answer_before_the_request(self) -> None:
        """Neither."""
        self.scripts = [[answer(b"1")], [answer(b"2")]]
        self.body()
        self.servers[0].say(answer(b"mine"))
        self.assertEqual(self.live(), 0)
        self.assertEqual(self.body(), b"2")

    def test_a_request_that_is_given_up(self) -> None:
        """Its connection goes with it, for its answer may come yet."""
        self.scripts = [[None]]
        sending = self.send()
        sending.cancel()
        self.refusal(sending)
        self.assertEqual((self.live(), self.timers()), (0, 0))

    def test_a_server_that_never_lets_in(self) -> None:
        """The time for a connection is part of that for the answer."""
        never: Deferred[Any] = Deferred()
        exchange = make_exchange(self.clock, ROOT, SECONDS, KEPT, lambda origin: _Never(never))
        sending = Deferred.fromCoroutine(exchange.send(b"GET", b"/a", {}))
        self.clock.advance(SECONDS)
        self.refusal(sending)
        self.assertEqual(self.timers(), 0)


@implementer(IStreamClientEndpoint)
class _Never:
    """An endpoint that never connects."""

    def __init__(self, connecting: Deferred[Any]) -> None:
        self._connecting = connecting

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Wait."""
        return self._connecting

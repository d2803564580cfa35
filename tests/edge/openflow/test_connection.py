"""A connection greets, answers, pairs, and gives up on a switch that is late or speaks nonsense."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.openflow import messages, replies
from quantumd.edge.openflow.connection import ANSWER_SECONDS, CONNECT_SECONDS, ECHO_SECONDS, OpenFlowConnection
from quantumd.edge.openflow.framing import Framer, Message
from quantumd.edge.openflow.interfaces import Flow
from quantumd.errors import EdgeTimeout, EdgeUnavailable


class ConnectionTestCase(SynchronousTestCase):
    """A connection whose other end is the test."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        self.connection = OpenFlowConnection(self.clock)
        self.connection.makeConnection(self.transport)

    def sent(self) -> list[Message]:
        """What was sent since the last time."""
        data = self.transport.value()
        self.transport.clear()
        return list(Framer().feed(data))

    def receive(self, kind: int, body: bytes, xid: int) -> None:
        """Let a message come from the switch."""
        self.connection.dataReceived(messages.message(kind, body, xid))

    def lose(self) -> None:
        """Let the connection be lost, as the transport does once it is aborted."""
        self.connection.connectionLost()


class ConnectionTests(ConnectionTestCase):
    """Greeting, signs of life, questions and answers."""

    def test_greets_with_version_1_4_only(self) -> None:
        """The version bitmap has one bit."""
        hello = self.sent()[0]
        self.assertEqual((hello.kind, hello.body), (messages.HELLO, bytes.fromhex("0001000800000020")))

    def test_greeted(self) -> None:
        """The switch's hello completes the greeting."""
        greeted = self.connection.greeted()
        self.assertNoResult(greeted)
        self.receive(messages.HELLO, b"", 1)
        self.successResultOf(greeted)

    def test_late_greeting_drops_the_connection(self) -> None:
        """A socket that accepts and says nothing is given up."""
        greeted = self.connection.greeted()
        self.clock.advance(CONNECT_SECONDS)
        self.failureResultOf(greeted, EdgeTimeout)
        self.assertTrue(self.transport.disconnecting)

    def test_refused_version_fails_the_greeting(self) -> None:
        """A bridge without OpenFlow 1.4 says why."""
        greeted = self.connection.greeted()
        self.receive(messages.ERROR, b"\0\0\0\0no common version", 1)
        failure = self.failureResultOf(greeted, EdgeUnavailable)
        self.assertIn("does not speak OpenFlow 1.4", str(failure.value))

    def test_answers_echo_with_its_payload(self) -> None:
        """The switch asks for a sign of life and gets it."""
        self.sent()
        self.receive(messages.ECHO_REQUEST, b"abc", 42)
        self.assertEqual(self.sent(), [Message(messages.ECHO_REPLY, 42, b"abc")])

    def test_asks_for_a_sign_of_life(self) -> None:
        """An idle connection is asked."""
        self.sent()
        self.clock.advance(ECHO_SECONDS)
        self.assertEqual([message.kind for message in self.sent()], [messages.ECHO_REQUEST])

    def test_silent_switch_is_dropped(self) -> None:
        """Nothing heard for three rounds."""
        self.clock.pump([ECHO_SECONDS] * 3)
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(ECHO_SECONDS)
        self.assertTrue(self.transport.disconnecting)

    def test_living_switch_is_kept(self) -> None:
        """Any byte is a sign of life."""
        for _ in range(10):
            self.clock.advance(ECHO_SECONDS)
            self.receive(messages.ECHO_REPLY, b"", 1)
        self.assertFalse(self.transport.disconnecting)

    def test_answers_are_paired_by_transaction_id(self) -> None:
        """Two questions answered in the other order."""
        one, two = (self.connection.ask(b"", xid) for xid in (901, 902))
        self.receive(messages.BARRIER_REPLY, b"", 902)
        self.successResultOf(two)
        self.assertNoResult(one)
        self.receive(messages.BARRIER_REPLY, b"", 901)
        self.successResultOf(one)

    def test_list_is_complete_with_its_last_part(self) -> None:
        """Parts are handed on as they come; the answer is complete when no more follow."""
        parts: list[bytes] = []
        answer = self.connection.ask(b"", 7, parts.append)
        self.receive(messages.MULTIPART_REPLY, bytes.fromhex("0001000100000000") + b"one", 7)
        self.assertNoResult(answer)
        self.receive(messages.MULTIPART_REPLY, bytes.fromhex("0001000000000000") + b"two", 7)
        self.successResultOf(answer)
        self.assertEqual(parts, [b"one", b"two"])

    def test_late_answer_drops_the_connection(self) -> None:
        """A question has a time limit; after it nothing on the connection can be trusted."""
        answer = self.connection.barrier()
        self.clock.advance(ANSWER_SECONDS / 2)
        self.assertNoResult(answer)
        self.clock.advance(ANSWER_SECONDS / 2)
        self.failureResultOf(answer, EdgeTimeout)
        self.assertTrue(self.transport.disconnecting)

    def test_lost_connection_fails_what_waits(self) -> None:
        """Nobody waits for ever, and nothing is left on the clock."""
        answer, greeted, closed = self.connection.barrier(), self.connection.greeted(), self.connection.closed()
        self.lose()
        self.failureResultOf(answer, EdgeUnavailable)
        self.failureResultOf(greeted, EdgeUnavailable)
        self.successResultOf(closed)
        self.failureResultOf(self.connection.barrier(), EdgeUnavailable)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nonsense_drops_the_connection(self) -> None:
        """Bytes that are not OpenFlow 1.4."""
        self.connection.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
        self.assertTrue(self.transport.disconnecting)

    def test_nonsense_in_a_list_drops_the_connection(self) -> None:
        """A part of a list that cannot be unpacked."""
        parts: list[list[Flow]] = []
        answer = self.connection.ask(b"", 7, lambda part: parts.append(replies.flows(part)))
        self.receive(messages.MULTIPART_REPLY, bytes.fromhex("0001000000000000") + b"nonsense", 7)
        self.assertTrue(self.transport.disconnecting)
        self.lose()
        self.failureResultOf(answer, EdgeUnavailable)

    def test_refused_question_fails(self) -> None:
        """The switch answers a question with an error."""
        answer = self.connection.barrier()
        self.receive(messages.ERROR, b"\0\1\0\2", self.sent()[-1].xid)
        self.failureResultOf(answer, EdgeUnavailable)

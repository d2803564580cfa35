"""The control socket, byte by byte."""

from __future__ import annotations

import orjson
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.tracked.control import CALL_SECONDS, CommandRefused, ControlConnection, control_socket
from quantumd.errors import EdgeTimeout, EdgeUnavailable


class ControlTests(SynchronousTestCase):
    """One command on one connection."""

    def setUp(self) -> None:
        """Ask for something."""
        self.clock, self.transport = Clock(), StringTransport()
        self.connection = ControlConnection()
        self.connection.makeConnection(self.transport)
        self.answer: Deferred[str] = self.connection.call(self.clock, "version", ("a",))

    def test_a_command_is_json_rpc(self) -> None:
        """With its arguments as a list."""
        self.assertEqual(orjson.loads(self.transport.value()), {"id": 0, "method": "version", "params": ["a"]})

    def test_an_answer_may_come_in_parts(self) -> None:
        """Also when a part looks like the end."""
        for byte in orjson.dumps({"id": 0, "result": "a}}\n{b}", "error": None}):
            self.connection.dataReceived(bytes([byte]))
        self.assertEqual(self.successResultOf(self.answer), "a}}\n{b}")

    def test_a_refusal_says_why(self) -> None:
        """As ovs-vswitchd said it."""
        self.connection.dataReceived(orjson.dumps({"id": 0, "result": None, "error": "no such command\n"}))
        self.assertEqual(str(self.failureResultOf(self.answer, CommandRefused).value), "no such command")

    def test_no_answer_is_an_edge_error(self) -> None:
        """Whether the connection is lost or only silent."""
        self.connection.connectionLost(Failure(ConnectionDone()))
        self.failureResultOf(self.answer, EdgeUnavailable)
        silent = self.connection.call(self.clock, "version", ())
        self.clock.advance(CALL_SECONDS)
        self.failureResultOf(silent, EdgeTimeout)

    def test_without_a_process_there_is_no_socket(self) -> None:
        """That is an edge error too."""
        self.assertRaises(EdgeUnavailable, control_socket, self.mktemp())

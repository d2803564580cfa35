"""A link connects, prepares, tells, and connects again."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.openflow import messages
from quantumd.edge.openflow.connection import CONNECT_SECONDS, OpenFlowConnection
from quantumd.edge.openflow.link import Link, retry_seconds
from quantumd.errors import EdgeUnavailable


class DroppingTransport(StringTransport):
    """Tells its protocol at once that it was aborted."""

    protocol: IProtocol

    def abortConnection(self) -> None:
        """Lose the connection."""
        if not self.disconnecting:
            self.disconnecting = True
            self.protocol.connectionLost(Failure(ConnectionDone()))


class LinkTests(SynchronousTestCase):
    """The reactor is in memory, the test is the switch."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.told: list[str] = []
        self.prepared: list[Deferred[None]] = []
        self.link = Link(
            self.reactor, "/br-int.mgmt", self.prepare, lambda: self.told.append("ready"),
            lambda: self.told.append("lost"),
        )  # fmt: skip
        self.link.start()

    def tearDown(self) -> None:
        self.link.stop()

    async def prepare(self, connection: OpenFlowConnection) -> None:
        """Wait until the test says that the connection is prepared."""
        self.prepared.append(Deferred())
        await self.prepared[-1]

    def accept(self) -> DroppingTransport:
        """Accept the newest attempt to connect."""
        factory = self.reactor.unixClients[-1][1]
        transport = DroppingTransport()
        wrapped = factory.buildProtocol(None)
        transport.protocol = wrapped
        wrapped.makeConnection(transport)
        return transport

    def greet(self, transport: DroppingTransport) -> None:
        """Let the switch greet."""
        transport.protocol.dataReceived(messages.message(messages.HELLO, b"", 1))

    def connect(self) -> DroppingTransport:
        """Connect all the way."""
        transport = self.accept()
        self.greet(transport)
        self.prepared[-1].callback(None)
        return transport

    def test_ready_when_prepared(self) -> None:
        """Not before the switch greeted, nor before the connection was prepared."""
        transport = self.accept()
        self.assertEqual((self.prepared, self.told), ([], []))
        self.greet(transport)
        self.assertEqual(self.told, [])
        self.prepared[-1].callback(None)
        self.assertEqual(self.told, ["ready"])
        self.assertIsNotNone(self.link.connection)

    def test_lost_connection_is_told_and_made_again(self) -> None:
        """Within 50 ms."""
        self.connect().abortConnection()
        self.assertEqual((self.told, self.link.connection), (["ready", "lost"], None))
        self.reactor.advance(0.05)
        self.connect()
        self.assertEqual(self.told, ["ready", "lost", "ready"])

    def test_refused_attempts_go_on(self) -> None:
        """Each attempt later than the one before, never by more than a second."""
        for attempt in range(20):
            self.assertEqual(len(self.reactor.unixClients), attempt + 1)
            self.reactor.unixClients[-1][1].clientConnectionFailed(None, Failure(ConnectError()))
            self.reactor.advance(1.0)
        self.connect()
        self.assertEqual(self.told, ["ready"])

    def test_switch_that_does_not_greet_is_tried_again(self) -> None:
        """An accepted connection without a greeting counts as none."""
        transport = self.accept()
        self.reactor.advance(CONNECT_SECONDS)
        self.assertTrue(transport.disconnecting)
        self.reactor.advance(0.05)
        self.connect()
        self.assertEqual(self.told, ["ready"])

    def test_failed_preparation_is_tried_again(self) -> None:
        """The switch refused what every connection needs."""
        self.greet(self.accept())
        self.prepared[-1].errback(EdgeUnavailable("no"))
        self.reactor.advance(0.05)
        self.connect()
        self.assertEqual(self.told, ["ready"])

    def test_stop_is_for_good(self) -> None:
        """Nothing is left on the clock, and no new attempt is made."""
        transport = self.connect()
        self.successResultOf(self.link.stop())
        self.assertTrue(transport.disconnecting)
        self.assertEqual((self.told, self.reactor.getDelayedCalls()), (["ready", "lost"], []))

    def test_stop_between_attempts(self) -> None:
        """A link that waits for its next attempt stops at once."""
        self.reactor.unixClients[-1][1].clientConnectionFailed(None, Failure(ConnectError()))
        self.successResultOf(self.link.stop())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stop_before_the_greeting(self) -> None:
        """A connection that is half made is closed."""
        transport = self.accept()
        self.successResultOf(self.link.stop())
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_retries_are_quick_at_first(self) -> None:
        """From 50 ms to a second."""
        self.assertEqual([retry_seconds(n) for n in (0, 1, 2, 9)], [0.05, 0.1, 0.2, 1.0])

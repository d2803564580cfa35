"""Connections of VMs, in memory: limits on size, time and number, and answers that are one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from attrs import define, evolve, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from quantumd.interfaces import Asker
from quantumd.services.metadata.answering import OwnResponder
from quantumd.services.metadata.connection import HEAD_SECONDS, IDLE_SECONDS, MetadataConnection, Site
from quantumd.services.metadata.own import Files
from quantumd.services.pace import Paces
from tests.services.metadata.askers import ASKER

GET = b"GET /latest/meta-data/mac HTTP/1.1\r\n\r\n"


class Wire(StringTransport):
    """A transport that notes how it ends."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing."""

    @property
    def is_closed(self) -> bool:
        """Whether it was ended."""
        return bool(self.disconnecting or self.aborting)

    aborting = False

    def abortConnection(self) -> None:
        """End."""
        self.aborting = True


@define
class Door:
    """Who is known by which address."""

    askers: dict[str, Asker] = field(factory=dict)

    def asker_at(self, address: str) -> Asker | None:
        """See IServiceDoor."""
        return self.askers.get(address)


class ConnectionCase(SynchronousTestCase):
    """A host that answers one VM."""

    def setUp(self) -> None:
        self.clock, self.door = Clock(), Door({"16.0.0.1": ASKER})
        self.counted: list[int] = []
        self.read: Callable[[Asker], Deferred[Files]] = lambda asker: succeed(Files())
        door: Any = self.door
        responder = OwnResponder(lambda asker: self.read(asker))
        self.site = Site(self.clock, door, responder, Paces(10.0, 20.0, 2), 100, self.counted.append)

    def connect(self, address: str = "16.0.0.1") -> tuple[MetadataConnection, Wire]:
        """Make a connection."""
        connection, wire = self.site.buildProtocol(IPv4Address("TCP", address, 4000)), Wire()
        connection.makeConnection(wire)
        return connection, wire

    def answers(self, wire: Wire) -> list[str]:
        """Return the status of each answer."""
        return [status.decode() for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", wire.value())]


class RequestTests(ConnectionCase):
    """One after the other."""

    def test_several_at_once(self) -> None:
        """Are answered in their order, however they are cut."""
        connection, wire = self.connect()
        for at in range(0, len(GET * 3), 7):
            connection.dataReceived((GET * 3)[at : at + 7])
            self.clock.advance(0)
        self.clock.pump([0.0] * 5)
        self.assertEqual(self.answers(wire), ["200"] * 3)
        self.assertFalse(wire.is_closed)
        self.assertEqual(self.counted, [200] * 3)

    def test_head_says_the_length_and_nothing_more(self) -> None:
        """As HTTP has it."""
        connection, wire = self.connect()
        connection.dataReceived(GET.replace(b"GET", b"HEAD"))
        self.assertIn(b"content-length: 17", wire.value())
        self.assertTrue(wire.value().endswith(b"\r\n\r\n"))

    def test_nobody_and_somebody_else(self) -> None:
        """Who was known and is another one now is not answered as that."""
        _, wire = stranger = self.connect("16.0.0.9")
        stranger[0].dataReceived(GET)
        self.assertEqual(self.answers(wire), ["404"])
        connection, wire = self.connect()
        self.door.askers["16.0.0.1"] = evolve(ASKER, port_id="another")
        connection.dataReceived(GET)
        self.assertEqual((self.answers(wire), wire.is_closed), (["404"], True))

    def test_what_is_refused(self) -> None:
        """Is told, and ends the connection."""
        for text, status in (
            (b"nonsense\r\n\r\n", "400"),
            (b"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", "413"),
            (b"X" * 17_000, "431"),
            (b"PUT / HTTP/1.1\r\n\r\n", "405"),
            (b"GET /nowhere HTTP/1.1\r\n\r\n", "404"),
        ):
            connection, wire = self.connect()
            connection.dataReceived(text)
            self.assertEqual((self.answers(wire), wire.is_closed), ([status], True), text)
            connection.connectionLost()

    def test_a_body_that_nobody_wants(self) -> None:
        """Is read to its end."""
        connection, wire = self.connect()
        connection.dataReceived(b"GET /latest/ HTTP/1.1\r\nContent-Length: 3\r\n\r\nab")
        self.assertEqual(self.answers(wire), [])
        connection.dataReceived(b"c" + GET)
        self.clock.advance(0)
        self.assertEqual(self.answers(wire), ["200", "200"])

    def test_who_goes_meanwhile(self) -> None:
        """Is not answered, and nothing breaks."""
        waiting: Deferred[Files] = Deferred()
        self.read = lambda asker: waiting
        connection, wire = self.connect()
        connection.dataReceived(GET)
        connection.connectionLost()
        waiting.callback(Files())
        self.assertEqual(wire.value(), b"")
        self.assertEqual(self.clock.getDelayedCalls(), [])


class LimitTests(ConnectionCase):
    """What one VM may take."""

    def test_connections(self) -> None:
        """So many, and again when one has ended."""
        first, _ = self.connect()
        self.connect()
        _, third = self.connect()
        self.assertEqual((self.answers(third), third.is_closed), (["503"], True))
        self.assertIn(b"retry-after: 1", third.value())
        first.connectionLost()
        _, fourth = self.connect()
        self.assertEqual(fourth.value(), b"")

    def test_requests(self) -> None:
        """So many at once, and so many a second."""
        connection, wire = self.connect()
        for _ in range(20):
            connection.dataReceived(GET)
            self.clock.advance(0)
        self.assertEqual(self.answers(wire), ["200"] * 20)
        connection.dataReceived(GET)
        self.assertEqual(self.answers(wire)[20:], ["429"])
        connection.connectionLost()
        self.clock.advance(0.1)
        connection, wire = self.connect()
        connection.dataReceived(GET)
        self.assertEqual(self.answers(wire), ["200"])

    def test_a_head_that_does_not_end(self) -> None:
        """Is cut off, however much of it comes."""
        connection, wire = self.connect()
        for _ in range(int(HEAD_SECONDS)):
            connection.dataReceived(b"x")
            self.clock.advance(1)
        self.assertTrue(wire.aborting)

    def test_a_body_that_stops(self) -> None:
        """As well."""
        connection, wire = self.connect()
        connection.dataReceived(b"GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab")
        self.clock.advance(HEAD_SECONDS)
        self.assertTrue(wire.aborting)

    def test_a_connection_that_rests(self) -> None:
        """Is closed after a while."""
        connection, wire = self.connect()
        connection.dataReceived(GET)
        self.clock.advance(IDLE_SECONDS - 1)
        self.assertFalse(wire.is_closed)
        self.clock.advance(1)
        self.assertTrue(wire.aborting)

    def test_the_end_of_the_service(self) -> None:
        """Ends every connection."""
        _, wire = self.connect()
        self.site.cut_all()
        self.assertTrue(wire.aborting)

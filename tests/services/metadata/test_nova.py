"""Requests on their way to Nova, in memory: connections that are kept, break, or never come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, evolve, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from quantumd.edge.http.messages import target_of
from quantumd.errors import SettingsError
from quantumd.interfaces import Asker
from quantumd.services.metadata.connection import STALL_SECONDS, Site
from quantumd.services.metadata.nova import IDLE_SECONDS, NovaConnection, NovaResponder
from quantumd.services.pace import Paces
from tests.services.metadata.askers import ASKER
from tests.services.metadata.test_connection import Door, Wire

GET = b"GET /latest/ HTTP/1.1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@implementer(IStreamClientEndpoint)
@define
class Endpoint:
    """Connects in memory. ``answer`` None: neither yes nor no."""

    connect_to: Callable[[], Deferred[Any] | None] = lambda: None
    made: list[Any] = field(factory=list)
    """Each connection's protocol; its transport is a Wire."""

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """See IStreamClientEndpoint."""
        instead = self.connect_to()
        if instead is not None:
            return instead
        protocol = protocolFactory.buildProtocol(None)
        protocol.makeConnection(Wire())
        self.made.append(protocol)
        return succeed(protocol)


class NovaCase(SynchronousTestCase):
    """A host that passes on, and Nova in the test's hand."""

    most_connections = 8

    def setUp(self) -> None:
        self.clock, self.endpoint = Clock(), Endpoint()
        self.door = Door({"16.0.0.1": ASKER})
        self.read_secret: Callable[[], str] = lambda: "secret"
        target = target_of(b"http://nova:8775")
        self.nova = NovaResponder(
            self.clock, target, self.endpoint, lambda: self.read_secret(), 5.0, 1000, self.most_connections
        )
        door: Any = self.door
        self.counted: list[int] = []
        self.site = Site(self.clock, door, self.nova, Paces(100.0, 100.0, 20), 1000, self.counted.append)

    def vm(self, asker: Asker = ASKER) -> tuple[Any, Wire]:
        """Connect a VM."""
        self.door.askers["16.0.0.1"] = asker
        connection, wire = self.site.buildProtocol(IPv4Address("TCP", "16.0.0.1", 4000)), Wire()
        connection.makeConnection(wire)
        return connection, wire

    def asked(self, place: int = -1) -> bytes:
        """Return what Nova got over a connection."""
        value: bytes = self.endpoint.made[place].transport.value()
        return value

    def end(self, place: int = -1) -> None:
        """Let Nova end a connection."""
        self.endpoint.made[place].connectionLost()

    def status(self, wire: Wire) -> str:
        """Return the status that a VM got last."""
        value: bytes = wire.value()
        return value.rpartition(b"HTTP/1.1 ")[2][:3].decode()


class WellTests(NovaCase):
    """As it goes."""

    def test_a_connection_is_used_again(self) -> None:
        """By another VM's request too, and closed when nobody asks."""
        for _ in range(3):
            connection, wire = self.vm()
            connection.dataReceived(GET)
            self.endpoint.made[0].dataReceived(OK)
            self.assertTrue(wire.value().endswith(b"\r\n\r\nhi"))
        self.assertEqual(self.asked().count(b"X-Instance-ID: i1\r\n"), 3)
        self.clock.advance(IDLE_SECONDS)
        self.assertTrue(self.endpoint.made[0].transport.aborting)
        self.assertEqual(len(self.endpoint.made), 1)

    def test_an_answer_is_passed_on_while_it_comes(self) -> None:
        """In chunks, as its length is not known."""
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.endpoint.made[0].dataReceived(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
        self.assertTrue(wire.value().endswith(b"3\r\nhel\r\n"))
        self.endpoint.made[0].dataReceived(b"lo\r\n0\r\n\r\n")
        self.assertTrue(wire.value().endswith(b"2\r\nlo\r\n0\r\n\r\n"))

    def test_a_body_is_passed_on_while_it_comes(self) -> None:
        """What came before there was a connection too."""
        waiting: Deferred[Any] = Deferred()
        connection, wire = self.vm()
        self.endpoint.connect_to = lambda: waiting
        connection.dataReceived(b"POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nab")
        self.assertEqual(wire.producerState, "paused")
        self.endpoint.connect_to = lambda: None
        made: list[Any] = []
        self.endpoint.connect(_building(self.nova)).addCallback(made.append)
        waiting.callback(made[0])
        self.assertTrue(self.asked().endswith(b"\r\n\r\nab"))
        self.assertEqual(wire.producerState, "producing")
        connection.dataReceived(b"cdef")
        self.assertTrue(self.asked().endswith(b"abcdef"))
        self.endpoint.made[0].dataReceived(OK)
        self.assertEqual(self.status(wire), "200")

    def test_a_closed_connection_is_tried_anew(self) -> None:
        """Once, where nothing was changed by it."""
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.endpoint.made[0].dataReceived(OK)
        connection.dataReceived(GET)
        self.end(0)
        self.assertEqual(len(self.endpoint.made), 2)
        self.endpoint.made[1].dataReceived(OK)
        self.assertEqual(wire.value().count(b"200 OK"), 2)
        connection.dataReceived(GET)
        self.end(1)
        self.end(2)
        self.assertEqual(self.status(wire), "502")


def _building(nova: NovaResponder) -> Factory:
    return Factory.forProtocol(lambda: NovaConnection(nova))


class IllTests(NovaCase):
    """As it should not go."""

    most_connections = 2

    def test_nova_is_away(self) -> None:
        """And there is no secret."""
        self.endpoint.connect_to = lambda: fail(Refused())
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.assertEqual((self.status(wire), wire.is_closed), ("502", True))
        self.endpoint.connect_to = lambda: None

        def no_secret() -> str:
            raise SettingsError("metadata.secret_file: gone")

        self.read_secret = no_secret
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.assertEqual(self.status(wire), "502")

    def test_a_mistake_of_ours(self) -> None:
        """Keeps nobody waiting."""
        self.endpoint.connect_to = lambda: fail(ValueError("a mistake"))
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.assertEqual(self.status(wire), "502")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_nova_is_slow(self) -> None:
        """To connect, to answer, and to go on."""
        never: Deferred[Any] = Deferred()
        self.endpoint.connect_to = lambda: never
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.clock.advance(5)
        self.assertIn(self.status(wire), ("502", "504"))
        self.endpoint.connect_to = lambda: None
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.clock.advance(5)
        self.assertEqual(self.status(wire), "504")
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.endpoint.made[-1].dataReceived(OK[:-1])
        self.clock.advance(5)
        self.assertTrue(wire.aborting)

    def test_nova_makes_no_sense(self) -> None:
        """Or says too much."""
        for text in (b"what?\r\n\r\n", b"HTTP/1.1 200\r\nContent-Length: 1001\r\n\r\n"):
            connection, wire = self.vm()
            connection.dataReceived(GET)
            self.endpoint.made[-1].dataReceived(text)
            self.assertEqual(self.status(wire), "502")
            self.assertTrue(self.endpoint.made[-1].transport.aborting)

    def test_who_asked_has_gone(self) -> None:
        """Nova need not go on."""
        connection, _ = self.vm()
        connection.dataReceived(GET)
        connection.connectionLost()
        self.assertTrue(self.endpoint.made[0].transport.aborting)
        self.end(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_who_asked_takes_nothing(self) -> None:
        """Is cut off, and Nova is held meanwhile."""
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.endpoint.made[0].dataReceived(OK[:-1])
        held: Any = wire.producer
        held.pauseProducing()
        self.assertEqual(self.endpoint.made[0].transport.producerState, "paused")
        self.clock.advance(STALL_SECONDS)
        self.assertTrue(wire.aborting)

    def test_too_many_at_once(self) -> None:
        """Are told to come again; others go on."""
        wires = []
        for _ in range(3):
            connection, wire = self.vm()
            connection.dataReceived(GET)
            wires.append(wire)
        self.assertEqual(self.status(wires[2]), "503")
        self.endpoint.made[0].dataReceived(OK)
        connection, wire = self.vm()
        connection.dataReceived(GET)
        self.assertEqual(len(self.endpoint.made), 2)

    def test_ports_that_no_server_uses(self) -> None:
        """And such whose server's name is none."""
        for device_id in ("", "i\r\nX-Tenant-ID: red"):
            connection, wire = self.vm(evolve(ASKER, device_id=device_id))
            connection.dataReceived(GET)
            self.assertEqual(self.status(wire), "404")
        self.assertEqual(self.endpoint.made, [])

    def test_the_end_of_the_service(self) -> None:
        """Ends connections to Nova."""
        connection, _ = self.vm()
        connection.dataReceived(GET)
        self.nova.close()
        self.assertTrue(self.endpoint.made[0].transport.aborting)

"""Who is answered, over UDP and TCP, in memory: sizes, paces, slow and silent clients."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from attrs import define, evolve, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.interfaces import Asker
from quantumd.model.dns_records import DnsNameRecord
from quantumd.model.dns_zones import Zone, Zones
from quantumd.services.dns import wire
from quantumd.services.dns.answering import Datagrams, Responder, Stream, Streams
from quantumd.services.dns.wire import Question
from quantumd.services.pace import Paces
from tests.services.dns.test_wire import asking, shown
from tests.services.metadata.askers import ASKER
from tests.services.metadata.test_connection import Wire

VM = "16.0.0.1"


@define
class Door:
    """Who is known by which address, and names of one network."""

    askers: dict[str, Asker]
    zones: Zones = field(factory=Zones)

    def asker_at(self, address: str) -> Asker | None:
        """See IServiceDoor."""
        return self.askers.get(address)

    def zone_of(self, network_id: str, domain: str) -> Zone:
        """See IServiceDoor."""
        return self.zones.of(network_id, domain)


@define
class World:
    """Other servers, which answer when they are told to."""

    asked: list[Deferred[bytes | None]] = field(factory=list)

    def ask(self, port_id: str, question: Question, whole: bool) -> Coroutine[Any, Any, bytes | None]:
        """See Upstream."""
        made: Deferred[bytes | None] = Deferred()
        self.asked.append(made)

        async def wait() -> bytes | None:
            return await made

        return wait()


class Datagram:
    """What datagrams are written to."""

    def __init__(self) -> None:
        self.written: list[tuple[bytes, Any]] = []
        self.is_broken = False

    def write(self, data: bytes, peer: Any) -> None:
        """Note it."""
        if self.is_broken:
            raise OSError
        self.written.append((data, peer))


class AnsweringCase(SynchronousTestCase):
    """A host that answers one VM."""

    def setUp(self) -> None:
        """A network with a name of many addresses."""
        self.clock, self.world = Clock(), World()
        self.counted: list[str] = []
        self.door = Door({VM: ASKER})
        addresses = tuple(f"10.0.1.{each}" for each in range(100))
        self.door.zones.put_name("p1", DnsNameRecord("p1", 1, "n1", "web", "", ("10.0.0.5",)))
        self.door.zones.put_name("p2", DnsNameRecord("p2", 1, "n1", "many", "", addresses))
        door: Any = self.door
        world: Any = self.world
        paces = Paces(10.0, 20.0, 2)
        self.responder = Responder(self.clock, door, world, "cloud.example", self.counted.append, paces)


class DatagramsTests(AnsweringCase):
    """By UDP."""

    def setUp(self) -> None:
        """Listen."""
        super().setUp()
        self.transport, self.protocol = Datagram(), Datagrams(self.responder)
        transport: Any = self.transport
        self.protocol.makeConnection(transport)

    def send(self, data: bytes, address: str = VM) -> list[bytes]:
        """Send a datagram; return what was answered."""
        self.transport.written.clear()
        self.protocol.datagramReceived(data, (address, 4000))
        return [said for said, _ in self.transport.written]

    def test_own_names(self) -> None:
        """At once."""
        (said,) = self.send(asking("web"))
        self.assertEqual(told(said), "10.0.0.5")
        self.assertEqual(self.counted, ["own"])

    def test_sizes(self) -> None:
        """No more than the client takes, and than goes through its network in one piece."""
        for size, mtu, most in ((None, 9000, 512), (4096, 9000, 1232), (4096, 1000, 952), (4096, 300, 512)):
            self.door.askers[VM] = evolve(ASKER, mtu_bytes=mtu)
            (said,) = self.send(asking("many", size=size))
            self.assertTrue(wire.is_truncated(said))
            self.assertLessEqual(len(said), most)
            self.send(asking("a.example", size=size))
            self.world.asked[-1].callback(bytes(most + 1))
            ((said, _),) = self.transport.written
            self.assertTrue(wire.is_truncated(said))

    def test_who_is_nobody(self) -> None:
        """Is answered nothing, and so is what is no question."""
        self.assertEqual(self.send(asking("web"), "16.0.0.9"), [])
        self.assertEqual(self.send(b"\0" * 9), [])
        self.assertEqual(self.counted, ["unknown", "malformed"])

    def test_paces(self) -> None:
        """What is too much is dropped; later there is more."""
        answered = [len(self.send(asking("web"))) for _ in range(25)]
        self.assertEqual(sum(answered), 20)
        self.clock.advance(1)
        self.assertEqual(len(self.send(asking("web"))), 1)

    def test_others(self) -> None:
        """Answer later, or not at all."""
        for said in (b"\0\7\x80\0" + bytes(20), None):
            self.assertEqual(self.send(asking("a.example")), [])
            self.world.asked[-1].callback(said)
            ((got, peer),) = self.transport.written
            self.assertEqual(peer, (VM, 4000))
            self.assertEqual(got if said else shown(got).rCode, said or wire.Code.FAILED)

    def test_a_device_that_goes(self) -> None:
        """And a process that stops meanwhile are no errors."""
        self.transport.is_broken = True
        self.send(asking("web"))
        self.send(asking("a.example"))
        self.protocol.transport = None
        self.world.asked[-1].callback(None)
        self.assertEqual(self.flushLoggedErrors(), [])


class StreamTests(AnsweringCase):
    """By TCP."""

    def setUp(self) -> None:
        """Listen."""
        super().setUp()
        self.streams = Streams(self.responder, 5.0)

    def connect(self, address: str = VM) -> tuple[Stream, Wire]:
        """Make a connection."""
        stream, transport = self.streams.buildProtocol(IPv4Address("TCP", address, 4000)), Wire()
        assert isinstance(stream, Stream)
        stream.callLater = self.clock.callLater  # type: ignore[method-assign,assignment] # its clock
        transport.peerAddr = IPv4Address("TCP", address, 4000)
        stream.makeConnection(transport)
        return stream, transport

    def test_questions(self) -> None:
        """In pieces, several at once, and as large as they come."""
        stream, transport = self.connect()
        data = framed(asking("web")) + framed(asking("many"))
        for at in range(0, len(data), 5):
            stream.dataReceived(data[at : at + 5])
        first, second = unframed(transport.value())
        self.assertEqual((len(shown(first).answers), len(shown(second).answers)), (1, 100))

    def test_who_is_nobody(self) -> None:
        """Has no connection, and a port no more than its share."""
        self.assertTrue(self.connect("16.0.0.9")[1].is_closed)
        kept = [self.connect() for _ in range(3)]
        self.assertEqual([transport.is_closed for _, transport in kept], [False, False, True])
        for stream, _ in kept:
            stream.connectionLost()
        self.assertFalse(self.connect()[1].is_closed)

    def test_silence(self) -> None:
        """Ends a connection, also in the middle of a question."""
        stream, transport = self.connect()
        self.clock.advance(4)
        stream.dataReceived(framed(asking("web")))
        self.clock.advance(4)
        stream.dataReceived(b"\0")
        self.assertFalse(transport.is_closed)
        self.clock.advance(1)
        self.assertTrue(transport.is_closed)

    def test_what_makes_no_sense(self) -> None:
        """Ends it at once: no question, or too long a one."""
        for data in (framed(bytes(20)[:9]), b"\xff\xff"):
            stream, transport = self.connect()
            stream.dataReceived(data)
            self.assertTrue(transport.is_closed)
            stream.connectionLost()

    def test_many_at_once(self) -> None:
        """Some are answered, and the others when these are; none is read meanwhile."""
        self.responder.paces.burst = 1000.0
        self.responder.paces = Paces(1000.0, 1000.0, 2)
        stream, transport = self.connect()
        stream.dataReceived(framed(asking("a.example")) * 40)
        self.assertEqual((len(self.world.asked), transport.producerState), (16, "paused"))
        for each in range(40):
            self.world.asked[each].callback(None)
        self.assertEqual((len(self.world.asked), transport.producerState), (40, "producing"))
        self.assertEqual(len(list(unframed(transport.value()))), 40)

    def test_who_reads_nothing(self) -> None:
        """Is answered no more, and cut off in the end."""
        stream, transport = self.connect()
        stream.pauseProducing()
        stream.dataReceived(framed(asking("web")) * 3)
        self.assertEqual(transport.value(), b"")
        stream.resumeProducing()
        self.assertEqual(len(list(unframed(transport.value()))), 3)
        stream.stopProducing()
        stream.pauseProducing()
        stream.dataReceived(framed(asking("web")))
        self.clock.advance(5)
        self.assertTrue(transport.is_closed)

    def test_a_connection_that_ends_meanwhile(self) -> None:
        """Is told nothing."""
        stream, transport = self.connect()
        stream.dataReceived(framed(asking("a.example")))
        stream.connectionLost()
        self.world.asked[0].callback(None)
        stream.dataReceived(framed(asking("web")))
        self.assertEqual(transport.value(), b"")

    def test_the_end(self) -> None:
        """Ends all."""
        transports = [self.connect()[1] for _ in range(2)]
        self.streams.cut_all()
        self.assertTrue(all(each.is_closed for each in transports))


def framed(data: bytes) -> bytes:
    """A message as TCP carries it."""
    return len(data).to_bytes(2, "big") + data


def unframed(data: bytes) -> list[bytes]:
    """The messages that came."""
    found = []
    while data:
        length = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    return found


def told(data: bytes) -> str:
    """The address in an answer."""
    (record,) = shown(data).answers
    payload: Any = record.payload
    return str(payload.dottedQuad())

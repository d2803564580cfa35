"""Which servers are asked, and how many questions at once. What comes back: tests/functional/test_dns.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.errors import SettingsError
from quantumd.services.dns import wire
from quantumd.services.dns.resolvers import Resolver, Resolvers, parse_resolvers, read_resolv_conf
from quantumd.services.dns.upstream import Upstream
from tests.services.dns.test_wire import asking, read

QUESTION = read(asking("a.example"))
ONE, TWO = Resolver("192.0.2.1"), Resolver("192.0.2.2")


@define(eq=False)
class Socket:
    """A socket of UDP, or what connects one of TCP."""

    peer: Resolver
    protocol: Any
    sent: list[bytes] = field(factory=list)
    is_closed: bool = False
    disconnecting: bool = False

    def connect(self, address: str, port: int) -> None:
        """Note with whom it talks."""
        self.peer = Resolver(address, port)

    def write(self, data: bytes) -> None:
        """Note what is sent."""
        self.sent.append(data)

    def stopListening(self) -> None:
        """End."""
        self.is_closed = True

    disconnect = stopListening


class Network(Clock):
    """A reactor whose network is in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.datagrams: list[Socket] = []
        self.streams: list[Socket] = []
        self.is_full = False

    def listenUDP(self, port: int, protocol: Any, interface: str, largest: int) -> Socket:
        """See IReactorUDP."""
        if self.is_full:
            raise CannotListenError(interface, port, OSError("too many"))
        made = Socket(ONE, protocol)
        self.datagrams.append(made)
        protocol.makeConnection(made)
        return made

    def connectTCP(self, address: str, port: int, factory: Any) -> Socket:
        """See IReactorTCP."""
        protocol = factory.buildProtocol(None)
        made = Socket(Resolver(address, port), protocol)
        self.streams.append(made)
        protocol.makeConnection(made)
        return made


def answering(socket: Socket, data: bytes | None = None) -> None:
    """Answer what was asked by a socket of UDP."""
    whole = wire.answer(QUESTION, wire.Code.DONE, [wire.address_data("10.0.0.5")]) if data is None else data
    socket.protocol.datagramReceived(socket.sent[-1][:2] + whole[2:], None)


class UpstreamTests(SynchronousTestCase):
    """Two servers, three questions at once and two of a port."""

    def setUp(self) -> None:
        """Nothing was asked."""
        self.network = Network()
        self.upstream = Upstream(self.network, lambda: (ONE, TWO), 1.0, 3, 2)

    def ask(self, port: str = "p1", whole: bool = False) -> Deferred[bytes | None]:
        """Ask something."""
        return Deferred.fromCoroutine(self.upstream.ask(port, QUESTION, whole))

    def test_an_answer(self) -> None:
        """Is told by the client's number, and nothing stays."""
        asked = self.ask()
        (socket,) = self.network.datagrams
        answering(socket)
        said = self.successResultOf(asked)
        assert said is not None
        self.assertEqual((said[:2], socket.peer, socket.is_closed), (b"\0\7", ONE, True))
        self.assertEqual((self.upstream.outstanding, self.network.getDelayedCalls()), (0, []))

    def test_the_next_server(self) -> None:
        """Is asked after a time, or when nobody is there; and first, from then on."""
        asked = self.ask()
        self.network.advance(1.0)
        answering(self.network.datagrams[1])
        self.assertIsNotNone(self.successResultOf(asked))
        self.ask()
        self.assertEqual([each.peer for each in self.network.datagrams], [ONE, TWO, TWO])
        self.network.datagrams[2].protocol.connectionRefused()
        self.assertEqual(self.network.datagrams[3].peer, ONE)

    def test_nobody_answers(self) -> None:
        """Nothing is said, and nothing stays."""
        asked = self.ask()
        self.network.pump([1.0, 1.0])
        self.assertIsNone(self.successResultOf(asked))
        self.assertTrue(all(each.is_closed for each in self.network.datagrams))
        self.assertEqual((self.upstream.outstanding, self.upstream._asking), (0, {}))

    def test_no_socket(self) -> None:
        """Is a failure at once."""
        self.network.is_full = True
        self.assertIsNone(self.successResultOf(self.ask()))

    def test_too_many_questions(self) -> None:
        """Of one port, and of all."""
        for _ in range(2):
            self.ask("p1")
        self.assertIsNone(self.successResultOf(self.ask("p1")))
        self.ask("p2")
        self.assertIsNone(self.successResultOf(self.ask("p3")))
        self.network.pump([1.0, 1.0])
        self.assertNoResult(self.ask("p1"))

    def test_guesses(self) -> None:
        """After some the socket is given up."""
        self.ask()
        (first,) = self.network.datagrams
        for _ in range(32):
            first.protocol.datagramReceived(b"x" * 40, None)
        self.assertEqual([each.peer for each in self.network.datagrams], [ONE, TWO])

    def test_by_tcp(self) -> None:
        """Only what is truncated, and for those who want all; where that fails the truncated one is told."""
        short = wire.fitted(QUESTION, bytes(2) + b"\x80\0" + bytes(900), 512)
        for whole in (False, True):
            asked = self.ask(whole=whole)
            answering(self.network.datagrams[-1], short)
            if whole:
                self.network.streams[-1].protocol.connectionLost()
            said = self.successResultOf(asked)
            assert said is not None
            self.assertTrue(wire.is_truncated(said))
        asked = self.ask(whole=True)
        answering(self.network.datagrams[-1], short)
        stream = self.network.streams[-1]
        number = b"".join(stream.sent)[2:4]
        long = wire.answer(QUESTION, wire.Code.DONE, [wire.address_data("10.0.0.5")] * 90)
        data = number + long[2:]
        stream.protocol.dataReceived(len(data).to_bytes(2, "big") + data[:9])
        stream.protocol.dataReceived(data[9:])
        self.assertEqual(self.successResultOf(asked), long)


class ResolverTests(SynchronousTestCase):
    """Settings and the host's file."""

    def test_settings(self) -> None:
        """Addresses, with ports or without."""
        given = ("192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353")
        said = [(each.address, each.port) for each in parse_resolvers(given)]
        expected = [("192.0.2.1", 53), ("192.0.2.1", 5353), ("2001:db8::1", 53), ("2001:db8::1", 5353)]
        self.assertEqual(said, expected)
        for text in ("", "dns.example", "192.0.2.1:0", "192.0.2.1:x", "[192.0.2.1", "[::1]", "1.2.3.4:70000"):
            self.assertRaises(SettingsError, parse_resolvers, (text,))

    def test_the_file(self) -> None:
        """The first three servers; the rest is not ours."""
        text = "# nameserver 1.1.1.1\nsearch example\nnameserver 192.0.2.1\nnameserver x\nnameserver\n" + "".join(
            f"nameserver fe80::{each}%eth0 trailing\n" for each in range(1, 5)
        )
        found = [each.address for each in read_resolv_conf(text)]
        self.assertEqual(found, ["192.0.2.1", "fe80::1%eth0", "fe80::2%eth0"])

    def test_a_file_that_changes(self) -> None:
        """Is read again after some seconds; one that goes leaves none."""
        path, clock = Path(self.mktemp()), Clock()
        servers: Callable[[], tuple[Resolver, ...]] = Resolvers((), clock, path).now
        self.assertEqual(servers(), ())
        path.write_text("nameserver 192.0.2.1\n")
        self.assertEqual(servers(), ())
        clock.advance(5)
        self.assertEqual(servers(), (ONE,))
        path.unlink()
        clock.advance(5)
        self.assertEqual(servers(), ())

    def test_the_settings_come_first(self) -> None:
        """The file is not read."""
        self.assertEqual(Resolvers((TWO,), Clock(), Path("/nowhere")).now(), (TWO,))

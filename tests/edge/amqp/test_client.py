"""The nine faults of txAMQP 0.8.2, one by one: what our client does in their place.

The contract (tests/contracts/amqp.py) has most of them once more, against a real broker.
"""

from __future__ import annotations

from importlib.metadata import version
from io import BytesIO
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from txamqp.content import Content

from quantumd.edge.amqp.channel import Channel
from quantumd.edge.amqp.codec import Codec
from quantumd.edge.amqp.errors import BadFrame, BrokerRefused, ConnectionLost, Unencodable
from quantumd.edge.amqp.framing import FRAME_MAX, HEARTBEAT, Frames, pack_content, pack_method, read_header, read_method
from quantumd.edge.amqp.protocol import Client
from quantumd.edge.amqp.table import make_spec
from quantumd.errors import EdgeTimeout

SPEC = make_spec()
TEXT = "caf\u00e9 \u65e5\u672c"


def method(name: str) -> Any:
    """A method of the table by ``class.name``."""
    klass, _, short = name.partition(".")
    return SPEC.classes.byname[klass].methods.byname[short]


class ClientCase(SynchronousTestCase):
    """A client whose broker is this test."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        self.client = Client(SPEC, "/", self.clock, heartbeat=10, call_seconds=5.0)
        self.client.makeConnection(self.transport)
        self.client.tuned(FRAME_MAX, 100, 10)
        self.transport.clear()

    def say(self, channel: int, name: str, *arguments: Any, body: bytes | None = None, **properties: Any) -> None:
        """The broker sends a method, and a content."""
        data = pack_method(channel, method(name), arguments)
        if body is not None:
            named = {key.replace("_", " "): value for key, value in properties.items()}
            data += pack_content(channel, SPEC.classes.byname["basic"], named, body, 4096)
        self.client.dataReceived(data)

    def sent(self) -> list[str]:
        """The names of the methods that the client has sent since the last look."""
        frames = list(Frames().feed(self.transport.value()))
        self.transport.clear()
        methods = [read_method(SPEC, each.payload)[0] for each in frames if each.kind == 1]
        return [f"{each.klass.name}.{each.name}" for each in methods]

    def channel(self) -> Channel:
        """An open channel."""
        channel = self.client.new_channel()
        opened = channel.channel_open()
        self.say(channel.id, "channel.open-ok", b"")
        self.successResultOf(opened)
        self.transport.clear()
        return channel


class FaultTests(ClientCase):
    """Numbers are those of the list of faults in docs/decisions/amqp.md."""

    def test_it_is_the_version_that_was_looked_at(self) -> None:
        """Another version may have other faults: look again, then change this line."""
        self.assertEqual(version("txAMQP"), "0.8.2")

    def test_fault_1_a_body_is_bytes_whatever_is_in_it(self) -> None:
        """Text beyond ASCII neither changes its length nor becomes another type."""
        taken: list[bytes] = []
        channel = self.channel()
        channel.on_deliver = lambda received: taken.append(received.content.body)
        for body in (TEXT.encode(), b"\xff\xfe", b"plain"):
            self.say(channel.id, "basic.deliver", "t", 1, False, "e", "k", body=body)
        self.assertEqual(taken, [TEXT.encode(), b"\xff\xfe", b"plain"])

    def test_fault_2_the_length_of_a_text_is_that_of_its_bytes(self) -> None:
        """Short and long ones, as arguments and in tables."""
        codec = Codec(BytesIO())
        codec.encode_shortstr(TEXT)
        codec.encode_longstr(TEXT)
        codec.encode_table({TEXT: TEXT})
        back = Codec(BytesIO(codec.stream.getvalue()))
        self.assertEqual(
            (back.decode_shortstr(), back.decode_longstr(), back.decode_table()), (TEXT, TEXT, {TEXT: TEXT})
        )

    def test_fault_3_what_cannot_be_encoded_is_not_half_sent(self) -> None:
        """The caller hears of it, and the connection goes on."""
        channel = self.channel()
        content = Content(b"x", properties={"headers": {"good": 1, "bad": object()}})
        self.failureResultOf(channel.basic_publish(exchange="e", content=content), Unencodable)
        self.failureResultOf(channel.basic_publish(exchange="x" * 256, content=Content(b"x")), Unencodable)
        self.assertEqual(self.transport.value(), b"")
        self.successResultOf(channel.basic_publish(exchange="e", content=Content(b"x")))
        self.assertEqual(self.sent(), ["basic.publish"])

    def test_fault_4_tables_with_values_of_every_kind_are_read(self) -> None:
        """Those that other clients and dead letter queues send."""
        pieces = (
            b"\x01at\x01", b"\x01bb\xff", b"\x01cB\xff", b"\x01ds\xff\xff", b"\x01eu\xff\xff",
            b"\x01fI\xff\xff\xff\xff", b"\x01gi\xff\xff\xff\xff", b"\x01hl" + b"\xff" * 8, b"\x01if\x3f\x00\x00\x00",
            b"\x01jd\x3f\xe0\x00\x00\x00\x00\x00\x00", b"\x01kD\x02\x00\x00\x00\x7b", b"\x01lS\x00\x00\x00\x01x",
            b"\x01mA\x00\x00\x00\x02t\x00", b"\x01nT" + b"\x00" * 7 + b"\x01", b"\x01oF\x00\x00\x00\x00", b"\x01pV",
            b"\x01qx\x00\x00\x00\x01\xff", b"\x01rL" + b"\xff" * 8,
        )  # fmt: skip
        data = b"".join(pieces)
        table = Codec(BytesIO(len(data).to_bytes(4, "big") + data)).decode_table()
        wanted = {
            "a": True, "b": -1, "c": 255, "d": -1, "e": 65_535, "f": -1, "g": 2**32 - 1, "h": -1, "i": 0.5, "j": 0.5,
            "k": 1.23, "l": "x", "m": [False], "n": 1, "o": {}, "p": None, "q": b"\xff", "r": -1,
        }  # fmt: skip
        self.assertEqual(table, wanted)

    def test_fault_5_confirmations_and_other_news_are_understood(self) -> None:
        """None of them ends the connection."""
        channel = self.channel()
        heard: list[Any] = []
        channel.on_confirm = lambda *confirmed: heard.append(confirmed)
        channel.on_cancel = lambda: heard.append("cancel")
        self.say(channel.id, "basic.ack", 3, True)
        self.say(channel.id, "basic.nack", 4, False, False)
        self.say(channel.id, "basic.cancel", "tag", True)
        self.say(0, "connection.blocked", "memory")
        self.assertTrue(self.client.is_blocked)
        self.say(0, "connection.unblocked")
        self.assertFalse(self.client.is_blocked)
        self.assertEqual(heard, [(3, True, True), (4, False, False), "cancel"])
        self.assertFalse(self.transport.disconnecting)

    def test_fault_6_a_channel_that_the_broker_closes_tells_everybody(self) -> None:
        """Calls under way, later calls, and whoever consumes there."""
        channel = self.channel()
        told: list[Exception] = []
        channel.on_closed = told.append
        waiting = channel.queue_declare(queue="q")
        self.say(channel.id, "channel.close", 406, "other", 50, 10)
        self.failureResultOf(waiting, BrokerRefused)
        self.failureResultOf(channel.queue_declare(queue="q"), BrokerRefused)
        self.assertEqual([str(each) for each in told], ["The broker refused: 406 other"])

    def test_fault_7_answers_stay_with_their_questions(self) -> None:
        """Whoever cancels, or is too late, shifts nobody."""
        channel = self.channel()
        first, second, third = (channel.queue_declare(queue=each) for each in ("one", "two", "three"))
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.say(channel.id, "queue.declare-ok", "one", 0, 0)
        self.say(channel.id, "queue.declare-ok", "two", 0, 0)
        self.assertEqual(self.successResultOf(second).queue, "two")
        self.clock.advance(5.0)
        self.failureResultOf(third, EdgeTimeout)
        fourth = channel.queue_declare(queue="four")
        self.say(channel.id, "queue.declare-ok", "three", 0, 0)
        self.say(channel.id, "queue.declare-ok", "four", 0, 0)
        self.assertEqual(self.successResultOf(fourth).queue, "four")

    def test_fault_8_closed_channels_are_forgotten(self) -> None:
        """Their numbers are used again, and nothing grows."""
        for _ in range(300):
            channel = self.channel()
            self.say(channel.id, "channel.close", 404, "none", 50, 10)
        self.assertEqual((set(self.client.channels), channel.id), ({0}, 1))

    def test_fault_9_the_broker_is_told_what_we_understand(self) -> None:
        """Without, it would not tell of consumers that are gone, nor of alarms."""
        self.client.mechanism, self.client.response, self.client.locale = "PLAIN", "", "en_US"
        self.say(0, "connection.start", 0, 9, {}, b"PLAIN", b"en_US")
        (frame,) = Frames().feed(self.transport.value())
        _, (known, *_) = read_method(SPEC, frame.payload)
        for each in ("consumer_cancel_notify", "publisher_confirms", "connection.blocked"):
            self.assertTrue(known["capabilities"][each])


class ConnectionTests(ClientCase):
    """What else may come over a connection."""

    def test_a_silent_broker_is_given_up_after_two_heartbeats(self) -> None:
        """And hears from us twice in each."""
        self.clock.pump([5.0] * 4)
        self.assertEqual(self.transport.value(), HEARTBEAT * 4)
        self.clock.advance(5.0)
        self.assertTrue(self.transport.disconnecting)

    def test_any_byte_of_the_broker_keeps_it(self) -> None:
        """Not only heartbeats."""
        for _ in range(10):
            self.clock.advance(5.0)
            self.client.dataReceived(HEARTBEAT)
        self.assertFalse(self.transport.disconnecting)

    def test_nonsense_ends_the_connection(self) -> None:
        """Frames too long, without an end, of unknown methods, answers to nothing."""
        nonsense = (
            b"\x01\x00\x00\xff\xff\xff\xff", b"\x01\x00\x00\x00\x00\x00\x00\x00", b"\x09\x00\x00\x00\x00\x00\x00\xce",
            b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\xff\xce", pack_method(0, method("channel.close-ok"), ()),
            b"\x03\x00\x00\x00\x00\x00\x01x\xce", b"\x02\x00\x00\x00\x00\x00\x01x\xce",
        )  # fmt: skip
        for each in nonsense:
            self.setUp()
            self.client.dataReceived(each)
            self.assertTrue(self.transport.disconnecting, each)
        self.client._beat.stop()

    def test_a_lost_connection_ends_every_call(self) -> None:
        """At once."""
        waiting = self.channel().queue_declare(queue="q")
        self.client.connectionLost()
        self.failureResultOf(waiting, ConnectionLost)
        self.assertIsInstance(self.successResultOf(self.client.lost), ConnectionLost)

    def test_on_a_lost_connection_nothing_is_begun(self) -> None:
        """Whoever was about to open a channel hears of it at once, not when a time limit is over."""
        self.client.connectionLost()
        self.assertRaises(ConnectionLost, self.client.new_channel)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)


class CodecLaws(SynchronousTestCase):
    """What is written is read."""

    @given(st.dictionaries(st.text(max_size=20), VALUES, max_size=5))
    def test_a_table_comes_back(self, table: dict[str, Any]) -> None:
        """Whatever is in it."""
        codec = Codec(BytesIO())
        codec.encode_table(table)
        self.assertEqual(Codec(BytesIO(codec.stream.getvalue())).decode_table(), table)

    @given(st.binary(max_size=300), st.lists(st.integers(1, 400), max_size=8), st.integers(16, 64))
    def test_frames_come_whole_however_they_are_cut(self, body: bytes, cuts: list[int], frame_max: int) -> None:
        """Bytes arrive in any pieces."""
        data = pack_content(7, SPEC.classes.byname["basic"], {"message id": "m"}, body, frame_max)
        edges = sorted({0, *(min(each, len(data)) for each in cuts), len(data)})
        frames = Frames()
        pieces = (data[start:end] for start, end in pairwise(edges))
        found = [frame for piece in pieces for frame in frames.feed(piece)]
        self.assertEqual(read_header(SPEC, found[0].payload).size, len(body))
        self.assertEqual(b"".join(each.payload for each in found[1:]), body)

    @given(st.binary(max_size=200))
    def test_rubbish_is_refused_and_nothing_else(self, rubbish: bytes) -> None:
        """No other error than BadFrame, whatever is read."""
        readers: tuple[Any, ...] = (
            lambda: Codec(BytesIO(rubbish)).decode_table(),
            lambda: read_method(SPEC, rubbish),
            lambda: read_header(SPEC, rubbish),
            lambda: list(Frames().feed(rubbish)),
        )
        for read in readers:
            try:
                read()
            except BadFrame:
                continue

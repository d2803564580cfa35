"""The nine faults of txAMQP 0.8.2, shown on the stock client: why ours is not it.

What the stock client does wrong is asserted here, what ours does in ``test_client.py`` under the same numbers. When one
of these fails, a fault is mended, and so much of our care is not needed any more.
"""

from __future__ import annotations

import gc
import struct
from io import BytesIO
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from txamqp.client import TwistedDelegate
from txamqp.codec import Codec
from txamqp.connection import Body
from txamqp.content import Content
from txamqp.protocol import AMQClient

from quantumd.edge.amqp.framing import Frames, pack_content, pack_method, read_method
from quantumd.edge.amqp.table import make_spec

SPEC = make_spec()
TEXT = "caf\u00e9 \u65e5\u672c"


def method(name: str) -> Any:
    """A method of the table by ``class.name``."""
    klass, _, short = name.partition(".")
    return SPEC.classes.byname[klass].methods.byname[short]


class StockTests(SynchronousTestCase):
    """The stock client, whose broker is this test."""

    def setUp(self) -> None:
        self.transport = StringTransport()
        self.client = AMQClient(TwistedDelegate(), "/", SPEC, clock=Clock())
        self.client.makeConnection(self.transport)
        self.channel: Any = self.successResultOf(self.client.channel(1))
        self.transport.clear()

    def say(self, name: str, *arguments: Any, body: bytes | None = None) -> None:
        """The broker sends a method, and a content."""
        data = pack_method(1, method(name), arguments)
        if body is not None:
            data += pack_content(1, SPEC.classes.byname["basic"], {}, body, 4096)
        self.client.dataReceived(data)

    def test_fault_1_a_body_is_text_or_bytes_as_it_happens(self) -> None:
        """And a text is shorter than its header says, so its consumer never sees the message."""
        decoded = Body.decode(SPEC, Codec(BytesIO(len(TEXT.encode()).to_bytes(4, "big") + TEXT.encode())))
        self.assertEqual((decoded.content, len(decoded.content)), (TEXT, len(TEXT)))
        waiting: Deferred[Any] = self.successResultOf(self.client.queue("t")).get()
        self.say("basic.deliver", "t", 1, False, "e", "k", body=TEXT.encode())
        self.assertNoResult(waiting)

    def test_fault_2_the_length_of_a_text_is_that_of_its_characters(self) -> None:
        """So the broker reads the rest of it as something else."""
        codec = Codec(BytesIO())
        codec.encode_longstr(TEXT)
        self.assertEqual(codec.stream.getvalue()[:4], len(TEXT).to_bytes(4, "big"))

    def test_fault_3_after_a_header_that_cannot_be_encoded_nothing_is_sent(self) -> None:
        """For ever, and nobody hears of it."""
        self.channel.basic_publish(exchange="e", content=Content(b"x", properties={"headers": {"bad": -1}}))
        self.transport.clear()
        self.channel.basic_publish(exchange="e", content=Content(b"x"))
        self.assertEqual(self.transport.value(), b"")
        # The error is only ever seen when its Deferred is collected.
        self.client.outgoing = None
        gc.collect()
        self.assertTrue(self.flushLoggedErrors(struct.error))

    def test_fault_4_tables_of_other_clients_cannot_be_read(self) -> None:
        """A list, of which dead letters have one."""
        data = b"\x01mA\x00\x00\x00\x02t\x00"
        self.assertRaises(ValueError, Codec(BytesIO(len(data).to_bytes(4, "big") + data)).decode_table)

    def test_fault_5_a_confirmation_ends_the_connection(self) -> None:
        """Nothing is there to take it."""
        self.say("basic.ack", 1, False)
        self.assertTrue(self.client.closed)

    def test_fault_6_a_consumer_whose_channel_is_closed_waits(self) -> None:
        """Nobody tells it."""
        waiting: Deferred[Any] = self.successResultOf(self.client.queue("t")).get()
        self.say("channel.close", 404, "no queue", 60, 20)
        self.assertNoResult(waiting)

    def test_fault_7_a_call_that_is_cancelled_shifts_the_answers(self) -> None:
        """The second is answered with what was meant for the first."""
        first, second = (self.channel.queue_declare(queue=each) for each in ("one", "two"))
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.say("queue.declare-ok", "one", 0, 0)
        self.assertEqual(self.successResultOf(second).queue, "one")

    def test_fault_8_closed_channels_are_kept(self) -> None:
        """And with them their numbers."""
        self.say("channel.close", 404, "none", 50, 10)
        self.assertIn(1, self.client.channels)

    def test_fault_9_the_broker_is_told_nothing_and_nothing_is_bounded(self) -> None:
        """It would not tell of consumers that are gone; what is published is written however much that is."""
        channel: Any = self.successResultOf(self.client.channel(0))
        self.transport.clear()
        channel.connection_start_ok(mechanism="PLAIN", response="", locale="en_US")
        (frame,) = Frames().feed(self.transport.value())
        self.assertEqual(read_method(SPEC, frame.payload)[1][0], {})
        self.transport.clear()
        for _ in range(2000):
            self.channel.basic_publish(exchange="e", content=Content(b"x"))
        self.assertGreater(self.transport.value().count(b"\xce"), 2000 * 2)

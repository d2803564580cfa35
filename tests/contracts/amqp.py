"""What every broker is to ``IBroker``'s callers; a mixin for trial's TestCase. The one in memory keeps it too."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater
from zope.interface.verify import verifyObject

from quantumd.edge.amqp.errors import BrokerBusy, BrokerRefused, NoRoute, Unencodable
from quantumd.edge.amqp.interfaces import Binding, Delivered, Exchange, IBroker, ISubscription, Message, Queue
from quantumd.errors import EdgeError, EdgeUnavailable

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

WAIT_SECONDS = 15.0
TEXT = 'caf\u00e9 \u65e5\u672c "quoted"'


class Taker:
    """Receives messages and keeps them."""

    def __init__(self, answer: Callable[[Delivered], Any] = lambda delivered: None) -> None:
        self.taken: list[Delivered] = []
        self._answer = answer

    def __call__(self, delivered: Delivered) -> Any:
        self.taken.append(delivered)
        return self._answer(delivered)

    @property
    def bodies(self) -> list[bytes]:
        """What was in the messages, in the order in which they came."""
        return [each.message.body for each in self.taken]


class Waiting(_Base):
    """Tests that wait."""

    async def until(self, is_so: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until something is so."""
        for _ in range(int(seconds / 0.02)):
            if is_so():
                return
            await deferLater(reactor, 0.02)
        self.fail(f"not in time: {what}")


class BrokerContract(Waiting):
    """``setUp`` sets ``broker``, connected, whose buffer holds ``limit`` messages."""

    broker: Any
    limit = 50

    def cut(self) -> None:
        """Break the connection; it comes back by itself, or by ``mend``."""
        raise NotImplementedError

    def mend(self) -> None:
        """Let the connection come back."""

    def delete_queue(self, name: str) -> Any:
        """Remove a queue as an administrator does."""
        raise NotImplementedError

    async def queue(self, pattern: str = "#", **properties: Any) -> tuple[str, str]:
        """Make an exchange and a queue on it; return the names of both."""
        exchange, queue = f"e-{uuid.uuid4()}", f"q-{uuid.uuid4()}"
        await self.broker.declare(Exchange(exchange), Queue(queue, **properties), Binding(exchange, queue, pattern))
        return exchange, queue

    def test_it_is_one(self) -> None:
        """The interface is kept."""
        self.assertTrue(verifyObject(IBroker, self.broker))
        self.assertTrue(verifyObject(ISubscription, self.broker.consume("none", Taker())))

    async def test_a_published_message_arrives_as_it_was_sent(self) -> None:
        """Body, headers of every kind, and properties."""
        exchange, queue = await self.queue()
        headers = {
            "text": TEXT, "number": -7, "big": 2**40, "float": 0.5, "yes": True, "nothing": None,
            "list": [1, "two", {"three": 3}], "inside": {"deeper": {"deepest": [None, False]}}, "bytes": b"\xff\x00",
        }  # fmt: skip
        sent = Message(TEXT.encode(), headers=headers, message_id="m-1", correlation_id="c-1", reply_to="r")
        await self.broker.publish(exchange, "a.b", sent)
        taker = Taker()
        self.broker.consume(queue, taker)
        await self.until(lambda: taker.taken, "the message")
        self.assertEqual(taker.taken, [Delivered(sent, exchange, "a.b", False)])

    async def test_large_and_empty_bodies_arrive(self) -> None:
        """A body may be longer than a frame, and may be nothing."""
        exchange, queue = await self.queue()
        large = (TEXT * 20_000).encode()
        taker = Taker()
        self.broker.consume(queue, taker)
        await gatherResults([self.broker.publish(exchange, "k", Message(each)) for each in (large, b"", large)])
        await self.until(lambda: len(taker.taken) == 3, "all three")
        self.assertEqual(taker.bodies, [large, b"", large])

    async def test_messages_arrive_in_the_order_in_which_they_were_published(self) -> None:
        """Nobody has to wait for a confirmation before the next."""
        exchange, queue = await self.queue()
        bodies = [b"%d" % number for number in range(self.limit)]
        taker = Taker()
        self.broker.consume(queue, taker)
        await gatherResults([self.broker.publish(exchange, "k", Message(each)) for each in bodies])
        await self.until(lambda: len(taker.taken) == len(bodies), "all of them")
        self.assertEqual(taker.bodies, bodies)

    async def test_a_topic_exchange_passes_on_what_its_patterns_say(self) -> None:
        """``*`` is one word and ``#`` any number."""
        exchange, queue = await self.queue("a.*.c.#")
        for key in ("a.b.c", "a.b.c.d.e", "a.c", "a.b.b.c", "b"):
            await self.broker.publish(exchange, key, Message(key.encode()))
        taker = Taker()
        self.broker.consume(queue, taker)
        await self.until(lambda: len(taker.taken) >= 2, "both")
        self.assertEqual(taker.bodies, [b"a.b.c", b"a.b.c.d.e"])

    async def test_what_must_be_taken_and_is_not_fails(self) -> None:
        """Only the message itself fails; without ``mandatory`` nobody minds."""
        exchange, _queue = await self.queue("wanted")
        wanted = self.broker.publish(exchange, "wanted", Message(b"1"), mandatory=True)
        lost = self.broker.publish(exchange, "unwanted", Message(b"2"), mandatory=True)
        ignored = self.broker.publish(exchange, "unwanted", Message(b"3"))
        await wanted
        await ignored
        refused = await self.assertFailure(lost, NoRoute)
        self.assertIn("unwanted", str(refused))

    async def test_a_message_to_no_exchange_is_refused_and_the_next_goes(self) -> None:
        """A mistake of one caller ends nothing for others."""
        exchange, _queue = await self.queue()
        await self.assertFailure(self.broker.publish("no-such-exchange", "k", Message(b"x")), BrokerRefused)
        await self.until(lambda: self.broker.is_connected, "publishing again")
        await self.broker.publish(exchange, "k", Message(b"y"), mandatory=True)

    async def test_a_header_that_cannot_be_sent_fails_for_its_caller_only(self) -> None:
        """Nothing of it is sent, and what others send goes on."""
        exchange, queue = await self.queue()
        for bad in (2**70, object(), {"deep": {1, 2}}, 1j):
            await self.assertFailure(
                self.broker.publish(exchange, "k", Message(b"bad", headers={"good": 1, "bad": bad})), Unencodable
            )
        await self.broker.publish(exchange, "k", Message(b"good"))
        taker = Taker()
        self.broker.consume(queue, taker)
        await self.until(lambda: taker.taken, "the good one")
        self.assertEqual(taker.bodies, [b"good"])

    async def test_what_a_queue_refuses_is_told(self) -> None:
        """The broker's no reaches whoever published."""
        full = {"x-max-length": 2, "x-overflow": "reject-publish"}
        exchange, _queue = await self.queue(arguments=full)
        for body in (b"1", b"2"):
            await self.broker.publish(exchange, "k", Message(body))
        await self.assertFailure(self.broker.publish(exchange, "k", Message(b"3")), BrokerRefused)

    async def test_nobody_publishes_by_the_name_of_another(self) -> None:
        """A message names the user of its connection or nobody, so whoever takes it knows who sent it."""
        exchange, queue = await self.queue()
        await self.broker.publish(exchange, "k", Message(b"x", user_id=self.broker.user))
        await self.assertFailure(self.broker.publish(exchange, "k", Message(b"y", user_id="somebody")), BrokerRefused)
        taker = Taker()
        self.broker.consume(queue, taker)
        await self.until(lambda: taker.taken, "the message")
        self.assertEqual([each.message.user_id for each in taker.taken], [self.broker.user])
        self.cut()
        await self.until(lambda: not self.broker.is_connected, "the loss")
        self.assertEqual(self.broker.user, "")
        self.mend()
        await self.until(lambda: self.broker.is_connected, "the connection")

    async def test_the_buffer_is_bounded(self) -> None:
        """When the broker is slow, callers hear of it instead of memory growing."""
        exchange, _queue = await self.queue()
        sent = [self.broker.publish(exchange, "k", Message(b"x")) for _ in range(self.limit)]
        self.assertEqual(self.broker.unconfirmed, self.limit)
        await self.assertFailure(self.broker.publish(exchange, "k", Message(b"one more")), BrokerBusy)
        await gatherResults(sent)
        self.assertEqual(self.broker.unconfirmed, 0)
        await self.broker.publish(exchange, "k", Message(b"again"))

    async def test_no_more_than_the_prefetch_is_received_at_a_time(self) -> None:
        """A slow consumer is not flooded."""
        exchange, queue = await self.queue()
        for number in range(5):
            await self.broker.publish(exchange, "k", Message(b"%d" % number))
        done: Deferred[None] = Deferred()
        taker = Taker(lambda delivered: None if done.called else done)
        self.broker.consume(queue, taker, prefetch=2)
        await self.until(lambda: len(taker.taken) == 2, "two")
        await deferLater(reactor, 0.2)
        self.assertEqual(len(taker.taken), 2)
        done.callback(None)
        await self.until(lambda: len(taker.taken) == 5, "the others")

    async def test_what_cannot_be_handled_goes_to_the_dead_letters(self) -> None:
        """It is not handed out again and again."""
        dead = f"q-{uuid.uuid4()}"
        arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
        await self.broker.declare(Queue(dead))
        exchange, queue = await self.queue(arguments=arguments)

        def fail(delivered: Delivered) -> None:
            raise ValueError(delivered.message.body)

        buried = Taker()
        self.broker.consume(dead, buried)
        self.broker.consume(queue, Taker(fail))
        await self.broker.publish(exchange, "k", Message(b"poison"))
        await self.until(lambda: buried.taken, "the dead letter")
        self.assertEqual(buried.bodies, [b"poison"])
        self.flushLoggedErrors(ValueError)

    async def test_what_was_not_acknowledged_comes_again_after_a_lost_connection(self) -> None:
        """Marked as such, to whoever takes messages then."""
        exchange, queue = await self.queue()
        taker = Taker(lambda delivered: None if delivered.is_again else Deferred())
        self.broker.consume(queue, taker)
        await self.broker.publish(exchange, "k", Message(b"x"))
        await self.until(lambda: taker.taken, "the message")
        await self._reconnect()
        await self.until(lambda: len(taker.taken) == 2, "the message again")
        self.assertEqual([each.is_again for each in taker.taken], [False, True])

    async def test_after_a_lost_connection_everything_goes_on(self) -> None:
        """What was declared and consumed is again, and listeners are told of both."""
        told: list[str] = []
        self.broker.on_lost(lambda: told.append("lost"))
        self.broker.on_connected(lambda: told.append("connected"))
        exchange, queue = await self.queue(is_durable=False, is_exclusive=True)
        taker = Taker()
        subscriptions = [self.broker.consume(queue, each) for each in (taker, taker)]
        await self.until(lambda: all(each.is_active for each in subscriptions), "the consumers")
        await self._reconnect()
        self.assertEqual(told, ["lost", "connected"])
        await self.broker.publish(exchange, "k", Message(b"x"), mandatory=True)
        await self.until(lambda: taker.taken, "the message")

    async def test_without_a_connection_calls_fail_at_once(self) -> None:
        """Nobody waits for a broker that is away."""
        exchange, _queue = await self.queue()
        self.cut()
        await self.until(lambda: not self.broker.is_connected, "the loss")
        await self.assertFailure(self.broker.publish(exchange, "k", Message(b"x")), EdgeUnavailable)
        await self.assertFailure(self.broker.declare(Queue("later")), EdgeUnavailable)
        self.mend()
        await self.until(lambda: self.broker.is_connected, "the connection")

    async def test_confirmations_under_way_fail_with_the_connection(self) -> None:
        """Each caller learns that it is not known what became of the message."""
        exchange, _queue = await self.queue()
        sent = [self.broker.publish(exchange, "k", Message(b"x")) for _ in range(3)]
        self.cut()
        for each in sent:
            await self.assertFailure(each, EdgeError)
        self.mend()
        await self.until(lambda: self.broker.is_connected, "the connection")
        self.assertEqual(self.broker.unconfirmed, 0)

    async def test_a_consumer_hears_that_its_queue_is_gone_and_goes_on_when_it_is_back(self) -> None:
        """No consumer is dead without anybody knowing."""
        told: list[str] = []
        self.broker.on_lost(lambda: told.append("lost"))
        exchange, queue = await self.queue()
        taker = Taker()
        subscription = self.broker.consume(queue, taker)
        await self.until(lambda: subscription.is_active, "the consumer")
        await self.delete_queue(queue)
        await self.until(lambda: told, "the loss")
        self.assertFalse(subscription.is_active)
        await self.broker.declare(Queue(queue), Binding(exchange, queue, "#"))
        await self.until(lambda: subscription.is_active, "the consumer again")
        await self.broker.publish(exchange, "k", Message(b"x"))
        await self.until(lambda: taker.taken, "the message")

    async def test_a_cancelled_consumer_takes_no_more(self) -> None:
        """What it had not acknowledged goes to another."""
        exchange, queue = await self.queue()
        first, second = Taker(lambda delivered: Deferred()), Taker()
        subscription = self.broker.consume(queue, first)
        await self.broker.publish(exchange, "k", Message(b"x"))
        await self.until(lambda: first.taken, "the message")
        await subscription.cancel()
        self.broker.consume(queue, second)
        await self.until(lambda: second.taken, "the message at the other")
        self.assertEqual((len(first.taken), second.bodies), (1, [b"x"]))

    async def test_a_cancelled_call_gives_its_answer_to_nobody_else(self) -> None:
        """Who declares after somebody gave up gets an answer of his own."""
        first = self.broker.declare(Queue(f"q-{uuid.uuid4()}"))
        first.addErrback(lambda failure: failure.trap(CancelledError))
        first.cancel()
        exchange, _queue = await self.queue()
        sent = self.broker.publish(exchange, "unheard", Message(b"x"))
        sent.addErrback(lambda failure: failure.trap(CancelledError))
        sent.cancel()
        await self.broker.publish(exchange, "k", Message(b"y"), mandatory=True)
        self.assertEqual(self.broker.unconfirmed, 0)

    async def test_something_else_of_the_same_name_is_refused_and_forgotten(self) -> None:
        """A wrong declaration does not come back with each connection."""
        name = f"q-{uuid.uuid4()}"
        await self.broker.declare(Queue(name))
        other = Queue(name, arguments={"x-max-length": 7})
        await self.assertFailure(self.broker.declare(other), BrokerRefused)
        await self._reconnect()
        await self.broker.declare(Queue(name))

    async def test_something_else_of_the_same_name_keeps_nobody_from_the_broker(self) -> None:
        """What was declared while the broker was away may be refused when it is back: the rest goes on."""
        name = f"q-{uuid.uuid4()}"
        await self.broker.declare(Queue(name))
        self.cut()
        await self.until(lambda: not self.broker.is_connected, "the loss")
        await self.assertFailure(self.broker.declare(Queue(name, arguments={"x-max-length": 7})), EdgeUnavailable)
        self.mend()
        await self.until(lambda: self.broker.is_connected, "the connection")
        await self.broker.publish("", name, Message(b"x"), mandatory=True)

    async def _reconnect(self) -> None:
        self.cut()
        await self.until(lambda: not self.broker.is_connected, "the loss")
        self.mend()
        await self.until(lambda: self.broker.is_connected, "the connection")

"""What brokers and wires do to a bus, on a real RabbitMQ: every call ends, nothing is lost, nothing storms."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from quantumd.bus.amqp import AmqpBus
from quantumd.bus.wiring import Wiring
from quantumd.config import AmqpSettings
from quantumd.edge.amqp.made import make_broker
from quantumd.errors import EdgeError, EdgeTimeout
from quantumd.model.messages import Ack, CompareReply, FetchRequest, Message
from tests.bed.proxy import Proxy
from tests.bed.rabbitmq import USER
from tests.contracts.bus import SOON, update
from tests.functional.test_amqp import RabbitmqCase

HEARTBEAT = 1
"""Seconds. After two without a byte a connection is given up, which a busy machine needs little for."""


class FaultyCase(RabbitmqCase):
    """A broker behind wires."""

    is_tls: ClassVar[bool] = False
    heartbeat: ClassVar[int] = HEARTBEAT

    def wire(self) -> Proxy:
        """Return a wire to the broker."""
        proxy = Proxy(self.server.tls_port if self.is_tls else self.server.port)
        proxy.listen()
        self.addCleanup(proxy.close)
        return proxy

    def amqp(self, *wires: Proxy, **more: Any) -> AmqpSettings:
        """Return the settings of a process behind wires."""
        scheme = "amqps" if self.is_tls else "amqp"
        urls = tuple(f"{scheme}://{USER}@127.0.0.1:{wire.own_port}/" for wire in wires)
        ca_file = str(self.server.ca_file) if self.is_tls else ""
        how = {"heartbeat_seconds": self.heartbeat, "timeout_seconds": 5.0, **more}
        return AmqpSettings(urls=urls, ca_file=ca_file, password_file=str(self.server.password_file), **how)

    def make_bus(self, me: str, exchange: str, settings: AmqpSettings) -> AmqpBus:
        """Return the bus of a process, started."""
        asks, tells = (make_broker(reactor, settings) for _ in range(2))
        bus = AmqpBus(reactor, asks, tells, me, Wiring(exchange=exchange), care_seconds=2.0)
        bus.startService()
        self.addCleanup(bus.stopService)
        return bus


class CallsCase(FaultyCase):
    """``here`` asks ``there``; each has a wire of its own to the broker."""

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        self.exchange = f"bus-{uuid4()}"
        self.near, self.far = self.wire(), self.wire()
        self.here = self.make_bus("here", self.exchange, self.amqp(self.near))
        self.there = self.make_bus("there", self.exchange, self.amqp(self.far))
        self.there.consume("api", self.answer)
        await self.until_answered()

    def answer(self, message: Message) -> Message:
        """Name what was asked."""
        return CompareReply(message.buckets) if isinstance(message, FetchRequest) else Ack()

    async def ask(self, number: int, seconds: float = SOON) -> int:
        """Ask; return which question the answer names."""
        reply: Any = await self.here.call("api", FetchRequest("host-a", "l2", (number,)), seconds)
        return int(reply.buckets[0])

    async def until_answered(self, seconds: float = 20.0) -> None:
        """Ask until there is an answer."""
        began = reactor.seconds()
        while reactor.seconds() - began < seconds:
            with contextlib.suppress(EdgeError):
                self.assertEqual(await self.ask(7, 2.0), 7)
                return
            await deferLater(reactor, 0.05)
        self.fail("no answer")

    async def seconds_of(self, waiting: Deferred[Any]) -> float:
        """Return how long something takes until it fails."""
        began = reactor.seconds()
        await self.assertFailure(waiting, EdgeError)
        return float(reactor.seconds() - began)


class WireTests(CallsCase):
    """What happens between process and broker."""

    async def test_a_short_stop_of_the_wire_loses_nothing(self) -> None:
        """Shorter than two heartbeats: what was asked is answered, and nobody connects anew."""
        connections = self.near.connections
        self.near.hold()
        asked = [Deferred.fromCoroutine(self.ask(number)) for number in range(20)]
        await deferLater(reactor, HEARTBEAT)
        self.near.release()
        self.assertEqual(await gatherResults(asked), list(range(20)))
        self.assertEqual(self.near.connections, connections)

    async def test_a_call_over_a_wire_that_carries_nothing_ends_in_its_time(self) -> None:
        """Though the connection seems to stand; the answer that comes later is nobody's."""
        self.near.hold()
        self.assertLess(await self.seconds_of(self.here.call("api", update(1), 0.3)), 0.6)
        self.near.release()
        self.assertEqual([await self.ask(number) for number in range(5)], list(range(5)))

    async def test_a_partition_is_noticed_and_mends(self) -> None:
        """Longer than two heartbeats: calls under way end with the connection, new ones at once; then all goes on."""
        lost: list[bool] = []
        self.here.on_lost(lambda: lost.append(True))
        self.near.hold()
        self.assertLess(await self.seconds_of(self.here.call("api", update(1), 60)), 4.0)
        self.assertLess(await self.seconds_of(self.here.call("api", update(1), 60)), 0.1)
        await self.until(lambda: lost, "the loss")
        connections = self.near.connections
        await deferLater(reactor, 3.0)
        self.assertLess(self.near.connections - connections, 10)
        self.near.release()
        await self.until_answered()

    async def test_a_connection_that_only_the_process_lost_is_made_anew_at_once(self) -> None:
        """The broker has not noticed yet, and still holds what belongs to the old one."""
        self.near.cut_near()
        began = reactor.seconds()
        await self.until_answered()
        self.assertLess(reactor.seconds() - began, 1.5)

    async def test_a_wire_that_is_cut_again_and_again_holds_nobody_up(self) -> None:
        """In the middle of connecting, too."""
        for pause in (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4) * 2:
            await deferLater(reactor, pause)
            self.near.cut()
        began = reactor.seconds()
        await self.until_answered()
        self.assertLess(reactor.seconds() - began, 3.0)

    async def test_a_slow_wire_is_slow_and_nothing_else(self) -> None:
        """200 ms either way: answers find their questions, cancelled and late ones shift none, nobody connects anew."""
        self.near.delay_seconds = self.far.delay_seconds = 0.2
        connections = self.near.connections
        asked = [Deferred.fromCoroutine(self.ask(number)) for number in range(10)]
        given_up = self.here.call("api", FetchRequest("host-a", "l2", (99,)), SOON)
        given_up.addErrback(lambda failure: None)
        given_up.cancel()
        await self.assertFailure(self.here.call("api", FetchRequest("host-a", "l2", (98,)), 0.3), EdgeTimeout)
        self.assertEqual(await gatherResults(asked), list(range(10)))
        await deferLater(reactor, 2 * HEARTBEAT)
        self.assertEqual(self.near.connections, connections)

    async def test_over_a_slow_wire_a_process_is_there_soon(self) -> None:
        """What it needs of the broker is not asked for one by one, or each of 14 queues would take 1.2 s."""
        slow = self.wire()
        slow.delay_seconds = 0.2
        bus = self.make_bus("slow", self.exchange, self.amqp(slow))
        for number in range(6):
            bus.consume(f"l2.host-{number}", self.answer)
        await self.until(lambda: bus.is_connected, "the connection", 8.0)

    async def test_a_narrow_wire_carries_what_is_large(self) -> None:
        """It takes longer than two heartbeats, in which the broker is not taken for dead: bytes come all the time."""
        large = FetchRequest("host-a", "l2", tuple(range(60_000)))
        narrow = self.wire()
        # Twice the heartbeat of the others: on a busy machine, two seconds may pass without a byte of any wire.
        bus = self.make_bus("narrow", self.exchange, self.amqp(narrow, heartbeat_seconds=2 * HEARTBEAT))
        await self.until(lambda: bus.is_connected, "the connection")
        connections = narrow.connections
        narrow.bytes_per_second = 100_000
        began = reactor.seconds()
        reply: Any = await bus.call("api", large, 60)
        self.assertEqual(reply.buckets, large.buckets)
        self.assertEqual(narrow.connections, connections)
        self.assertGreater(reactor.seconds() - began, 4 * HEARTBEAT)

    async def test_of_several_brokers_the_next_is_taken(self) -> None:
        """The first is refused, then silent; there and back again."""
        first, second = self.wire(), self.wire()
        bus = self.make_bus("several", self.exchange, self.amqp(first, second, timeout_seconds=1.0))
        await self.until(lambda: bus.is_connected, "the first")
        self.assertEqual((first.connections, second.connections), (2, 0))
        first.hold()
        await self.until(lambda: second.connections == 2 and bus.is_connected, "the second")
        second.hold()
        first.release()
        await self.until(lambda: first.connections > 2 and bus.is_connected, "the first again")


class TlsWireTests(WireTests):
    """The same over TLS."""

    is_tls = True


class BrokerTests(CallsCase):
    """What happens in the broker."""

    async def test_a_broker_that_freezes_for_a_moment_loses_nothing(self) -> None:
        """Shorter than two heartbeats."""
        connections = self.near.connections
        self.server.freeze()
        try:
            asked = [Deferred.fromCoroutine(self.ask(number)) for number in range(20)]
            await deferLater(reactor, HEARTBEAT)
        finally:
            self.server.thaw()
        self.assertEqual(await gatherResults(asked), list(range(20)))
        self.assertEqual(self.near.connections, connections)

    async def test_a_broker_that_freezes_for_long_is_left_and_found_again(self) -> None:
        """Calls end with the connection, and when it answers again it is not run over."""
        self.server.freeze()
        try:
            self.assertLess(await self.seconds_of(self.here.call("api", update(1), 60)), 4.0)
            await deferLater(reactor, 3.0)
        finally:
            self.server.thaw()
        await self.until_answered()


class AdministratorTests(CallsCase):
    """What somebody does to a broker that runs."""

    heartbeat = 10

    async def test_an_exchange_that_somebody_deletes_is_made_again(self) -> None:
        """With the bindings that went with it, though nobody lost a connection."""
        await self.delete("exchange", self.exchange)
        began = reactor.seconds()
        await self.until_answered()
        self.assertLess(reactor.seconds() - began, 6.0)

    async def test_a_queue_of_answers_that_somebody_deletes_is_made_again(self) -> None:
        """Answers come, or nobody could ask anything any more."""
        names = await deferToThread(self.server.control, "list_queues", "name", "--no-table-headers")
        (mine,) = (name for name in names.split() if name.startswith(f"{self.exchange}.answers.here."))
        await self.delete("queue", mine)
        await self.until_answered()

    async def test_a_broker_in_an_alarm_keeps_nobody_waiting(self) -> None:
        """Calls and messages end by their time limits or at once, and when it is over all goes on."""
        await deferToThread(self.server.control, "set_vm_memory_high_watermark", "absolute", "1")
        try:
            for number in range(20):
                self.assertLess(await self.seconds_of(self.here.call("api", update(number), 1.0)), 1.5)
                with contextlib.suppress(EdgeError):
                    await self.here.publish("api", update(number)).addTimeout(1.0, reactor, lambda *_: None)
        finally:
            await deferToThread(self.server.control, "set_vm_memory_high_watermark", "absolute", "512MiB")
        await self.until_answered()

    async def test_a_full_queue_holds_up_nobody(self) -> None:
        """The oldest messages go; who sends hears that the broker has taken it, as with every hint."""
        policy = ("set_policy", "small", f"^{self.exchange}", '{"max-length": 5}', "--apply-to", "queues")
        await deferToThread(self.server.control, *policy)
        self.addCleanup(deferToThread, self.server.control, "clear_policy", "small")
        held: list[Deferred[Message]] = []
        taken: list[Message] = []

        def hold(message: Message) -> Deferred[Message]:
            taken.append(message)
            held.append(Deferred())
            return held[-1]

        self.there.consume("l2.full", hold)
        await deferLater(reactor, 0.5)
        for number in range(100):
            await self.here.publish("l2.full", update(number)).addTimeout(SOON, reactor)
        for each in held:
            each.callback(Ack())
        await self.until(lambda: taken and taken[-1] == update(99), "the last message")
        self.assertLess(len(taken), 100)

    async def delete(self, kind: str, name: str) -> None:
        """Delete an exchange or a queue, as an administrator can: by the broker's own functions."""
        resource = f'rabbit_misc:r(<<"/">>, {kind}, <<"{name}">>)'
        if kind == "exchange":
            words = f'rabbit_exchange:delete({resource}, false, <<"test">>).'
        else:
            words = f'{{ok, Q}} = rabbit_amqqueue:lookup({resource}), rabbit_amqqueue:delete(Q, false, false, <<"t">>).'
        await deferToThread(self.server.control, "eval", words)

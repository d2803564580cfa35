"""What every bus is to those who use it; a mixin for trial's TestCase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from zope.interface.verify import verifyObject

from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable
from quantumd.interfaces import IBus
from quantumd.model.messages import Ack, CompareReply, CompareRequest, FetchRequest, Gone, Message, Update
from tests.contracts.amqp import Waiting

SOON = 10.0


def update(number: int) -> Update:
    """Return a message that can be told from others."""
    return Update("host-a", "l2", (), (Gone("port", f"p{number}", number),), f"req-{number}")


class BusContract(Waiting):
    """``setUp`` sets ``here`` and ``there``: a bus as two processes see it, or one that is both."""

    here: Any
    there: Any

    def lose_all(self) -> None:
        """Break what is between them; it mends by itself."""
        raise NotImplementedError

    def test_it_is_one(self) -> None:
        """The interface is kept."""
        verifyObject(IBus, self.here)
        self.assertTrue(self.here.is_connected)

    async def consumed(self, address: str, receive: Callable[[Message], Any]) -> None:
        """Consume an address there, and wait until it can be reached from here; what returns None, answers Ack."""
        self.there.consume(address, lambda message: receive(message) or Ack())
        for _ in range(200):
            try:
                await self.here.call(address, FetchRequest("nobody", "l2", ()), SOON)
                return
            except EdgeUnavailable:
                await deferLater(reactor, 0.02)
            except EdgeError:
                return

    async def test_what_is_published_arrives_in_order(self) -> None:
        """Each message once, equal and in its order, while nothing breaks."""
        taken: list[Message] = []
        await self.consumed("l2.host-a", taken.append)
        taken.clear()
        wanted = [update(number) for number in range(50)]
        await gatherResults([self.here.publish("l2.host-a", each) for each in wanted])
        await self.until(lambda: len(taken) >= len(wanted), "all messages")
        self.assertEqual(taken, wanted)

    async def test_nobody_there_is_no_error_of_a_message(self) -> None:
        """It is a hint, and lost."""
        await self.here.publish("l2.nowhere", update(1))

    async def test_addresses_do_not_hear_each_other(self) -> None:
        """A message goes to the address that it was sent to."""
        one: list[Message] = []
        other: list[Message] = []
        await self.consumed("l2.host-a", one.append)
        await self.consumed("dhcp.host-a", other.append)
        one.clear()
        other.clear()
        await self.here.publish("dhcp.host-a", update(2))
        await self.until(lambda: other, "the message")
        self.assertEqual((one, other), ([], [update(2)]))

    async def test_a_call_is_answered(self) -> None:
        """By what the consumer returns."""
        asked: list[Message] = []

        def answer(message: Message) -> Message:
            asked.append(message)
            return CompareReply((3, 5))

        await self.consumed("api", answer)
        asked.clear()
        question = CompareRequest("host-a", "l2", ((3, "x"),))
        self.assertEqual(await self.here.call("api", question, SOON), CompareReply((3, 5)))
        self.assertEqual(asked, [question])

    async def test_a_call_waits_for_a_deferred(self) -> None:
        """The consumer may take its time."""
        await self.consumed("api", lambda message: deferLater(reactor, 0.05, Ack))
        self.assertEqual(await self.here.call("api", update(1), SOON), Ack())

    async def test_each_caller_gets_its_own_answer(self) -> None:
        """Though later ones are answered first, and one of them is not waited for any more."""
        held: list[tuple[int, Deferred[Message]]] = []

        def hold(message: Message) -> Deferred[Message]:
            waiting: Deferred[Message] = Deferred()
            held.append((message.buckets[0] if message.buckets else 0, waiting))  # type: ignore[union-attr]
            return waiting

        await self.answered_at_once("api", hold)
        calls = [self.here.call("api", FetchRequest("host-a", "l2", (number,)), SOON) for number in range(5)]
        await self.until(lambda: len(held) == 5, "all calls")
        given_up = calls.pop(2)
        given_up.addErrback(lambda failure: None)
        given_up.cancel()
        for number, waiting in reversed(held):
            waiting.callback(CompareReply((number,)))
        self.assertEqual([each.buckets for each in await gatherResults(calls)], [(0,), (1,), (3,), (4,)])

    async def answered_at_once(self, address: str, receive: Callable[[Message], Any]) -> None:
        """Consume with ``receive``, which is not called while the way there is tried."""
        ready = False

        def take(message: Message) -> Any:
            return receive(message) if ready else Ack()

        await self.consumed(address, take)
        ready = True

    async def test_an_error_of_the_consumer_is_the_caller_s(self) -> None:
        """With its sentence."""

        def refuse(message: Message) -> Message:
            raise EdgeTimeout("the database took too long")

        await self.consumed("api", refuse)
        error = await self.failure_of(self.here.call("api", update(1), SOON))
        self.assertIsInstance(error, EdgeError)
        self.assertIn("the database took too long", str(error))

    async def test_nobody_there_is_an_error_of_a_call(self) -> None:
        """At once, not after the time limit."""
        self.assertIsInstance(await self.failure_of(self.here.call("l2.nowhere", update(1), 60)), EdgeUnavailable)

    async def test_a_late_answer_is_no_answer(self) -> None:
        """The call ends with its time, and the next one is not answered with it."""
        held: list[Deferred[Message]] = []

        def hold(message: Message) -> Deferred[Message]:
            held.append(Deferred())
            return held[-1]

        await self.answered_at_once("api", hold)
        self.assertIsInstance(await self.failure_of(self.here.call("api", update(1), 0.2)), EdgeTimeout)
        following = self.here.call("api", update(2), SOON)
        await self.until(lambda: len(held) == 2, "the second call")
        held[0].callback(CompareReply((1,)))
        held[1].callback(CompareReply((2,)))
        self.assertEqual(await following, CompareReply((2,)))

    async def test_whoever_listens_hears_of_losses(self) -> None:
        """And afterwards everything goes on."""
        lost: list[bool] = []
        await self.consumed("api", lambda message: Ack())
        self.here.on_lost(lambda: lost.append(True))
        self.lose_all()
        await self.until(lambda: lost, "the loss")
        await self.consumed("api", lambda message: Ack())
        self.assertEqual(await self.here.call("api", update(1), SOON), Ack())

    async def failure_of(self, waiting: Deferred[Any]) -> Exception:
        """Return what a Deferred fails with."""
        return await self.assertFailure(waiting, EdgeError)

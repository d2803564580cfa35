"""What the broker in memory is: exchanges, queues and bindings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from quantumd.edge.amqp.errors import BrokerRefused
from quantumd.edge.amqp.interfaces import Binding, Declaration, Delivered, Exchange, Message, Queue

if TYPE_CHECKING:
    from quantumd.edge.amqp.memory import MemorySubscription


def matches(pattern: str, routing_key: str) -> bool:
    """Whether a topic exchange passes a key on by a pattern: ``*`` is one word, ``#`` any number of words."""
    return _match(tuple(pattern.split(".")), tuple(routing_key.split(".")))


def _match(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_match(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _match(pattern[1:], words[1:])


@define(eq=False)
class WaitingMessages:
    """A queue and who takes from it."""

    declared: Queue
    messages: deque[Delivered] = field(factory=deque)
    takers: list[MemorySubscription] = field(factory=list)

    @property
    def is_full(self) -> bool:
        limit = self.declared.arguments.get("x-max-length")
        is_refusing = self.declared.arguments.get("x-overflow") == "reject-publish"
        return limit is not None and is_refusing and len(self.messages) >= limit


@define(eq=False)
class MemoryServer:
    """What brokers are: exchanges, queues, bindings. Several ``MemoryBroker`` may be connected to one."""

    clock: IReactorTime
    is_up: bool = True
    _exchanges: dict[str, Exchange] = field(factory=dict, init=False)
    _queues: dict[str, WaitingMessages] = field(factory=dict, init=False)
    _bindings: dict[Binding, None] = field(factory=dict, init=False)
    _wanting: dict[str, list[MemorySubscription]] = field(factory=dict, init=False)

    def declare(self, wanted: Declaration) -> None:
        """Make it, unless it is there. BrokerRefused."""
        if isinstance(wanted, Exchange):
            there = self._exchanges.setdefault(wanted.name, wanted)
            if there != wanted:
                raise BrokerRefused(406, f"exchange {wanted.name} is another")
        elif isinstance(wanted, Queue):
            queue = self._queues.setdefault(wanted.name, WaitingMessages(wanted))
            if queue.declared != wanted:
                raise BrokerRefused(406, f"queue {wanted.name} is another")
            for taker in self._wanting.pop(wanted.name, []):
                taker.attach()
        else:
            if wanted.exchange not in self._exchanges or wanted.queue not in self._queues:
                raise BrokerRefused(404, f"no exchange {wanted.exchange} or no queue {wanted.queue}")
            self._bindings[wanted] = None

    def delete_queue(self, name: str) -> None:
        """Remove a queue with what waits in it; its consumers hear of it."""
        queue = self._queues.pop(name, None)
        for each in [binding for binding in self._bindings if binding.queue == name]:
            del self._bindings[each]
        for taker in tuple(queue.takers) if queue else ():
            taker.lose_queue()

    def find(self, name: str, taker: MemorySubscription) -> WaitingMessages | None:
        """Return a queue; None when there is none, and then ``taker`` is told when there is."""
        queue = self._queues.get(name)
        if queue is None:
            self._wanting.setdefault(name, []).append(taker)
        return queue

    def put(self, exchange: str, routing_key: str, message: Message) -> bool:
        """Put a message into the queues that take it; whether there is one. BrokerRefused."""
        if exchange and exchange not in self._exchanges:
            raise BrokerRefused(404, f"no exchange {exchange}")
        found = [self._queues[name] for name in self._takers(exchange, routing_key) if name in self._queues]
        if any(queue.is_full for queue in found):
            raise BrokerRefused(0, "it could not take the message")
        for queue in found:
            queue.messages.append(Delivered(message, exchange, routing_key, False))
            self.wake(queue)
        return bool(found)

    def wake(self, queue: WaitingMessages) -> None:
        """Hand out what can be, soon."""
        self.clock.callLater(0, self._hand_out, queue)

    def bury(self, queue: WaitingMessages, delivered: Delivered) -> None:
        """A message was rejected: pass it to the dead letter exchange, if there is one."""
        exchange = queue.declared.arguments.get("x-dead-letter-exchange")
        if exchange is not None:
            key = queue.declared.arguments.get("x-dead-letter-routing-key", delivered.routing_key)
            self.put(exchange, key, delivered.message)

    def _takers(self, exchange: str, routing_key: str) -> list[str]:
        if not exchange:
            return [routing_key]
        kind = self._exchanges[exchange].kind
        fits: dict[str, Callable[[str], bool]] = {
            "topic": lambda pattern: matches(pattern, routing_key),
            "direct": lambda pattern: pattern == routing_key,
            "fanout": lambda pattern: True,
        }
        mine = (each for each in self._bindings if each.exchange == exchange)
        return list(dict.fromkeys(each.queue for each in mine if fits[kind](each.routing_key)))

    def _hand_out(self, queue: WaitingMessages) -> None:
        while queue.messages:
            taker = next((each for each in queue.takers if each.has_room), None)
            if taker is None:
                return
            queue.takers.remove(taker)
            queue.takers.append(taker)
            taker.take(queue.messages.popleft())

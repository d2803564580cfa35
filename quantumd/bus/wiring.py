"""How the bus uses a broker: which queues there are, and on which way a message comes to one.

What everybody may say goes over the exchange, to an open address. What only the server may say goes to a queue by its
name, over the broker's default exchange. So a broker can be told that a host may speak to the server and to nobody
else: it may write to the one exchange and not to the other.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

from quantumd.edge.amqp.interfaces import Binding, Declaration, Exchange, Queue

ASK: Final = "ask"
TELL: Final = "tell"

STALE_SECONDS: Final = 60
"""How long a message may wait for a consumer: one that comes later compares digests and needs it no more."""

LONGEST_QUEUE: Final = 100_000
"""How many messages may wait in a queue; the oldest go first."""


@frozen
class Wiring:
    """How the bus uses the broker. ``exchange`` is the first part of every queue's name, too.

    ``is_quorum``: the queues of addresses are quorum queues, kept on several brokers. ``open_addresses`` are those to
    which everybody may speak.
    """

    exchange: str = "quantumd"
    is_quorum: bool = False
    open_addresses: frozenset[str] = frozenset({"api"})

    def queue(self, kind: str, address: str) -> Queue:
        """Return the queue of one kind of an address. It is bounded."""
        arguments: dict[str, Any] = {"x-message-ttl": STALE_SECONDS * 1000, "x-max-length": LONGEST_QUEUE}
        if self.is_quorum:
            arguments["x-queue-type"] = "quorum"
        return Queue(f"{self.exchange}.{kind}.{address}", arguments=arguments)

    def declared(self, kind: str, address: str) -> tuple[Declaration, ...]:
        """Return what must be there so that one kind of messages to an address arrives."""
        queue = self.queue(kind, address)
        if address not in self.open_addresses:
            return (queue,)
        exchange = Exchange(self.exchange, kind="direct")
        return exchange, queue, Binding(self.exchange, queue.name, f"{kind}.{address}")

    def route(self, kind: str, address: str) -> tuple[str, str]:
        """Return the exchange and the key by which messages come to an address."""
        if address in self.open_addresses:
            return self.exchange, f"{kind}.{address}"
        return "", self.queue(kind, address).name

    @property
    def answers(self) -> str:
        """How the name of every queue of answers begins."""
        return f"{self.exchange}.answers."

    def answer_queue(self, me: str, number: str) -> Queue:
        """Return the queue of answers of a process; it goes with the connection."""
        return Queue(f"{self.answers}{me}.{number}", is_durable=False, is_exclusive=True, is_auto_deleted=True)

"""A message broker, as far as quantumd needs one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


@frozen
class Exchange:
    """Where messages are published. ``kind``: topic, direct or fanout."""

    name: str
    kind: str = "topic"
    is_durable: bool = True
    is_auto_deleted: bool = False


@frozen
class Queue:
    """Where messages wait. ``arguments`` are the broker's own (``x-message-ttl``, ``x-queue-type`` …)."""

    name: str
    is_durable: bool = True
    is_exclusive: bool = False
    is_auto_deleted: bool = False
    arguments: Mapping[str, Any] = {}


@frozen
class Binding:
    """What an exchange passes to a queue; of a topic exchange by ``*`` (one word) and ``#`` (any number)."""

    exchange: str
    queue: str
    routing_key: str


Declaration: TypeAlias = Exchange | Queue | Binding


@frozen
class Message:
    """What is published. ``is_persistent``: it survives a restart of the broker in a durable queue.

    ``expires_seconds``: a queue drops it when it has waited for so long. ``user_id``: who publishes it; the broker
    refuses the name of anybody but the user as whom the connection was made.

    Values of ``headers`` are None, bool, int of 64 bits, float, str, bytes, and lists and dicts of these.
    """

    body: bytes
    content_type: str = "application/json"
    content_encoding: str = "utf-8"
    headers: Mapping[str, Any] = {}
    message_id: str = ""
    correlation_id: str = ""
    reply_to: str = ""
    is_persistent: bool = True
    expires_seconds: float | None = None
    user_id: str = ""


@frozen
class Delivered:
    """A message that came out of a queue. ``is_again``: it was handed out before and not acknowledged."""

    message: Message
    exchange: str
    routing_key: str
    is_again: bool


Receive: TypeAlias = "Callable[[Delivered], Deferred[Any] | None]"


class ISubscription(Interface):
    """Somebody who takes messages out of a queue."""

    is_active = Attribute("bool: whether the broker hands out messages to it at the moment.")

    def cancel() -> Deferred[None]:
        """Take no more. Fires when the broker knows or is gone; what was not acknowledged is handed out again."""


class IBroker(Interface):
    """A broker. Connects by itself, to the next of several when one is lost, and says again what was declared.

    Nothing waits longer than its time limit. A Deferred that is cancelled ends for its caller only; what was asked
    of the broker may have happened, and the answers to others are not touched.
    """

    is_connected = Attribute("bool: whether the broker is there and everything declared is declared.")

    user = Attribute("str: as whom it is connected; empty when it is not.")

    unconfirmed = Attribute("int: how many messages were sent that the broker has not answered for.")

    def startService() -> None:
        """Begin to connect."""

    def stopService() -> Deferred[None] | None:
        """Disconnect; what is declared stays, if it is durable."""

    def declare(*declarations: Declaration) -> Deferred[None]:
        """Make exchanges, queues and bindings, in this order, now and after each reconnection.

        Harmless twice. Fires when the broker has them; EdgeUnavailable when it is away, but it is remembered.
        BrokerRefused when something of the name and other properties is there: that is forgotten. When the broker
        refuses after a reconnection, that is logged, and everything else goes on.
        """

    def forget(*declarations: Declaration) -> None:
        """Declare these no more after a reconnection; the broker keeps what is durable."""

    def publish(exchange: str, routing_key: str, message: Message, mandatory: bool = False) -> Deferred[None]:
        """Publish one message; messages published one after the other arrive in this order.

        Fires when the broker has confirmed that it is responsible for the message from now on. Every failure is an
        EdgeError: NoRoute when ``mandatory`` and no queue took it; BrokerRefused when the broker said no;
        Unencodable when a header cannot be sent; BrokerBusy when too many are unconfirmed; EdgeUnavailable when
        there is no connection; EdgeTimeout and ConnectionLost when it is not known what became of it.
        """

    def consume(queue: str, receive: Receive, prefetch: int = 100) -> ISubscription:
        """Hand the messages of a queue to ``receive``, now and after each reconnection.

        A message is acknowledged when what ``receive`` returns has fired. When it fails, the message is rejected: the
        broker drops it, or passes it to the queue's dead letter exchange. At most ``prefetch`` messages are being
        received at a time. A queue that is not there, or no longer, is tried again.
        """

    def on_lost(listener: Callable[[], None]) -> None:
        """Call ``listener`` when a connection or a consumer's queue was lost, so that messages may have been."""

    def on_connected(listener: Callable[[], None]) -> None:
        """Call ``listener`` each time everything declared is declared."""

"""What is sent is signed and names its user; what comes is looked at before it is believed."""

from __future__ import annotations

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.bus.codec import decode
from quantumd.bus.errors import Untrusted
from quantumd.bus.signing import Signer
from quantumd.bus.users import HostUsers
from quantumd.bus.wiring import Wiring
from quantumd.edge.amqp.interfaces import Declaration, Delivered, IBroker
from quantumd.edge.amqp.interfaces import Message as Sent
from quantumd.errors import EdgeError, EdgeUnavailable
from quantumd.model.messages import Message


@frozen
class Post:
    """Sends and believes. ``signer`` and ``users`` None: whoever the broker lets in is believed."""

    wiring: Wiring
    signer: Signer | None = None
    users: HostUsers | None = None
    log = Logger()

    def send(self, broker: IBroker, route: tuple[str, str], sent: Sent, mandatory: bool = False) -> Deferred[None]:
        """Publish; ``route`` is exchange and key."""
        exchange, key = route
        # The broker lets nobody name another user than the one as whom it is connected.
        sent = evolve(sent, user_id=broker.user)
        if self.signer is not None:
            sent = self.signer.sign(key, sent)
        published: Deferred[None] = broker.publish(exchange, key, sent, mandatory)
        return published

    def check(self, delivered: Delivered) -> Sent:
        """Return what came. Untrusted."""
        if self.signer is not None:
            self.signer.check(delivered.routing_key, delivered.message)
        return delivered.message

    def open(self, address: str, delivered: Delivered) -> Message:
        """Return the message that came to an address. Untrusted, CodecError."""
        came = self.check(delivered)
        message = decode(came.body)
        if self.users is not None and address in self.wiring.open_addresses:
            self.users.check(came.user_id, message)
        return message

    def declare(self, broker: IBroker, *declarations: Declaration) -> Deferred[None]:
        """Make what is needed at a broker; fires in any case. One that is away remembers it."""
        declared: Deferred[None] = broker.declare(*declarations)
        return declared.addErrback(self._not_declared)

    def _not_declared(self, failure: Failure) -> None:
        failure.trap(EdgeError)
        if not failure.check(EdgeUnavailable):
            self.log.error("the broker does not make what the bus needs: {why}", why=failure.getErrorMessage())


def refuse_other_queues(wiring: Wiring, reply_to: str) -> None:
    """Raise Untrusted unless an answer is wanted in a queue for answers: nobody has us write elsewhere."""
    if not reply_to.startswith(wiring.answers):
        raise Untrusted("an answer is wanted in a queue that is none for answers")

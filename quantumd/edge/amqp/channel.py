"""One channel of a connection: calls and their answers, contents put together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from txamqp.content import Content
from txamqp.message import Message as Received
from txamqp.protocol import AMQChannel
from txamqp.spec import Method

from quantumd.edge.amqp.errors import BadFrame, BrokerRefused, ConnectionLost
from quantumd.edge.amqp.framing import Header, pack_content, pack_method
from quantumd.errors import EdgeTimeout

if TYPE_CHECKING:
    from quantumd.edge.amqp.protocol import Client

BODY_LIMIT = 16 * 1024 * 1024
"""The largest body that is kept; of a larger one None is handed on."""


@define
class _Assembly:
    """A method whose content is still arriving."""

    method: Method
    arguments: list[Any]
    header: Header | None = None
    pieces: list[bytes] = field(factory=list)
    size: int = 0

    def add(self, piece: bytes) -> None:
        """One more piece of the body."""
        self.size += len(piece)
        if self.header is None or self.size > self.header.size:
            raise BadFrame("a body where there should be none")
        if self.header.size <= BODY_LIMIT:
            self.pieces.append(piece)

    def finished(self) -> Received | None:
        """Return the whole, None while something is missing."""
        if self.header is None or self.size < self.header.size:
            return None
        body = b"".join(self.pieces) if self.header.size <= BODY_LIMIT else None
        return Received(self.method, self.arguments, Content(body, properties=dict(self.header.properties)))


class Channel(AMQChannel):  # type: ignore[misc] # txAMQP carries no annotations
    """A channel that keeps answers with their questions, whoever stops waiting, and writes whole methods or none."""

    # AMQChannel's own __init__ makes queues that nothing here reads, and takes the global reactor for them.
    def __init__(self, id: int, outgoing: object, client: Client) -> None:  # noqa: A002 - txAMQP's name
        self.id = id
        self.client = client
        self.closed = False
        self.reason: Exception | None = None
        self.on_closed: Callable[[Exception], None] = lambda reason: None
        self.on_deliver: Callable[[Received], None] = lambda received: None
        self.on_cancel: Callable[[], None] = lambda: None
        self.on_return: Callable[[Received], None] = lambda received: None
        self.on_confirm: Callable[[int, bool, bool], None] = lambda tag, multiple, is_kept: None
        self._waiting: deque[tuple[Method, Deferred[Any]]] = deque()
        self._assembly: _Assembly | None = None

    def invoke(self, method: Method, args: Sequence[Any], content: Content | None = None) -> Deferred[Any]:
        """Send a method, and its content, in one piece; fires with the answer, None when there is none to come.

        EdgeError: ConnectionLost, BrokerRefused, EdgeTimeout, Unencodable.
        """
        if self.closed:
            return fail(self.reason or ConnectionLost("the channel is closed"))
        try:
            data = pack_method(self.id, method, args)
            if method.content:
                sent = content or Content(b"")
                data += pack_content(self.id, method.klass, sent.properties, sent.body, self.client.MAX_LENGTH)
        except Exception:  # noqa: BLE001 - nothing was written; whoever asked hears of it
            return fail()
        self.client.transport.write(data)
        is_silent = "nowait" in method.fields.byname and args[method.fields.index(method.fields.byname["nowait"])]
        if is_silent or not method.responses:
            return succeed(None)
        return self._answer(method)

    def take_method(self, method: Method, arguments: tuple[Any, ...]) -> None:
        """A method arrived."""
        if self._assembly is not None:
            raise BadFrame("a method where a content should go on")
        if method.content:
            self._assembly = _Assembly(method, list(arguments))
        elif method.response:
            self._answered(Received(method, list(arguments)))
        else:
            self.client.delegate.dispatch(self, Received(method, list(arguments)))

    def take_header(self, header: Header) -> None:
        """The header of a content arrived."""
        if self._assembly is None or self._assembly.header is not None:
            raise BadFrame("a header without a method")
        self._assembly.header = header
        self._finish(self._assembly)

    def take_body(self, piece: bytes) -> None:
        """A piece of a body arrived."""
        if self._assembly is None:
            raise BadFrame("a body without a method")
        self._assembly.add(piece)
        self._finish(self._assembly)

    def do_close(self, reason: Any) -> None:
        """The channel is gone: everybody who waits on it hears of it."""
        if self.closed:
            return
        self.closed = True
        self.reason = error_of(reason)
        self.client.channels.pop(self.id, None)
        waiting, self._waiting = self._waiting, deque()
        for _method, answer in waiting:
            if not answer.called:
                answer.errback(self.reason)
        self.on_closed(self.reason)

    def _finish(self, assembly: _Assembly) -> None:
        received = assembly.finished()
        if received is not None:
            self._assembly = None
            self.client.delegate.dispatch(self, received)

    def _answer(self, method: Method) -> Deferred[Any]:
        # The place in the line stays when nobody waits any more: answers come in the order of the questions.
        answer: Deferred[Any] = Deferred()
        self._waiting.append((method, answer))
        seconds = self.client.call_seconds

        def late(_result: object, _seconds: float) -> None:
            raise EdgeTimeout(f"The broker did not answer {method.klass.name}.{method.name} within {seconds:g} s.")

        return answer.addTimeout(seconds, self.client.clock, onTimeoutCancel=late)

    def _answered(self, received: Received) -> None:
        if not self._waiting:
            raise BadFrame(f"{received.method.name} answers nothing")
        method, answer = self._waiting.popleft()
        if received.method not in method.responses:
            raise BadFrame(f"{received.method.name} does not answer {method.name}")
        if not answer.called:
            answer.callback(received)


def error_of(reason: Any) -> Exception:
    """Return as an error why something was closed: the broker's message, a Failure, or an exception."""
    if isinstance(reason, Received):
        return BrokerRefused(reason.reply_code, str(reason.reply_text))
    value = getattr(reason, "value", reason)
    if isinstance(value, BrokerRefused | ConnectionLost):
        return value
    return ConnectionLost(f"The connection to the broker is gone: {value}")

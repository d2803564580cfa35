"""Making a connection: TCP or TLS, log in, channels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import field, frozen
from twisted.internet import defer
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import optionsForClientTLS
from txamqp.client import Closed
from txamqp.spec import Spec

from quantumd.edge.amqp.channel import Channel, error_of
from quantumd.edge.amqp.errors import BrokerRefused
from quantumd.edge.amqp.interfaces import Binding, Declaration, Exchange, Queue
from quantumd.edge.amqp.location import Location
from quantumd.edge.amqp.protocol import Client
from quantumd.errors import EdgeTimeout, EdgeUnavailable


@frozen
class Login:
    """How connections are made. ``password`` is asked for at each: it may be in a file that changes.

    ``trust``: what the broker's certificate is checked by; None is the system's. Times in seconds.
    """

    password: Callable[[], str] = field(repr=False)
    trust: Any = None
    heartbeat: int = 10
    connect_seconds: float = 10.0
    call_seconds: float = 10.0


async def log_in(reactor: Any, spec: Spec, location: Location, login: Login) -> Client:
    """Return a connection on which channels can be opened. EdgeError."""
    client = await _connect(reactor, spec, location, login)
    client.mechanism, client.locale = "PLAIN", "en_US"
    client.response = f"\0{location.user}\0{login.password()}"
    started: Deferred[object] = client.started.wait()
    try:
        await started.addTimeout(login.connect_seconds, reactor)
        client.response = ""
        await client.channels[0].connection_open(location.vhost)
    except Exception as error:  # noqa: BLE001 - whatever it is, there is no connection
        client.transport.abortConnection()
        raise _explained(error, location) from None
    return client


async def open_channel(client: Client) -> Channel:
    """Return an open channel. EdgeError."""
    channel = client.new_channel()
    await channel.channel_open()
    return channel


async def declare_all(client: Client, declarations: Iterable[Declaration]) -> None:
    """Declare one after the other, on a channel of their own: a refusal closes it. EdgeError."""
    channel = await open_channel(client)
    for each in declarations:
        await _declare(channel, each)
    await _close(channel)


async def declare_what_can_be(
    client: Client, declarations: Sequence[Declaration]
) -> list[tuple[Declaration, BrokerRefused]]:
    """Declare all that the broker does not refuse, and return what it did, and why. EdgeError.

    First all at once, for on a slow wire each answer takes a while. After a refusal, which ends the channel and with it
    everything behind it, one by one.
    """
    channel = await open_channel(client)
    declared = await DeferredList([_declare(channel, each) for each in declarations], consumeErrors=True)
    if all(is_done for is_done, _ in declared):
        await _close(channel)
        return []
    return await _declare_one_by_one(client, declarations)


async def _declare_one_by_one(
    client: Client, declarations: Iterable[Declaration]
) -> list[tuple[Declaration, BrokerRefused]]:
    refused: list[tuple[Declaration, BrokerRefused]] = []
    channel: Channel | None = None
    for each in declarations:
        if channel is None or channel.closed:
            channel = await open_channel(client)
        try:
            await _declare(channel, each)
        except BrokerRefused as refusal:
            refused.append((each, refusal))
    if channel is not None and not channel.closed:
        await _close(channel)
    return refused


async def _close(channel: Channel) -> None:
    await channel.channel_close(reply_code=200, reply_text="declared")
    channel.do_close(ConnectionError("declared"))


def _declare(channel: Channel, wanted: Declaration) -> Deferred[Any]:
    answer: Deferred[Any]
    if isinstance(wanted, Exchange):
        answer = channel.exchange_declare(
            exchange=wanted.name, type=wanted.kind, durable=wanted.is_durable, auto_delete=wanted.is_auto_deleted
        )
    elif isinstance(wanted, Queue):
        answer = channel.queue_declare(
            queue=wanted.name,
            durable=wanted.is_durable,
            exclusive=wanted.is_exclusive,
            auto_delete=wanted.is_auto_deleted,
            arguments=wanted.arguments,
        )
    elif isinstance(wanted, Binding):
        answer = channel.queue_bind(queue=wanted.queue, exchange=wanted.exchange, routing_key=wanted.routing_key)
    return answer


async def _connect(reactor: Any, spec: Spec, location: Location, login: Login) -> Client:
    factory = Factory.forProtocol(lambda: Client(spec, location.vhost, reactor, login.heartbeat, login.call_seconds))
    factory.noisy = False
    endpoint: IStreamClientEndpoint = HostnameEndpoint(
        reactor, location.host.encode("idna"), location.port, timeout=login.connect_seconds
    )
    if location.is_tls:
        endpoint = wrapClientTLS(optionsForClientTLS(location.host, trustRoot=login.trust), endpoint)
    try:
        client: Any = await endpoint.connect(factory).addTimeout(login.connect_seconds, reactor)
    except Exception as error:  # noqa: BLE001 - whatever keeps the connection from being made
        raise EdgeUnavailable(f"The broker {location} cannot be reached: {error}") from None
    made: Client = client
    return made


def _explained(error: Exception, location: Location) -> Exception:
    if isinstance(error, Closed):
        error = error_of(error.args[0])
    if isinstance(error, BrokerRefused):
        return EdgeUnavailable(f"The broker {location} does not let {location.user} in: {error}")
    if isinstance(error, defer.TimeoutError):
        return EdgeTimeout(f"The broker {location} took the connection and said nothing.")
    return error

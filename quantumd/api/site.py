"""The service that listens, and that ends without refusing or breaking a request."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from secrets import randbits
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import inlineCallbacks
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.api.channel import ApiSite
from quantumd.api.identity import is_loopback
from quantumd.api.tls import TlsEndpoint, TlsOptions, tcp_endpoint, tls_place
from quantumd.config import ApiSettings
from quantumd.errors import SettingsError
from quantumd.model.ids import UUID_BITS, uuid_text

FIRST_PASSED_DESCRIPTOR: Final = 3
"""sd_listen_fds(3): passed sockets begin here."""

FINISH_SECONDS: Final = 10.0
"""How long requests that are being answered may go on after the drain; then their connections are cut."""

_LOOK_SECONDS: Final = 0.02


def new_request_id() -> str:
    """Return an id for a request: ``req-`` and a random UUID."""
    return f"req-{uuid_text(randbits(UUID_BITS))}"


def passed_descriptor(reactor: Any, environment: Mapping[str, str] = os.environ) -> int | None:
    """Return the listening socket that systemd, or a parent that does as systemd does, has passed to this process.

    A parent that cannot know our process id may leave LISTEN_PID out; when it is there it must name us.
    """
    try:
        # Twisted has read, and removed, the variables when they named this process.
        adopted: Any = serverFromString(reactor, "systemd:domain=INET:index=0")
    except IndexError:
        pass
    else:
        return int(adopted.fileno)
    is_ours = environment.get("LISTEN_PID") in (None, str(os.getpid()))
    count = environment.get("LISTEN_FDS", "")
    return FIRST_PASSED_DESCRIPTOR if is_ours and count.isdigit() and int(count) > 0 else None


def endpoint_for(
    reactor: Any, settings: ApiSettings, descriptor: int | None, tls: TlsOptions | None = None
) -> IStreamServerEndpoint:
    """Return where to listen: on the passed socket if there is one, else on the endpoint of the settings.

    :param tls: what connections are made with, None meaning none of it; it holds for a passed socket too.
    :raises SettingsError: the passed socket can be reached from other machines, and everybody would be admin or would
        find previews.
    """
    place = tls_place(settings.listen)
    if descriptor is not None:
        within: IStreamServerEndpoint = _passed_endpoint(reactor, settings, descriptor)
    else:
        within = serverFromString(reactor, settings.listen) if place is None else tcp_endpoint(reactor, place)
    return within if tls is None else TlsEndpoint(within, tls, reactor)


def _passed_endpoint(reactor: Any, settings: ApiSettings, descriptor: int) -> IStreamServerEndpoint:
    with socket.socket(fileno=os.dup(descriptor)) as passed:
        family, address = passed.family, passed.getsockname()
    host = address[0] if isinstance(address, tuple) else ""
    is_open = family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(host)
    if is_open and settings.auth == "none" and not settings.none_is_admin_for_everybody:
        raise SettingsError(f"the passed socket listens on {host} and api.auth is 'none': everybody would be admin")
    if is_open and settings.preview:
        raise SettingsError(f"the passed socket listens on {host} and api.preview is for the loopback only")
    endpoint: IStreamServerEndpoint = AdoptedStreamServerEndpoint(reactor, descriptor, family)
    return endpoint


class ApiService(Service):
    """Listens while it runs.

    When it stops, it accepts no more connections (a passed socket stays open in whoever passed it, and what waits there
    is the next process's), finishes the requests under way, and keeps idle connections for up to ``drain_seconds``: the
    next request on one is answered with ``Connection: close``. Clients thus never meet a connection that is closed
    under a request. ``end_streams`` is called first: what would never end by itself, clients ask for anew.
    """

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        endpoint: IStreamServerEndpoint,
        site: ApiSite,
        drain_seconds: float,
        end_streams: Callable[[], None] = lambda: None,
    ) -> None:
        self._reactor = reactor
        self._endpoint = endpoint
        self._site = site
        self._drain_seconds = drain_seconds
        self._end_streams = end_streams
        self._port: IListeningPort | None = None

    @property
    def port(self) -> IListeningPort | None:
        """What we listen on; None before the start and after the stop."""
        return self._port

    def startService(self) -> None:
        """Listen; an address that cannot be had stops the start."""
        super().startService()
        failures: list[Failure] = []
        self._endpoint.listen(self._site).addCallbacks(self._listens, failures.append)
        if failures:
            failures[0].raiseException()

    def _listens(self, port: IListeningPort) -> None:
        self._port = port
        self.log.info("listening", address=str(port.getHost()))

    @inlineCallbacks
    def stopService(self) -> Any:
        """Stop gently; fires when the last connection is closed."""
        super().stopService()
        if self._port is not None:
            port, self._port = self._port, None
            yield port.stopListening()
        self._end_streams()
        yield self._drain()

    @inlineCallbacks
    def _drain(self) -> Any:
        site = self._site
        site.is_draining = True
        started = self._reactor.seconds()
        yield self._until_closed(self._drain_seconds)
        for channel in [each for each in site.channels if each.is_idle]:
            channel.loseConnection()
        yield self._until_closed(FINISH_SECONDS)
        cut = list(site.channels)
        for channel in cut:
            channel.abort()
        self.log.info("drained", seconds=round(self._reactor.seconds() - started, 3), cut_connections=len(cut))

    @inlineCallbacks
    def _until_closed(self, seconds: float) -> Any:
        until = self._reactor.seconds() + seconds
        while self._site.channels and self._reactor.seconds() < until:
            yield deferLater(self._reactor, _LOOK_SECONDS)

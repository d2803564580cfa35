"""Puts the DNS servers of this host's networks together: one service for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import define
from twisted.application.service import Service

from quantumd.config import DnsSettings
from quantumd.interfaces import IServiceDoor
from quantumd.model.services import DNS, TCP, ServicePoint
from quantumd.services.dns.answering import Datagrams, Responder, Streams
from quantumd.services.dns.resolvers import Resolvers, parse_resolvers
from quantumd.services.dns.upstream import Upstream
from quantumd.services.listeners import Listener
from quantumd.services.pace import Paces


@define(eq=False)
class DnsService(Service):
    """Ends connections when it stops; ``listeners`` are what listens, by point."""

    listeners: Mapping[ServicePoint, Listener]
    _streams: Streams

    def stopService(self) -> Any:
        """See Service."""
        super().stopService()
        self._streams.cut_all()


def make_dns(
    settings: DnsSettings, domain: str, reactor: Any, door: IServiceDoor, count: Callable[[str], None]
) -> DnsService:
    """Return the service that answers ports.

    :param domain: of networks that have none of their own.
    :param count: called with what became of each question.
    :raises SettingsError: the settings cannot be used.
    """
    resolvers = Resolvers(parse_resolvers(settings.upstream), reactor)
    upstream = Upstream(
        reactor, resolvers.now, settings.timeout_seconds, settings.questions, settings.questions_per_port
    )
    paces = Paces(float(settings.rate_per_port), 2.0 * settings.rate_per_port, settings.connections_per_port)
    responder = Responder(reactor, door, upstream, domain.strip(".").lower(), count, paces)
    streams = Streams(responder, settings.idle_seconds)
    datagrams = partial(Datagrams, responder)
    return DnsService({point: streams if point.protocol == TCP else datagrams for point in DNS}, streams)

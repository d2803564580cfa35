"""An endpoint that tells how a process is which serves no API."""

from __future__ import annotations

from typing import Any, Final

from twisted.application.service import IService
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.web.http_headers import Headers

from quantumd.api.channel import ApiChannel, ApiSite
from quantumd.api.dispatch import Dispatch
from quantumd.api.health import Health
from quantumd.api.identity import anybody
from quantumd.api.routes import make_klein, route
from quantumd.api.site import ApiService, new_request_id
from quantumd.errors import SettingsError
from quantumd.model.context import Context

CONNECTIONS: Final = 16
"""How many connections there may be at a time; more are closed at once."""

LIFE_SECONDS: Final = 10.0
"""How long a connection may last, whatever comes on it: it is for one request."""

_KINDS: Final = ("tcp", "tcp6", "unix")


class HealthSite(ApiSite):
    """Takes one request a connection, without a body and in a short time, of few."""

    def __init__(self, health: Health) -> None:
        klein = make_klein()
        for path, answer in health.answers:
            route(klein, path, "GET", answer)
        super().__init__(
            Dispatch(klein),
            reactor=health.reactor,
            identify=_identify,
            new_request_id=new_request_id,
            metrics=health.metrics.api,
            body_limit_bytes=0,
            idle_seconds=LIFE_SECONDS,
        )
        # Each answer ends its connection.
        self.is_draining = True

    def buildProtocol(self, addr: Any) -> Any:
        """Refuse whoever comes when there are enough."""
        if len(self.channels) >= CONNECTIONS:
            return None
        channel: Any = super().buildProtocol(addr)
        self.reactor.callLater(LIFE_SECONDS, self._end, channel)
        return channel

    def _end(self, channel: ApiChannel) -> None:
        if channel in self.channels:
            channel.abort()


def make_health_service(listen: str, setting: str, health: Health) -> IService:
    """Return what answers ``/healthz``, ``/readyz`` and ``/metrics``, and nothing else.

    :param setting: what ``listen`` is called among the settings.
    :raises SettingsError: there is no such endpoint.
    """
    endpoint = _endpoint(health.reactor, listen, setting)
    return ApiService(health.reactor, endpoint, HealthSite(health), drain_seconds=0)


def _identify(request_id: str, headers: Headers, is_loopback: bool, peer: str) -> Context:
    return anybody(request_id, headers)


def _endpoint(reactor: Any, listen: str, setting: str) -> IStreamServerEndpoint:
    kind = listen.partition(":")[0]
    if kind not in _KINDS:
        raise SettingsError(f"{setting}: {listen!r} is none of {', '.join(f'{each}:…' for each in _KINDS)}")
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, listen)
    except (ValueError, TypeError, LookupError) as error:
        raise SettingsError(f"{setting}: {listen!r} is no endpoint: {error}") from None
    return endpoint

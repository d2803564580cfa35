"""Puts the parts together that tell Nova."""

from __future__ import annotations

import random
import time
from typing import Any, Final

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred

from quantumd.api.keystone.credentials import check_url, read_credentials
from quantumd.api.nova import CURSOR
from quantumd.api.nova.client import NovaClient
from quantumd.api.nova.notifier import Notifier
from quantumd.api.nova.session import NovaSession
from quantumd.config import KeystoneSettings, NovaSettings
from quantumd.edge.certificates import read_trust
from quantumd.edge.http.connections import EndpointOf
from quantumd.edge.http.exchange import make_exchange
from quantumd.interfaces import IStore
from quantumd.metrics import Metrics
from quantumd.ordered import OrderedServices
from quantumd.store.consumer import Consumer, ConsumerLimits

CONNECTIONS: Final = 2
"""How many connections are kept to each of the two: events leave one request at a time."""

ROWS: Final = 50
"""How many rows are taken at once: their events fit one request, so that nothing is acknowledged twice by halves."""


def make_nova_service(
    settings: NovaSettings, keystone: KeystoneSettings, reactor: Any, store: IStore, holder: str, metrics: Metrics
) -> IService:
    """Return the service that tells Nova.

    Neither Nova nor Keystone need be there yet. Stop it before the store: what Nova acknowledges is written down.

    :raises SettingsError: the settings of Nova or of Keystone make no sense, or there is no password.
    """
    client = make_client(settings, keystone, reactor)
    notifier = Notifier(client, metrics.telling.nova_events)
    limits = ConsumerLimits(
        rows=ROWS, gather=settings.gather_seconds, lease=120.0, handle=60.0, retry=1.0, retry_most=30.0, stop=3.0
    )
    consumer = Consumer(
        reactor, store, CURSOR, holder, notifier.handle, limits, begins_at_end=True, chance=random.random
    )
    metrics.journal.cursor_lag.labels(CURSOR).set_function(lambda: consumer.lag_rows)
    metrics.journal.cursor_lag_seconds.labels(CURSOR).set_function(lambda: consumer.lag_seconds)
    service = OrderedServices()
    NovaConnections(client).setServiceParent(service)
    consumer.setServiceParent(service)
    return service


def make_client(
    settings: NovaSettings, keystone: KeystoneSettings, reactor: Any, endpoint_of: EndpointOf | None = None
) -> NovaClient:
    """Return what sends events to Nova.

    :param endpoint_of: where the network is not to be used.
    :raises SettingsError: see ``make_nova_service``.
    """
    credentials = read_credentials(keystone)
    if settings.endpoint:
        check_url(settings.endpoint, "nova.endpoint")
    trust = read_trust(keystone.ca_file, "keystone.ca_file")
    identity = make_exchange(reactor, keystone.auth_url, keystone.timeout_seconds, CONNECTIONS, endpoint_of, trust)
    # Keystone tells by the calendar when tokens end, so the wall clock decides.
    session = NovaSession(identity, credentials, settings.endpoint, settings.interface, settings.region, time.time)
    nova = make_exchange(reactor, "", settings.timeout_seconds, CONNECTIONS, endpoint_of, trust, name="Nova")
    return NovaClient(nova, identity, session)


class NovaConnections(Service):
    """The connections to Nova and, for this, to Keystone."""

    def __init__(self, client: NovaClient) -> None:
        self._client = client

    def stopService(self) -> Deferred[Any]:
        """Close them; fires when they are closed."""
        super().stopService()
        return self._client.close()

"""Puts the parts together that ask Keystone, and closes their connections at the end."""

from __future__ import annotations

import time
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from quantumd.api.keystone.credentials import read_credentials
from quantumd.api.keystone.identity import KeystoneIdentity, challenge_of
from quantumd.api.keystone.interfaces import ITokens
from quantumd.api.keystone.known import KnownTokens
from quantumd.api.keystone.tokens import KeystoneTokens
from quantumd.config import KeystoneSettings
from quantumd.edge.certificates import read_trust
from quantumd.edge.http.exchange import make_exchange
from quantumd.metrics import KeystoneMetrics


class KeystoneService(Service):
    """Tells who asks while it runs; ``identity`` is what the API's site needs."""

    def __init__(self, identity: KeystoneIdentity, tokens: ITokens) -> None:
        self.identity = identity
        self._tokens = tokens

    def stopService(self) -> Deferred[None]:
        """Close the connections to Keystone; fires when they are closed."""
        super().stopService()
        return self._tokens.close()


def make_keystone_service(settings: KeystoneSettings, reactor: Any, metrics: KeystoneMetrics) -> KeystoneService:
    """Return the service that validates tokens as the settings say. Keystone need not be there yet.

    :raises SettingsError: the settings of Keystone make no sense, or there is no password.
    """
    tokens = _tokens(settings, reactor, metrics)
    challenge = challenge_of(settings.public_url or settings.auth_url)
    known = KnownTokens(
        tokens,
        challenge,
        settings.token_cache_seconds,
        settings.token_cache_size,
        settings.away_seconds,
        # Keystone tells by the calendar when tokens end, so the wall clock decides.
        time.time,
    )
    roles = frozenset(role.lower() for role in settings.service_token_roles)
    return KeystoneService(KeystoneIdentity(known, challenge, roles, settings.service_token_roles_required), tokens)


def _tokens(settings: KeystoneSettings, reactor: Any, metrics: KeystoneMetrics) -> KeystoneTokens:
    def observe(waited_seconds: float, answered_seconds: float) -> None:
        metrics.token_wait_seconds.observe(waited_seconds)
        metrics.token_seconds.observe(answered_seconds)

    credentials = read_credentials(settings)
    trust = read_trust(settings.ca_file, "keystone.ca_file")
    limit, connections = settings.timeout_seconds, settings.connections
    exchange = make_exchange(reactor, settings.auth_url, limit, connections, trust=trust)
    return KeystoneTokens(exchange, credentials, reactor, time.time, limit, connections, observe)

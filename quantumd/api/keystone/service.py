"""Puts the parts together that ask Keystone, and closes their connections at the end."""

from __future__ import annotations

import time
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from quantumd.api.keystone.credentials import read_credentials, read_trust
from quantumd.api.keystone.exchange import make_exchange
from quantumd.api.keystone.identity import KeystoneIdentity
from quantumd.api.keystone.interfaces import ITokens
from quantumd.api.keystone.tokens import KeystoneTokens
from quantumd.config import KeystoneSettings


class KeystoneService(Service):
    """Tells who asks while it runs; ``identity`` is what the API's site needs."""

    def __init__(self, identity: KeystoneIdentity, tokens: ITokens) -> None:
        self.identity = identity
        self._tokens = tokens

    def stopService(self) -> Deferred[None]:
        """Close the connections to Keystone; fires when they are closed."""
        super().stopService()
        return self._tokens.close()


def make_keystone_service(settings: KeystoneSettings, reactor: Any) -> KeystoneService:
    """Return the service that validates tokens as the settings say. Keystone need not be there yet.

    :raises SettingsError: the settings of Keystone make no sense, or there is no password.
    """
    credentials = read_credentials(settings)
    trust = read_trust(settings.ca_file)
    exchange = make_exchange(reactor, settings.auth_url, settings.timeout_seconds, trust=trust)
    # Keystone tells by the calendar when tokens end, so the wall clock decides.
    tokens = KeystoneTokens(exchange, credentials, reactor, time.time, settings.timeout_seconds)
    identity = KeystoneIdentity(
        tokens,
        settings.public_url or settings.auth_url,
        settings.token_cache_seconds,
        settings.token_cache_size,
        time.time,
    )
    return KeystoneService(identity, tokens)

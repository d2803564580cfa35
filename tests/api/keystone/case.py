"""KeystoneTokens over a Keystone in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from quantumd.api.keystone.credentials import Credentials
from quantumd.api.keystone.tokens import KeystoneTokens
from quantumd.edge.http.exchange import make_exchange
from tests.bed.keystone import User
from tests.bed.keystone_memory import MemoryEndpoints

URL = "http://keystone.example:5000/v3"
TIMEOUT_SECONDS = 5.0
AT_ONCE = 16


def credentials_of(user: User) -> Credentials:
    """Return how quantumd asks as a user."""
    return Credentials(user.name, "Default", user.project.name if user.project else "", "Default", user.password, "")


def make_tokens(user: User, endpoints: MemoryEndpoints, clock: Clock) -> KeystoneTokens:
    """Return tokens that ``user`` asks for."""
    exchange = make_exchange(clock, URL, TIMEOUT_SECONDS, AT_ONCE, endpoints.endpoint_of)
    return KeystoneTokens(exchange, credentials_of(user), clock, clock.seconds, TIMEOUT_SECONDS, AT_ONCE)


def headers_of(token: str) -> dict[str, Any]:
    """Return the header of a request with a token."""
    return {"X-Auth-Token": token}

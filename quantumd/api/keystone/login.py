"""How quantumd itself gets a token."""

from __future__ import annotations

import re
from typing import Final

from attrs import field, frozen

from quantumd.api.keystone.answers import caller_of
from quantumd.api.keystone.credentials import Credentials
from quantumd.edge.http.exchange import Exchange
from quantumd.edge.http.messages import Reply
from quantumd.errors import EdgeUnavailable, SettingsError

RENEW_SECONDS: Final = 60.0
"""How long before its end our own token is replaced."""

_TOKEN: Final = re.compile(rb"[\x21-\x7e]{1,8192}")


class LoginRefused(EdgeUnavailable):
    """Keystone does not let our own user in: the settings or Keystone's users are wrong."""


@frozen
class OwnToken:
    """Our own token."""

    token: bytes = field(repr=False)
    expires_seconds: float

    def is_good(self, now_seconds: float) -> bool:
        """Whether it is good for a while."""
        return self.expires_seconds - RENEW_SECONDS > now_seconds


async def log_in(
    exchange: Exchange, credentials: Credentials, is_catalog_wanted: bool = False
) -> tuple[OwnToken, bytes]:
    """Return a new token and its document, with the catalogue of services where it is wanted.

    :raises LoginRefused: the user is not let in.
    :raises EdgeUnavailable: Keystone does not answer, or makes no sense.
    """
    reply = await _send(exchange, credentials, b"" if is_catalog_wanted else b"?nocatalog")
    if reply.status in (401, 403):
        raise LoginRefused(f"Keystone refuses quantumd's own user {credentials.user}")
    caller = caller_of(reply, "the login")
    token = reply.headers.get(b"x-subject-token", b"")
    if _TOKEN.fullmatch(token) is None:
        raise EdgeUnavailable("Keystone's answer to the login holds no token")
    return OwnToken(token, caller.expires_seconds), reply.body


async def _send(exchange: Exchange, credentials: Credentials, query: bytes) -> Reply:
    try:
        body = credentials.login()
    except SettingsError as error:
        raise EdgeUnavailable(str(error)) from None
    return await exchange.send(b"POST", b"/auth/tokens" + query, {b"Content-Type": b"application/json"}, body)

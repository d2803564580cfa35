"""quantumd's own token for Nova, and where Nova is: both come with one login to Keystone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define, field, frozen

from quantumd.api.keystone.caller import BadDocument, read_caller
from quantumd.api.keystone.credentials import Credentials
from quantumd.api.nova.catalogue import compute_endpoint
from quantumd.edge.http.exchange import Exchange
from quantumd.edge.http.messages import Reply
from quantumd.errors import EdgeUnavailable, SettingsError

RENEW_SECONDS: Final = 60.0
"""How long before its end our token is replaced."""

_LONGEST_TOKEN: Final = 8192


@frozen
class Access:
    """A token and the root of Nova's API at which it is good."""

    token: bytes = field(repr=False)
    endpoint: str
    expires_seconds: float


@define(eq=False)
class NovaSession:
    """Logs in to Keystone when access is first needed, before it ends, and after it was dropped.

    ``endpoint`` '' means what the catalogue says. ``now`` returns seconds since the epoch.
    """

    _exchange: Exchange
    _credentials: Credentials
    _endpoint: str
    _interface: str
    _region: str
    _now: Callable[[], float]
    _access: Access | None = field(default=None, init=False)

    async def access(self) -> Access:
        """Return a token that is good for a while.

        :raises EdgeUnavailable: Keystone does not answer, refuses us, or knows of no Nova.
        """
        if self._access is None or self._access.expires_seconds - RENEW_SECONDS <= self._now():
            self._access = await self._log_in()
        return self._access

    def drop(self) -> None:
        """Ask Keystone anew the next time: the token was refused, or Nova is not where it was."""
        self._access = None

    async def _log_in(self) -> Access:
        reply = await self._send_login()
        if reply.status in (401, 403):
            raise EdgeUnavailable(f"Keystone refuses quantumd's own user {self._credentials.user}")
        if reply.status != 201:
            raise EdgeUnavailable(f"Keystone answers the login with {reply.status}")
        try:
            caller = read_caller(reply.body)
        except BadDocument as error:
            raise EdgeUnavailable(f"Keystone's answer to the login makes no sense: {error}") from None
        token = reply.headers.get(b"x-subject-token", b"")
        if not 0 < len(token) <= _LONGEST_TOKEN:
            raise EdgeUnavailable("Keystone's answer to the login holds no token")
        endpoint = self._endpoint or compute_endpoint(reply.body, self._interface, self._region)
        return Access(token, endpoint.rstrip("/"), caller.expires_seconds)

    async def _send_login(self) -> Reply:
        try:
            body = self._credentials.login()
        except SettingsError as error:
            raise EdgeUnavailable(str(error)) from None
        path = b"/auth/tokens?nocatalog" if self._endpoint else b"/auth/tokens"
        return await self._exchange.send(b"POST", path, {b"Content-Type": b"application/json"}, body)

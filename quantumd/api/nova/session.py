"""quantumd's own token for Nova, and where Nova is: both come with one login to Keystone."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field, frozen

from quantumd.api.keystone.credentials import Credentials
from quantumd.api.keystone.login import OwnToken, log_in
from quantumd.api.nova.catalogue import compute_endpoint
from quantumd.edge.http.exchange import Exchange


@frozen
class Access:
    """A token and the root of Nova's API at which it is good."""

    own: OwnToken
    endpoint: str


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
        if self._access is None or not self._access.own.is_good(self._now()):
            self._access = await self._log_in()
        return self._access

    def drop(self) -> None:
        """Ask Keystone anew the next time: the token was refused, or Nova is not where it was."""
        self._access = None

    async def _log_in(self) -> Access:
        own, document = await log_in(self._exchange, self._credentials, is_catalog_wanted=not self._endpoint)
        endpoint = self._endpoint or compute_endpoint(document, self._interface, self._region)
        return Access(own, endpoint.rstrip("/"))

"""Asks Keystone whom tokens stand for, as quantumd's own user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore, ensureDeferred
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.api.keystone.answers import caller_of
from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.credentials import Credentials
from quantumd.api.keystone.interfaces import ITokens
from quantumd.api.keystone.login import LoginRefused, OwnToken, log_in
from quantumd.edge.http.exchange import Exchange
from quantumd.edge.http.messages import Reply
from quantumd.errors import EdgeTimeout, EdgeUnavailable

LOCKED_OUT_SECONDS: Final = 5.0
"""How long Keystone is left alone after it has refused our own user: trying on would only lock it."""


def _nothing(_waited_seconds: float, _answered_seconds: float) -> None:
    """Tell nobody."""


@implementer(ITokens)
@define(eq=False)
class KeystoneTokens:
    """Validates tokens with GET /v3/auth/tokens. ``now`` returns seconds since the epoch.

    ``at_once`` questions are under way at most, others wait. ``observe`` is told of each question how many seconds it
    waited for its turn and how many Keystone took. Our own token is asked for when it is first needed, and again before
    its end or when Keystone refuses it.
    """

    log = Logger()
    _exchange: Exchange
    _credentials: Credentials
    _reactor: Any
    _now: Callable[[], float]
    _timeout_seconds: float
    _at_once: int
    _observe: Callable[[float, float], None] = _nothing
    _own: OwnToken | None = field(default=None, init=False)
    _locked_out_until: float = field(default=0.0, init=False)
    _is_away: bool = field(default=False, init=False)
    _waiting: list[Deferred[OwnToken]] = field(factory=list, init=False)
    _places: DeferredSemaphore = field(init=False)

    @_places.default
    def _make_places(self) -> DeferredSemaphore:
        return DeferredSemaphore(self._at_once)

    def validate(self, token: bytes, allow_expired: bool = False) -> Deferred[Caller | None]:
        """Fire with whom a token stands for, None when it is not valid."""
        answer: Deferred[Caller | None] = Deferred()
        late = EdgeTimeout("Keystone does not answer in time")
        deadline = self._reactor.callLater(self._timeout_seconds, answer.errback, late)

        # What comes late is dropped; each request to Keystone has its own limit, so nothing goes on for ever.
        def answered(result: Any) -> None:
            if deadline.active():
                deadline.cancel()
                answer.callback(result)

        ensureDeferred(self._in_turn(token, allow_expired)).addBoth(answered)
        return answer.addCallbacks(self._is_there, self._is_gone)

    def close(self) -> Deferred[None]:
        """Close the connections that are kept."""
        return self._exchange.close()

    def _is_there(self, caller: Caller | None) -> Caller | None:
        if self._is_away:
            self._is_away = False
            self.log.info("Keystone answers again")
        return caller

    def _is_gone(self, failure: Any) -> Any:
        # Said once, not for each request.
        if not self._is_away and failure.check(EdgeUnavailable, EdgeTimeout) is not None:
            self._is_away = True
            self.log.warn("tokens cannot be validated: {why}", why=str(failure.value))
        return failure

    async def _in_turn(self, token: bytes, allow_expired: bool) -> Caller | None:
        came = self._reactor.seconds()
        async with self._places:
            began = self._reactor.seconds()
            caller = await self._validate(token, b"&allow_expired=1" if allow_expired else b"")
            self._observe(began - came, self._reactor.seconds() - began)
            return caller

    async def _validate(self, token: bytes, more: bytes) -> Caller | None:
        own = await self._own_token(None)
        reply = await self._ask(own, token, more)
        if reply.status == 401:
            # Ours has ended or was revoked; Keystone says 404 of the other one.
            reply = await self._ask(await self._own_token(own), token, more)
        if reply.status == 404:
            return None
        return caller_of(reply, "the validation of a token")

    async def _ask(self, own: OwnToken, token: bytes, more: bytes) -> Reply:
        # The catalogue is not needed, and the largest part.
        headers = {b"X-Auth-Token": own.token, b"X-Subject-Token": token}
        return await self._exchange.send(b"GET", b"/auth/tokens?nocatalog" + more, headers)

    async def _own_token(self, refused: OwnToken | None) -> OwnToken:
        own = self._own
        if own is None or own is refused or not own.is_good(self._now()):
            return await self._next_own_token()
        return own

    def _next_own_token(self) -> Deferred[OwnToken]:
        # All who need it wait for the same login.
        mine: Deferred[OwnToken] = Deferred()
        self._waiting.append(mine)
        if len(self._waiting) == 1:
            ensureDeferred(self._log_in()).addBoth(self._logged_in)
        return mine

    def _logged_in(self, result: Any) -> None:
        if isinstance(result, OwnToken):
            self._own = result
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(result)

    async def _log_in(self) -> OwnToken:
        if self._now() < self._locked_out_until:
            raise EdgeUnavailable("Keystone has refused quantumd's own user")
        try:
            own, _ = await log_in(self._exchange, self._credentials)
        except LoginRefused as error:
            self._locked_out_until = self._now() + LOCKED_OUT_SECONDS
            self.log.error("{why}", why=str(error))
            raise
        return own

"""Whom tokens stand for: from memory where it is known, else from Keystone, which is asked once for many."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from quantumd.api.errors import Unauthorized
from quantumd.api.keystone.cache import Known, TokenCache, token_key
from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.interfaces import ITokens
from quantumd.errors import EdgeError, EdgeUnavailable

LONGEST_TOKEN_BYTES: Final = 8192
"""A longer token is no token."""

REFUSED_SECONDS: Final = 10.0
"""How long a token that is not valid is remembered as such."""

REFUSED_TOKENS: Final = 1000
"""How many tokens that are not valid are remembered; apart from the others, so that they push none of them out."""

WAITING_TOKENS: Final = 2000
"""How many different tokens may wait for Keystone; requests with further ones get 503."""

QUIET_SECONDS: Final = 5.0
"""How long after a question without an answer tokens that were known are not asked for again."""

_TOKEN: Final = re.compile(rb"[\x21-\x7e]{1,%d}" % LONGEST_TOKEN_BYTES)


@define(eq=False)
class KnownTokens:
    """Remembers whom tokens stand for. One that is known costs no reactor turn; one is asked for once at a time.

    ``cache_seconds`` is for how long a token counts without a new question, ``away_seconds`` how much longer where a
    new question has no answer; neither goes on after the token's end. ``now`` returns seconds since the epoch.
    """

    _tokens: ITokens
    _challenge: str
    _cache_seconds: float
    _cache_size: int
    _away_seconds: float
    _now: Callable[[], float]
    _valid: TokenCache = field(init=False)
    _refused: TokenCache = field(factory=lambda: TokenCache(REFUSED_TOKENS), init=False)
    _waiting: dict[bytes, list[Deferred[Caller]]] = field(factory=dict, init=False)
    _quiet_until_seconds: float = field(default=0.0, init=False)

    @_valid.default
    def _make_valid(self) -> TokenCache:
        return TokenCache(self._cache_size)

    def caller(self, token: bytes, allow_expired: bool = False) -> Caller | Deferred[Caller]:
        """Return whom a token stands for, or a Deferred of it when Keystone has to be asked.

        :param allow_expired: a token that has ended counts too, for as long after its end as Keystone lets it.
        :raises Unauthorized: it is known to be not valid. The Deferred may fail with it too, and with EdgeError when
            Keystone cannot be asked.
        """
        key = token_key(token)
        now = self._now()
        # What is known was looked at when it came first.
        known = self._valid.get(key, now)
        if known is None and allow_expired:
            key = token_key(token, allow_expired=True)
            known = self._valid.get(key, now)
        if known is not None and known.caller is not None:
            return known.caller
        if self._refused.get(key, now) is not None or _TOKEN.fullmatch(token) is None:
            raise Unauthorized(self._challenge)
        last = self._last(key) if now < self._quiet_until_seconds else None
        return last or self._asked(key, token, allow_expired)

    def _last(self, key: bytes) -> Caller | None:
        known = self._valid.get_last(key, self._now())
        return known.caller if known is not None else None

    def _asked(self, key: bytes, token: bytes, allow_expired: bool) -> Caller | Deferred[Caller]:
        waiters = self._waiting.get(key)
        mine: Deferred[Caller] = Deferred(lambda gone: self._waiting.get(key, [gone]).remove(gone))
        if waiters is not None:
            waiters.append(mine)
            return mine
        if len(self._waiting) >= WAITING_TOKENS:
            return self._last(key) or _too_many()
        self._waiting[key] = [mine]
        # Whatever happens there, those who wait hear of it.
        asking: Deferred[Caller | None] = maybeDeferred(self._tokens.validate, token, allow_expired)
        asking.addCallbacks(
            self._answered, self._failed, callbackArgs=(key, allow_expired), errbackArgs=(key,)
        )  # fmt: skip
        return mine

    def _answered(self, caller: Caller | None, key: bytes, allow_expired: bool) -> None:
        now = self._now()
        if caller is None:
            self._valid.drop(key)
            self._refused.put(key, Known(None, now + REFUSED_SECONDS))
            self._refuse(key)
        elif caller.expires_seconds <= now and not allow_expired:
            self._refuse(key)
        else:
            end = now + self._cache_seconds + self._away_seconds if allow_expired else caller.expires_seconds
            until = min(end, now + self._cache_seconds)
            self._valid.put(key, Known(caller, until, min(end, until + self._away_seconds)))
            for waiter in self._waiting.pop(key):
                waiter.callback(caller)

    def _refuse(self, key: bytes) -> None:
        for waiter in self._waiting.pop(key):
            waiter.errback(Unauthorized(self._challenge))

    def _failed(self, failure: Failure, key: bytes) -> None:
        last = None
        if failure.check(EdgeError) is not None:
            self._quiet_until_seconds = self._now() + QUIET_SECONDS
            last = self._last(key)
        for waiter in self._waiting.pop(key):
            if last is None:
                waiter.errback(failure)
            else:
                waiter.callback(last)


def _too_many() -> Caller:
    raise EdgeUnavailable("too many tokens wait for Keystone")

"""Who asks, with ``auth = "keystone"``: from the token of a request to its context."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers

from quantumd.api.errors import Unauthorized
from quantumd.api.identity import global_request_id
from quantumd.api.keystone.cache import Known, TokenCache, token_key
from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.interfaces import ITokens
from quantumd.errors import EdgeUnavailable
from quantumd.model.context import Context

LONGEST_TOKEN_BYTES: Final = 8192
"""A longer token is no token."""

REFUSED_SECONDS: Final = 10.0
"""How long a token that is not valid is remembered as such."""

REFUSED_TOKENS: Final = 1000
"""How many tokens that are not valid are remembered; apart from the others, so that they push none of them out."""

WAITING_TOKENS: Final = 500
"""How many different tokens may wait for Keystone; requests with further ones get 503."""

_TOKEN: Final = re.compile(rb"[\x21-\x7e]{1,%d}" % LONGEST_TOKEN_BYTES)


@define(eq=False)
class KeystoneIdentity:
    """Tells who asks. A token that is known costs no reactor turn; one is asked for only once at a time.

    ``now`` returns seconds since the epoch. ``cache_seconds`` is for how long a token counts without a new question.
    """

    _tokens: ITokens
    _challenge_url: str
    _cache_seconds: float
    _cache_size: int
    _now: Callable[[], float]
    _valid: TokenCache = field(init=False)
    _refused: TokenCache = field(factory=lambda: TokenCache(REFUSED_TOKENS), init=False)
    _waiting: dict[bytes, list[Deferred[Caller]]] = field(factory=dict, init=False)

    @_valid.default
    def _make_valid(self) -> TokenCache:
        return TokenCache(self._cache_size)

    def identify(self, request_id: str, headers: Headers, is_loopback: bool) -> Context | Deferred[Context]:
        """Return who asks, or a Deferred of it when Keystone has to be asked.

        :raises Unauthorized: there is no token, or it is known to be not valid. The Deferred may fail with it too, and
            with EdgeError when Keystone cannot be asked.
        """
        token = self._token(headers)
        key = token_key(token)
        now = self._now()
        # What is known was looked at when it came first.
        known = self._valid.get(key, now)
        if known is not None and known.caller is not None:
            return _context(known.caller, request_id, headers)
        if self._refused.get(key, now) is not None or _TOKEN.fullmatch(token) is None:
            raise Unauthorized(self._challenge_url)
        return self._asked(key, token).addCallback(_context, request_id, headers)

    def _token(self, headers: Headers) -> bytes:
        values = headers.getRawHeaders(b"X-Auth-Token") or ()
        # Of two tokens none is the caller's: what stands before us may have looked at the other one.
        if len(values) != 1:
            raise Unauthorized(self._challenge_url)
        return values[0]

    def _asked(self, key: bytes, token: bytes) -> Deferred[Caller]:
        waiters = self._waiting.get(key)
        mine: Deferred[Caller] = Deferred(lambda gone: self._waiting.get(key, [gone]).remove(gone))
        if waiters is not None:
            waiters.append(mine)
            return mine
        if len(self._waiting) >= WAITING_TOKENS:
            raise EdgeUnavailable("too many tokens wait for Keystone")
        self._waiting[key] = [mine]
        self._tokens.validate(token).addCallbacks(self._answered, self._failed, callbackArgs=(key,), errbackArgs=(key,))
        return mine

    def _answered(self, caller: Caller | None, key: bytes) -> None:
        now = self._now()
        if caller is None:
            self._refused.put(key, Known(None, now + REFUSED_SECONDS))
            self._refuse(key)
        elif caller.expires_seconds <= now:
            self._refuse(key)
        else:
            self._valid.put(key, Known(caller, min(caller.expires_seconds, now + self._cache_seconds)))
            for waiter in self._waiting.pop(key):
                waiter.callback(caller)

    def _refuse(self, key: bytes) -> None:
        for waiter in self._waiting.pop(key):
            waiter.errback(Unauthorized(self._challenge_url))

    def _failed(self, failure: Failure, key: bytes) -> None:
        for waiter in self._waiting.pop(key):
            waiter.errback(failure)


def _context(caller: Caller, request_id: str, headers: Headers) -> Context:
    return Context(
        request_id=request_id,
        user_id=caller.user_id,
        project_id=caller.project_id,
        roles=caller.roles,
        system_scope=caller.system_scope,
        global_request_id=global_request_id(headers),
    )

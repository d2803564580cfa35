"""What is known of tokens, for a while. Tokens themselves are not kept, only what a hash of them says."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

from attrs import define, field, frozen

from quantumd.api.keystone.caller import Caller

_EXPIRED = b"expired "
"""Goes before a token that may have expired; no token holds a space."""


def token_key(token: bytes, allow_expired: bool = False) -> bytes:
    """Return under what a token is remembered: it cannot be turned back into the token.

    What is known of a token that may have expired is remembered apart.
    """
    return sha256(_EXPIRED + token if allow_expired else token).digest()


@frozen
class Known:
    """What is known of a token: whose it is, or None: it is not valid.

    It counts until ``until_seconds`` (since the epoch), and where nobody can be asked until ``last_seconds``.
    """

    caller: Caller | None
    until_seconds: float
    last_seconds: float = 0.0


@define(eq=False)
class TokenCache:
    """At most ``size`` tokens; what was asked for longest ago goes first."""

    _size: int
    _known: OrderedDict[bytes, Known] = field(factory=OrderedDict, init=False)

    def get(self, key: bytes, now_seconds: float) -> Known | None:
        """Return what is known of a token, None when nothing is, or not any more."""
        known = self._known.get(key)
        if known is None:
            return None
        if known.until_seconds > now_seconds:
            self._known.move_to_end(key)
            return known
        if known.last_seconds <= now_seconds:
            del self._known[key]
        return None

    def get_last(self, key: bytes, now_seconds: float) -> Known | None:
        """Return what was known of a token and counts where nobody can be asked, None when nothing does."""
        known = self._known.get(key)
        return known if known is not None and max(known.until_seconds, known.last_seconds) > now_seconds else None

    def put(self, key: bytes, known: Known) -> None:
        """Remember a token."""
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > self._size:
            self._known.popitem(last=False)

    def drop(self, key: bytes) -> None:
        """Forget a token."""
        self._known.pop(key, None)

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._known)

"""What is known of tokens, for a while. Tokens themselves are not kept, only what a hash of them says."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

from attrs import define, field, frozen

from quantumd.api.keystone.caller import Caller


def token_key(token: bytes) -> bytes:
    """Return under what a token is remembered: it cannot be turned back into the token."""
    return sha256(token).digest()


@frozen
class Known:
    """What is known of a token until ``until_seconds`` (since the epoch): whose it is, or None: it is not valid."""

    caller: Caller | None
    until_seconds: float


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
        if known.until_seconds <= now_seconds:
            del self._known[key]
            return None
        self._known.move_to_end(key)
        return known

    def put(self, key: bytes, known: Known) -> None:
        """Remember a token."""
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > self._size:
            self._known.popitem(last=False)

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._known)

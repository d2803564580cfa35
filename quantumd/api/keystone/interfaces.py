"""What the API needs of an identity service."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from zope.interface import Interface

from quantumd.api.keystone.caller import Caller


class ITokens(Interface):
    """Tells whom tokens stand for. Asks each time: remembering is the caller's work."""

    def validate(token: bytes, allow_expired: bool = False) -> Deferred[Caller | None]:
        """Fire with whom a token stands for; None when it is not valid or not any more.

        With ``allow_expired`` one that has ended is valid too, for as long after its end as the identity service lets
        it; ``expires_seconds`` of its caller is past then.

        Fails with EdgeError when the identity service cannot be asked, answers nonsense or takes too long. The token
        is visible ASCII and of a length that fits a header.
        """

    def close() -> Deferred[None]:
        """Close the connections that are kept; fires when they are closed."""

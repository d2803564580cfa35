"""What the API needs of an identity service."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from zope.interface import Interface

from quantumd.api.keystone.caller import Caller


class ITokens(Interface):
    """Tells whom tokens stand for. Asks each time: remembering is the caller's work."""

    def validate(token: bytes) -> Deferred[Caller | None]:
        """Fire with whom a token stands for; None when it is not valid or not any more.

        Fails with EdgeError when the identity service cannot be asked, answers nonsense or takes too long. The token
        is visible ASCII and of a length that fits a header.
        """

    def close() -> Deferred[None]:
        """Close the connections that are kept; fires when they are closed."""

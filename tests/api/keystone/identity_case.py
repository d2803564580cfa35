"""Asking who sends tokens, of memory in the place of Keystone."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers
from zope.interface import implementer

from quantumd.api.errors import Unauthorized
from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.identity import KeystoneIdentity, challenge_of
from quantumd.api.keystone.interfaces import ITokens
from quantumd.api.keystone.known import KnownTokens
from quantumd.errors import EdgeUnavailable
from quantumd.model.context import Context
from tests.api.wire import REQUEST_ID

CHALLENGE = challenge_of("https://keystone.example:5000/v3")
CACHE_SECONDS = 300.0
AWAY_SECONDS = 100.0
CACHE_SIZE = 3
ALICE = Caller("alice", 3600.0, "p1", roles=frozenset({"member", "reader"}))
ADMIN = Caller("root", 3600.0, "p0", roles=frozenset({"admin"}))
GLOBAL_ID = "req-0a1b2c3d-0000-4000-8000-0123456789ab"


@implementer(ITokens)
@define(eq=False, repr=False)
class MemoryTokens:
    """Answers what ``callers`` holds, later where ``is_slow``."""

    callers: dict[bytes, Caller] = field(factory=dict)
    is_slow: bool = False
    is_away: bool = False
    breaks: Any = None
    seconds: Any = lambda: -1.0
    asked: list[bytes] = field(factory=list)
    waiting: list[Deferred[Caller | None]] = field(factory=list)

    def validate(self, token: bytes, allow_expired: bool = False) -> Deferred[Caller | None]:
        """Fire with the caller."""
        self.asked.append(token)
        if self.breaks is not None:
            return self.breaks(token)  # type: ignore[no-any-return]
        if self.is_away:
            return fail(EdgeUnavailable("away"))
        if not self.is_slow:
            caller = self.callers.get(token)
            is_over = caller is not None and caller.expires_seconds <= self.seconds() and not allow_expired
            return succeed(None if is_over else caller)
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def close(self) -> Deferred[None]:
        """Nothing is kept."""
        return succeed(None)


class Case(SynchronousTestCase):
    """An identity, and a clock by which tokens end."""

    def setUp(self) -> None:
        """Two callers are known."""
        self.clock = Clock()
        self.tokens = MemoryTokens({b"a": ALICE, b"r": ADMIN})
        self.tokens.seconds = self.clock.seconds
        self.serve()

    def serve(self, are_roles_required: bool = True, away_seconds: float = AWAY_SECONDS) -> None:
        """Make another identity, which knows nothing yet."""
        known = KnownTokens(self.tokens, CHALLENGE, CACHE_SECONDS, CACHE_SIZE, away_seconds, self.clock.seconds)
        self.identity = KeystoneIdentity(known, CHALLENGE, frozenset({"service"}), are_roles_required)

    def identify(self, *tokens: str, **headers: str) -> Any:
        """Ask who sends these tokens."""
        fields = {name.replace("_", "-"): [value] for name, value in headers.items()}
        said = Headers({"X-Auth-Token": list(tokens), **fields})
        return self.identity.identify(REQUEST_ID, said, True)

    def context(self, token: str, **headers: str) -> Context:
        """Ask who sends a token, with an answer now."""
        found = self.identify(token, **headers)
        known: Context = self.successResultOf(found) if isinstance(found, Deferred) else found
        return known

    def refused(self, *tokens: str) -> None:
        """Whoever sends these tokens is nobody."""
        try:
            found = self.identify(*tokens)
        except Unauthorized:
            return
        self.failureResultOf(found, Unauthorized)

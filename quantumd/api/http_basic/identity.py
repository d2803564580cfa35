"""Who asks, with ``auth = "http_basic"``: from name and password of a request to its context."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers

from quantumd.api.errors import TooManyAttempts, Unauthorized
from quantumd.api.http_basic.attempts import Failures, peer_key
from quantumd.api.http_basic.hashes import COST, nobodys_hash
from quantumd.api.http_basic.header import Login, read_login
from quantumd.api.http_basic.users import User
from quantumd.api.identity import global_request_id
from quantumd.errors import EdgeUnavailable
from quantumd.model.context import Context

CHALLENGE: Final = 'Basic realm="quantumd", charset="UTF-8"'

WAITING: Final = 32
"""How many passwords may wait for their verification, one at a time; requests with further ones get 503."""

WAITING_PER_PEER: Final = 8
"""How many of them may come from one address."""

REMEMBERED: Final = 10_000
"""How many verified passwords, and how many wrong ones, are remembered."""

REFUSED_SECONDS: Final = 10.0
"""How long a wrong password is remembered as such."""


@define(eq=False)
class Remembered:
    """Keyed hashes that count for a while; what was used longest ago goes first. No password is in here."""

    _seconds: float
    _until: OrderedDict[bytes, float] = field(factory=OrderedDict, init=False)

    def has(self, digest: bytes, now_seconds: float) -> bool:
        """Return whether a hash counts."""
        return self._until.get(digest, now_seconds) > now_seconds

    def put(self, digest: bytes, now_seconds: float) -> None:
        """Let a hash count from now on."""
        self._until[digest] = now_seconds + self._seconds
        self._until.move_to_end(digest)
        while len(self._until) > REMEMBERED:
            self._until.popitem(last=False)


@define(eq=False)
class BasicIdentity:
    """Tells who asks. A password that was verified is remembered, under a keyed hash of it, and costs no reactor turn.

    ``verify(password, password_hash)`` tells on a thread of its own whether they fit. ``secret`` is for the hashes that
    are remembered. ``seconds`` never goes back. A name that nobody has takes as long as a wrong password.
    """

    _verify: Callable[[bytes, str], Deferred[bool]]
    _secret: bytes = field(repr=False)
    _seconds: Callable[[], float]
    _cache_seconds: float
    _user_failures: Failures
    _peer_failures: Failures
    _users: Mapping[str, User] | None = field(default=None, init=False, repr=False)
    _nobodys_hash: str = field(default=nobodys_hash(COST), init=False)
    _right: Remembered = field(init=False)
    _wrong: Remembered = field(factory=lambda: Remembered(REFUSED_SECONDS), init=False)
    _waiting: dict[bytes, list[Deferred[User]]] = field(factory=dict, init=False)
    _waiting_of_peer: dict[str, int] = field(factory=dict, init=False)
    _place: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(1), init=False)

    @_right.default
    def _make_right(self) -> Remembered:
        return Remembered(self._cache_seconds)

    def know(self, users: Mapping[str, User] | None) -> None:
        """Take the users that are there from now on; None lets nobody in before they are known."""
        self._users = users
        self._nobodys_hash = nobodys_hash(max((user.cost for user in (users or {}).values()), default=COST))

    def identify(
        self, request_id: str, headers: Headers, is_loopback: bool, peer: str = ""
    ) -> Context | Deferred[Context]:
        """Return who asks, or a Deferred of it when the password has to be verified.

        :raises Unauthorized: no name and password, or known to be wrong ones. The Deferred may fail with it too.
        :raises TooManyAttempts: they are not looked at, because too many from this address or for this user were wrong.
        :raises EdgeUnavailable: the users are not known, or too many wait.
        """
        login = _login(headers)
        if self._users is None:
            raise EdgeUnavailable("the file of users cannot be used")
        user = self._users.get(login.name)
        digest = self._digest(login, user)
        now = self._seconds()
        if user is not None and self._right.has(digest, now):
            self._right.put(digest, now)
            return _context(user, request_id, headers)
        if self._wrong.has(digest, now):
            raise Unauthorized(CHALLENGE)
        return self._verified(digest, login, user, peer_key(peer)).addCallback(_context, request_id, headers)

    def _digest(self, login: Login, user: User | None) -> bytes:
        # The hash of the file is part of it: what was verified ends with the password that it was verified against.
        known = self._hash_of(user).encode()
        name = login.name.encode()
        text = b"%d %d %s%s%s" % (len(name), len(known), name, known, login.password)
        return blake2b(text, key=self._secret, digest_size=32).digest()

    def _hash_of(self, user: User | None) -> str:
        return self._nobodys_hash if user is None else user.password_hash

    def _verified(self, digest: bytes, login: Login, user: User | None, peer: str) -> Deferred[User]:
        mine: Deferred[User] = Deferred(lambda gone: self._waiting.get(digest, [gone]).remove(gone))
        if digest in self._waiting:
            self._waiting[digest].append(mine)
            return mine
        self._admit(login.name, peer)
        self._waiting[digest] = [mine]
        known = self._hash_of(user)
        verifying = self._place.run(self._verify, login.password, known)
        verifying.addBoth(self._ended, digest, login.name, peer, known)
        return mine

    def _admit(self, name: str, peer: str) -> None:
        now = self._seconds()
        wait = max(self._user_failures.wait_seconds(name, now), self._peer_failures.wait_seconds(peer, now))
        if wait:
            raise TooManyAttempts(wait)
        if len(self._waiting) >= WAITING or self._waiting_of_peer.get(peer, 0) >= WAITING_PER_PEER:
            raise EdgeUnavailable("too many passwords wait for their verification")
        # Until it is known better it is one that failed: many at once are no way around the limits.
        self._user_failures.add(name, now)
        self._peer_failures.add(peer, now)
        self._waiting_of_peer[peer] = self._waiting_of_peer.get(peer, 0) + 1

    def _ended(self, result: bool | Failure, digest: bytes, name: str, peer: str, known: str) -> None:
        self._waiting_of_peer[peer] -= 1
        if not self._waiting_of_peer[peer]:
            del self._waiting_of_peer[peer]
        waiters = self._waiting.pop(digest)
        if isinstance(result, Failure):
            for waiter in waiters:
                waiter.errback(result)
            return
        # The file may have changed since.
        user = (self._users or {}).get(name)
        is_right = result and user is not None and user.password_hash == known
        (self._right if is_right else self._wrong).put(digest, self._seconds())
        if is_right:
            self._user_failures.forgive(name)
            self._peer_failures.forgive(peer)
        for waiter in waiters:
            if user is not None and is_right:
                waiter.callback(user)
            else:
                waiter.errback(Unauthorized(CHALLENGE))


def _login(headers: Headers) -> Login:
    values = headers.getRawHeaders(b"Authorization") or ()
    # Of two none is the caller's: what stands before us may have looked at the other one.
    login = read_login(values[0]) if len(values) == 1 else None
    # Browsers add remembered passwords to what any page asks for; Origin tells that it was a page (Fetch, 3.1).
    if headers.hasHeader(b"Origin"):
        login = None
    if login is None:
        raise Unauthorized(CHALLENGE)
    return login


def _context(user: User, request_id: str, headers: Headers) -> Context:
    return Context(
        request_id=request_id,
        user_id=user.name,
        project_id=user.project_id,
        roles=user.roles,
        global_request_id=global_request_id(headers),
    )

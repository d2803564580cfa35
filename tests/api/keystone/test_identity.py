"""Callers with tokens: who they are, how long that is remembered, and what is said to those who are nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import globalLogPublisher
from twisted.web.http_headers import Headers
from zope.interface.verify import verifyObject

from quantumd.api.errors import Unauthorized
from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.interfaces import ITokens
from quantumd.api.keystone.known import (
    LONGEST_TOKEN_BYTES,
    REFUSED_SECONDS,
    REFUSED_TOKENS,
    WAITING_TOKENS,
)
from quantumd.errors import EdgeUnavailable
from quantumd.logs import format_line
from quantumd.model.context import Context
from tests.api.injected import injected
from tests.api.keystone.identity_case import ALICE, CACHE_SECONDS, CACHE_SIZE, CHALLENGE, GLOBAL_ID, Case
from tests.api.wire import REQUEST_ID, Reply, Wire, parse_replies


class ContextTests(Case):
    """Who asks."""

    def test_the_token_says_who_asks(self) -> None:
        """User, project and roles are the token's; headers that say something else are not looked at."""
        context = self.context("a", X_Project_Id="p9", X_Roles="admin", X_User_Id="root")
        self.assertEqual(
            context, Context(REQUEST_ID, user_id="alice", project_id="p1", roles=frozenset({"member", "reader"}))
        )

    def test_an_admin_is_who_has_the_role(self) -> None:
        """Nothing else makes an admin."""
        self.assertEqual((self.context("r").is_admin, self.context("a").is_admin), (True, False))

    def test_the_system_is_a_scope(self) -> None:
        """A token for the system says so."""
        self.tokens.callers[b"s"] = Caller("root", 3600.0, system_scope="all", roles=frozenset({"reader"}))
        context = self.context("s")
        self.assertEqual((context.system_scope, context.project_id), ("all", None))

    def test_a_callers_request_id_is_kept(self) -> None:
        """As without authentication."""
        for _ in range(2):
            context = self.context("a", X_Openstack_Request_Id=GLOBAL_ID)
            self.assertEqual(context.global_request_id, GLOBAL_ID)

    def test_it_is_tokens(self) -> None:
        """What stands for Keystone here keeps the interface."""
        self.assertTrue(verifyObject(ITokens, self.tokens))


class InjectedTests(Case):
    """Headers that say who the caller is are for services behind a middleware, and are not looked at."""

    def test_none_of_them_changes_who_asks(self) -> None:
        """Neither each, nor all of them."""
        plain = self.context("a")
        for name, values in injected().items():
            said = Headers({"X-Auth-Token": ["a"], name: values})
            self.assertEqual(self.identity.identify(REQUEST_ID, said, True, "127.0.0.1"), plain, name)
        every = Headers({"X-Auth-Token": ["a"], **injected()})
        self.assertEqual(self.identity.identify(REQUEST_ID, every, True, "127.0.0.1"), plain)

    def test_none_of_them_stands_for_a_token(self) -> None:
        """Also from the loopback."""
        self.assertRaises(Unauthorized, self.identity.identify, REQUEST_ID, Headers(injected()), True, "127.0.0.1")
        self.assertEqual(self.tokens.asked, [])


class RefusalTests(Case):
    """Who is nobody."""

    def test_no_token_is_nobody(self) -> None:
        """Neither are two, an empty one, one of other signs or one without end; Keystone is not asked."""
        for tokens in ((), ("a", "r"), ("",), ("a b",), ("a\x00",), ("é",), ("x" * (LONGEST_TOKEN_BYTES + 1),)):
            self.refused(*tokens)
        self.assertEqual(self.tokens.asked, [])

    def test_a_wrong_token_is_remembered(self) -> None:
        """Keystone is not asked for it with each request, but again after a while."""
        self.refused("x")
        self.refused("x")
        self.assertEqual(self.tokens.asked, [b"x"])
        self.clock.advance(REFUSED_SECONDS)
        self.refused("x")
        self.assertEqual(self.tokens.asked, [b"x", b"x"])

    def test_wrong_tokens_push_out_no_valid_one(self) -> None:
        """However many come."""
        self.context("a")
        for number in range(REFUSED_TOKENS + 5):
            self.refused(f"x{number}")
        self.context("a")
        self.assertEqual(self.tokens.asked.count(b"a"), 1)

    def test_a_token_at_its_end_is_not_valid(self) -> None:
        """Even if Keystone, whose clock goes after ours, says so."""
        self.tokens.callers[b"a"] = evolve(ALICE, expires_seconds=0.0)
        self.refused("a")


class MemoryOfTokensTests(Case):
    """How long a valid token is not asked for again."""

    def test_a_known_token_needs_no_turn(self) -> None:
        """The context is there at once, no Deferred."""
        self.context("a")
        self.assertIsInstance(self.identify("a"), Context)
        self.assertEqual(self.tokens.asked, [b"a"])

    def test_it_is_forgotten(self) -> None:
        """After the time of the setting."""
        self.context("a")
        self.clock.advance(CACHE_SECONDS)
        self.context("a")
        self.assertEqual(len(self.tokens.asked), 2)

    def test_it_is_forgotten_at_its_end(self) -> None:
        """Not a moment later than the token ends."""
        self.tokens.callers[b"a"] = evolve(ALICE, expires_seconds=10.0)
        self.context("a")
        self.clock.advance(10.0)
        self.refused("a")

    def test_memory_is_bounded(self) -> None:
        """What was used longest ago goes first."""
        self.tokens.callers |= {b"%d" % number: ALICE for number in range(CACHE_SIZE)}
        self.context("0")
        self.context("a")
        for number in range(CACHE_SIZE):
            self.context(str(number))
        self.assertEqual(self.tokens.asked.count(b"0"), 1)
        self.context("a")
        self.assertEqual(self.tokens.asked.count(b"a"), 2)

    def test_tokens_are_not_kept(self) -> None:
        """A look into our memory finds none."""
        secret = "s" * 40
        self.tokens.callers[secret.encode()] = ALICE
        self.context(secret)
        self.refused("t" * 40)
        self.assertNotIn(secret, repr(self.identity))
        self.assertNotIn("t" * 40, repr(self.identity))


class TogetherTests(Case):
    """Requests that come while Keystone is being asked."""

    def setUp(self) -> None:
        """Keystone takes its time."""
        super().setUp()
        self.tokens.is_slow = True

    def test_one_token_is_asked_for_once(self) -> None:
        """All who send it get the answer."""
        found = [self.identify("a") for _ in range(5)]
        self.tokens.waiting[0].callback(ALICE)
        users = [self.successResultOf(each).user_id for each in found]
        self.assertEqual((users, self.tokens.asked), (["alice"] * 5, [b"a"]))

    def test_all_hear_that_it_is_not_valid(self) -> None:
        """All who send it are refused."""
        found = [self.identify("x") for _ in range(3)]
        self.tokens.waiting[0].callback(None)
        for each in found:
            self.failureResultOf(each, Unauthorized)

    def test_all_hear_that_keystone_is_away(self) -> None:
        """And the next one asks again."""
        found = [self.identify("a") for _ in range(3)]
        self.tokens.waiting[0].errback(EdgeUnavailable("away"))
        for each in found:
            self.failureResultOf(each, EdgeUnavailable)
        again = self.identify("a")
        self.tokens.waiting[1].callback(ALICE)
        self.assertEqual(self.successResultOf(again).user_id, "alice")

    def test_who_leaves_takes_nobody_along(self) -> None:
        """The question goes on for the others, and its answer is remembered even if all have left."""
        first, second = self.identify("a"), self.identify("a")
        first.addErrback(lambda _: None)
        first.cancel()
        self.tokens.waiting[0].callback(ALICE)
        self.assertEqual(self.successResultOf(second).user_id, "alice")
        self.assertIsInstance(self.identify("a"), Context)

    def test_not_all_the_world_waits(self) -> None:
        """Beyond the limit requests with new tokens are turned away; one that waits takes more of its own."""
        found = [self.identify(f"t{number}") for number in range(WAITING_TOKENS)]
        self.assertRaises(EdgeUnavailable, self.identify, "one-more")
        found.append(self.identify("t0"))
        self.assertEqual(len(self.tokens.asked), WAITING_TOKENS)


class RequestTests(Case):
    """Requests over HTTP."""

    def setUp(self) -> None:
        """An API that asks who calls."""
        super().setUp()
        self.wire = Wire(identify=self.identity.identify)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Make a request."""
        return self.wire.request("GET", path, headers=headers)

    def test_without_a_token_it_is_401(self) -> None:
        """With the challenge and the body that clients know."""
        reply = self.get("/v2.0/widgets")
        self.assertEqual((reply.status, reply.headers["www-authenticate"]), (401, CHALLENGE))
        message = "The request you have made requires authentication."
        self.assertEqual(reply.json, {"error": {"code": 401, "title": "Unauthorized", "message": message}})
        self.assertEqual(reply.headers["x-openstack-request-id"], REQUEST_ID)

    def test_with_a_wrong_token_it_is_401(self) -> None:
        """The same."""
        reply = self.get("/v2.0/widgets", {"X-Auth-Token": "x"})
        self.assertEqual((reply.status, "www-authenticate" in reply.headers), (401, True))

    def test_what_everybody_may_read(self) -> None:
        """Versions and health need no token."""
        statuses = {path: self.get(path).status for path in ("/", "/v2.0", "/v2.0/", "/healthz", "/readyz", "/metrics")}
        self.assertEqual(set(statuses.values()), {200}, statuses)

    def test_the_rest_is_closed(self) -> None:
        """Whether it exists or not: strangers learn nothing. No spelling of a path goes around that."""
        paths = (
            "/v2.0/extensions",
            "/v2.0/openapi",
            "/nope",
            "/v2.0/widgets.json",
            "//v2.0/widgets",
            "/%76%32.0/widgets",
        )
        statuses = {path: self.get(path).status for path in paths}
        self.assertEqual(set(statuses.values()), {401}, statuses)

    def test_with_a_token_it_is_answered(self) -> None:
        """At once or when Keystone has answered."""
        for _ in range(2):
            self.assertEqual(self.get("/v2.0/widgets", {"X-Auth-Token": "a"}).status, 200)

    def test_a_slow_keystone_is_waited_for(self) -> None:
        """The request stays open, and is then answered as its caller's."""
        self.tokens.is_slow = True
        channel, transport = self.wire.connect()
        channel.dataReceived(b"GET /v2.0/widgets HTTP/1.1\r\nHost: x\r\nX-Auth-Token: a\r\n\r\n")
        self.assertEqual(transport.value(), b"")
        self.tokens.waiting[0].callback(ALICE)
        self.assertEqual(parse_replies(transport.value())[0].status, 200)

    def test_a_keystone_that_is_away_is_503(self) -> None:
        """With a time to come back."""
        self.tokens.is_slow = True
        channel, transport = self.wire.connect()
        channel.dataReceived(b"GET /v2.0/widgets HTTP/1.1\r\nHost: x\r\nX-Auth-Token: a\r\n\r\n")
        self.tokens.waiting[0].errback(EdgeUnavailable("away"))
        reply = parse_replies(transport.value())[0]
        self.assertEqual((reply.status, "retry-after" in reply.headers), (503, True))

    def test_a_known_token_needs_no_keystone(self) -> None:
        """Who is remembered goes on while Keystone is away."""
        self.get("/v2.0/widgets", {"X-Auth-Token": "a"})
        self.tokens.is_slow = True
        self.assertEqual(self.get("/v2.0/widgets", {"X-Auth-Token": "a"}).status, 200)

    def test_a_bug_is_500_and_tells_no_token(self) -> None:
        """Its traceback is in the log, at once or later, and what was in the hands of the code is not."""
        events: list[Any] = []
        observer: Any = events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        secret = "s" * 40
        for broken in (self.broken_at_once, lambda *_: fail(ZeroDivisionError())):
            self.tokens.breaks = broken
            self.assertEqual(self.get("/v2.0/widgets", {"X-Auth-Token": secret}).status, 500)
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        text = "".join(format_line(event) for event in events)
        self.assertIn("Traceback", text)
        self.assertNotIn(secret[:20], text)

    def broken_at_once(self, token: bytes) -> Deferred[Caller | None]:
        """Break with the token in hand."""
        return succeed(ALICE if len(token) / 0 else None)

    def test_a_caller_who_leaves_is_forgotten(self) -> None:
        """Nothing is answered, and nothing breaks."""
        self.tokens.is_slow = True
        channel, transport = self.wire.connect()
        channel.dataReceived(b"GET /v2.0/widgets HTTP/1.1\r\nHost: x\r\nX-Auth-Token: a\r\n\r\n")
        transport.loseConnection()
        self.tokens.waiting[0].callback(ALICE)
        self.assertEqual(transport.value(), b"")

"""Services that go on for users whose tokens have ended, and callers who go on while Keystone is away."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers

from quantumd.api.errors import Unauthorized
from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.known import QUIET_SECONDS, REFUSED_SECONDS
from quantumd.errors import EdgeUnavailable
from quantumd.model.context import Context
from tests.api.keystone.identity_case import ALICE, AWAY_SECONDS, CACHE_SECONDS, Case
from tests.api.wire import REQUEST_ID


class ServiceTokenTests(Case):
    """A service goes on with a user's request, after the user's token has ended."""

    def setUp(self) -> None:
        """A service's token, and one that is somebody else's."""
        super().setUp()
        self.tokens.callers[b"s"] = Caller("nova", 9e9, "p9", roles=frozenset({"service"}))
        self.tokens.callers[b"m"] = Caller("mallory", 9e9, "p2", roles=frozenset({"member", "reader"}))

    def end(self) -> None:
        """Alice's token ends."""
        self.clock.advance(ALICE.expires_seconds)

    def ask(self, token: str, *service_tokens: str) -> Any:
        """Ask who sends these tokens."""
        said = Headers({"X-Auth-Token": [token], "X-Service-Token": list(service_tokens)})
        try:
            found = self.identity.identify(REQUEST_ID, said, False, "192.0.2.1")
        except Unauthorized as error:
            return error
        return found if isinstance(found, Context) else self.outcome(found)

    def outcome(self, found: Deferred[Context]) -> Any:
        """Return the context or the error."""
        results: list[Any] = []
        found.addBoth(results.append)
        return getattr(results[0], "value", results[0])

    def test_a_token_that_has_ended_counts_with_it(self) -> None:
        """The request is the user's, not the service's; alone the token is worth nothing."""
        self.end()
        context = self.ask("a", "s")
        self.assertEqual((context.user_id, context.project_id, context.roles), ("alice", "p1", ALICE.roles))
        self.assertEqual(context.service_roles, {"service"})
        self.refused("a")

    def test_it_is_remembered_so(self) -> None:
        """And still alone worth nothing."""
        self.end()
        self.ask("a", "s")
        self.assertIsInstance(self.ask("a", "s"), Context)
        self.assertEqual(self.tokens.asked, [b"s", b"a"])
        self.refused("a")

    def test_a_refusal_is_no_answer_to_the_other_question(self) -> None:
        """A token that was refused alone counts with a service's all the same."""
        self.end()
        self.refused("a")
        self.assertIsInstance(self.ask("a", "s"), Context)

    def test_nobody_vouches_for_a_token_alone(self) -> None:
        """Rules may ask for the roles of a service beside the caller; without its token there are none."""
        self.assertEqual(self.context("a").service_roles, frozenset())

    def test_a_token_that_is_good_needs_no_second_question(self) -> None:
        """What is known of it is known with a service token too."""
        self.context("a")
        self.assertEqual(self.ask("a", "s").user_id, "alice")
        self.assertEqual(self.tokens.asked, [b"a", b"s"])

    def test_a_service_token_without_the_role_makes_nobody(self) -> None:
        """Even where the user's own token is good."""
        self.assertIsInstance(self.ask("a", "m"), Unauthorized)

    def test_without_required_roles_it_is_of_no_use(self) -> None:
        """It does no harm, and lets no token live longer."""
        self.serve(are_roles_required=False)
        self.assertEqual(self.ask("a", "m").user_id, "alice")
        self.end()
        self.assertIsInstance(self.ask("a", "m"), Unauthorized)
        self.assertIsInstance(self.ask("a", "s"), Context)

    def test_a_service_token_that_is_not_valid_makes_nobody(self) -> None:
        """Neither do two; an empty one is none."""
        self.assertIsInstance(self.ask("a", "x"), Unauthorized)
        self.assertIsInstance(self.ask("a", "s", "s"), Unauthorized)
        self.assertEqual(self.ask("a", "").user_id, "alice")

    def test_a_service_token_that_has_ended_makes_nobody(self) -> None:
        """The rule is for users' tokens."""
        self.tokens.callers[b"s"] = evolve(self.tokens.callers[b"s"], expires_seconds=10.0)
        self.clock.advance(10.0)
        self.assertIsInstance(self.ask("a", "s"), Unauthorized)

    def test_a_service_token_alone_makes_nobody(self) -> None:
        """There is no user."""
        said = Headers({"X-Service-Token": ["s"]})
        self.assertRaises(Unauthorized, self.identity.identify, REQUEST_ID, said, False)

    def test_both_may_have_to_be_asked_for(self) -> None:
        """One after the other, with an answer at the end."""
        self.tokens.is_slow = True
        said = Headers({"X-Auth-Token": ["a"], "X-Service-Token": ["s"]})
        found: Any = self.identity.identify(REQUEST_ID, said, False)
        self.tokens.waiting[0].callback(self.tokens.callers[b"s"])
        self.assertNoResult(found)
        self.tokens.waiting[1].callback(ALICE)
        self.assertEqual(self.successResultOf(found).user_id, "alice")


class AwayTests(Case):
    """Keystone does not answer: whoever was known goes on for a while."""

    def setUp(self) -> None:
        """Alice is known, and Keystone goes."""
        super().setUp()
        self.context("a")
        self.tokens.is_away = True

    def failed(self, token: str) -> None:
        """Whoever sends this token gets 503."""
        self.failureResultOf(self.identify(token), EdgeUnavailable)

    def test_a_new_token_is_not_known(self) -> None:
        """Nobody can say whose it is."""
        self.failed("r")

    def test_a_known_one_goes_on(self) -> None:
        """For the time of keystone.away_seconds after its time, and no longer."""
        self.clock.advance(CACHE_SECONDS)
        self.assertEqual(self.context("a").user_id, "alice")
        self.clock.advance(AWAY_SECONDS)
        self.failed("a")

    def test_it_goes_on_at_once(self) -> None:
        """After a question without an answer it is not asked for with each request."""
        self.clock.advance(CACHE_SECONDS)
        self.context("a")
        self.assertIsInstance(self.identify("a"), Context)
        self.assertEqual(self.tokens.asked, [b"a", b"a"])
        self.clock.advance(QUIET_SECONDS)
        self.context("a")
        self.assertEqual(self.tokens.asked, [b"a", b"a", b"a"])

    def test_it_does_not_outlive_its_token(self) -> None:
        """A token ends when it ends."""
        self.tokens.is_away = False
        self.tokens.callers[b"b"] = evolve(ALICE, expires_seconds=CACHE_SECONDS + 1)
        self.context("b")
        self.tokens.is_away = True
        self.clock.advance(CACHE_SECONDS)
        self.context("b")
        self.clock.advance(1.0)
        self.failed("b")

    def test_without_the_setting_it_ends_with_its_time(self) -> None:
        """keystone.away_seconds = 0."""
        self.tokens.is_away = False
        self.serve(away_seconds=0.0)
        self.context("a")
        self.tokens.is_away = True
        self.clock.advance(CACHE_SECONDS)
        self.failed("a")

    def test_a_keystone_that_answers_is_listened_to(self) -> None:
        """A token that it calls not valid does not go on, also when it is away again after that."""
        self.clock.advance(CACHE_SECONDS)
        self.tokens.is_away = False
        del self.tokens.callers[b"a"]
        self.refused("a")
        self.tokens.is_away = True
        self.clock.advance(REFUSED_SECONDS)
        self.failed("a")

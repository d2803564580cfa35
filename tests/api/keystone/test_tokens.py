"""Asking Keystone: what it is told, how often, and what happens when it is away or answers nonsense."""

from __future__ import annotations

from typing import Any

import orjson
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase

from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.login import RENEW_SECONDS
from quantumd.api.keystone.tokens import LOCKED_OUT_SECONDS, KeystoneTokens
from quantumd.edge.http.answers import LARGEST_ANSWER_BYTES
from quantumd.edge.http.exchange import make_exchange
from quantumd.errors import EdgeTimeout, EdgeUnavailable
from tests.api.keystone.case import AT_ONCE, TIMEOUT_SECONDS, URL, credentials_of, make_tokens
from tests.bed.keystone_memory import TOKEN_SECONDS, MemoryKeystone, serve_in_memory
from tests.contracts.tokens import TokensContract

LOGIN = "POST /v3/auth/tokens"
ASK = "GET /v3/auth/tokens"


class MemoryTokensTests(TokensContract, TestCase):
    """The Keystone of these tests does as the real one does."""

    def setUp(self) -> None:
        """A service user."""
        self.keystone = MemoryKeystone()
        self.service = self.keystone.make_user("service")
        self.endpoints = serve_in_memory(self.keystone.answer, self.keystone.clock)
        self.tokens = self.tokens_of(self.service)

    def tokens_of(self, user: Any) -> KeystoneTokens:
        """Return tokens asked for by another user."""
        return make_tokens(user, self.endpoints, self.keystone.clock)

    async def ask(self, token: str, tokens: Any = None, allow_expired: bool = False) -> Caller | None:
        """Validate a token."""
        asking: Deferred[Caller | None] = (tokens or self.tokens).validate(token.encode(), allow_expired)
        self.endpoints.flush()
        return await asking


class Case(SynchronousTestCase):
    """A Keystone, a user with a token, and what asks."""

    def setUp(self) -> None:
        """All of them."""
        self.clock = Clock()
        self.keystone = MemoryKeystone(self.clock)
        self.service = self.keystone.make_user("service")
        self.user = self.keystone.make_user("member")
        self.token = self.keystone.token(self.user)
        self.serve(self.keystone.answer)

    def serve(self, answer: Any) -> None:
        """Let ``answer`` be Keystone."""
        self.endpoints = serve_in_memory(answer, self.clock)
        self.tokens = make_tokens(self.service, self.endpoints, self.clock)

    def ask(self, token: str = "") -> Deferred[Caller | None]:
        """Validate a token."""
        asking = self.tokens.validate((token or self.token).encode())
        self.endpoints.flush()
        return asking

    def answer_of(self, token: str = "") -> Caller | None:
        """Validate a token with an answer."""
        caller: Caller | None = self.successResultOf(self.ask(token))
        return caller

    def refusal(self) -> str:
        """Validate a token in vain; return why."""
        return str(self.failureResultOf(self.ask(), EdgeUnavailable).value)


class OwnTokenTests(Case):
    """The token with which quantumd asks."""

    def test_it_is_asked_for_once(self) -> None:
        """Before the first question."""
        self.answer_of()
        self.answer_of()
        self.assertEqual(self.keystone.asked, [LOGIN, ASK, ASK])

    def test_it_is_renewed_before_its_end(self) -> None:
        """A minute before."""
        self.answer_of()
        self.clock.advance(TOKEN_SECONDS - RENEW_SECONDS + 1)
        self.token = self.keystone.token(self.user)
        self.answer_of()
        self.assertEqual(self.keystone.asked, [LOGIN, ASK, LOGIN, ASK])

    def test_it_is_renewed_when_it_is_refused(self) -> None:
        """Keystone has forgotten it; the caller does not notice."""
        self.answer_of()
        self.keystone.revoke_all()
        self.token = self.keystone.token(self.user)
        self.assertEqual(getattr(self.answer_of(), "user_id", None), self.user.id)
        self.assertEqual(self.keystone.asked, [LOGIN, ASK, ASK, LOGIN, ASK])

    def test_many_questions_share_one_login(self) -> None:
        """However many come at once."""
        asking = [self.tokens.validate(self.token.encode()) for _ in range(AT_ONCE + 5)]
        self.endpoints.flush()
        callers = [self.successResultOf(each) for each in asking]
        self.assertEqual((len(set(callers)), self.keystone.asked.count(LOGIN)), (1, 1))

    def test_a_refused_user_waits(self) -> None:
        """Keystone is left alone for a while after a wrong password, then a corrected one works."""
        wrong = self.service
        self.service = self.keystone.change_password(self.service, "another")
        self.tokens = make_tokens(wrong, self.endpoints, self.clock)
        for _ in range(3):
            self.assertIn("own user", self.refusal())
        self.assertEqual(self.keystone.asked, [LOGIN])
        self.keystone.change_password(self.service, wrong.password)
        self.clock.advance(LOCKED_OUT_SECONDS)
        self.assertIsNotNone(self.answer_of())

    def test_connections_are_kept(self) -> None:
        """One connection serves one question after the other."""
        for _ in range(4):
            self.answer_of()
        self.assertEqual(self.endpoints.connections, 1)

    def test_the_end_closes_connections(self) -> None:
        """None is left when the service has stopped."""
        self.answer_of()
        closing = self.tokens.close()
        self.endpoints.flush()
        self.assertIsNone(self.successResultOf(closing))


class ExpiredTests(Case):
    """Tokens that have ended."""

    def test_one_that_has_ended_is_asked_for_as_such(self) -> None:
        """Keystone answers only where it is told that the token may have ended."""
        self.clock.advance(TOKEN_SECONDS + 1)
        self.assertIsNone(self.answer_of())
        asking = self.tokens.validate(self.token.encode(), True)
        self.endpoints.flush()
        self.assertEqual(getattr(self.successResultOf(asking), "user_id", None), self.user.id)


class WaitTests(Case):
    """How long questions wait, which operators can see."""

    def test_the_wait_for_a_turn_is_told(self) -> None:
        """Apart from the time that Keystone takes."""
        told: list[tuple[float, float]] = []
        exchange = make_exchange(self.clock, URL, TIMEOUT_SECONDS, 1, self.endpoints.endpoint_of)
        tokens = KeystoneTokens(
            exchange, credentials_of(self.service), self.clock, self.clock.seconds, TIMEOUT_SECONDS, 1,
            lambda waited, answered: told.append((waited, answered)),
        )  # fmt: skip
        asking = [tokens.validate(self.token.encode()) for _ in range(2)]
        self.clock.advance(1.0)
        self.endpoints.flush()
        self.assertEqual([self.successResultOf(each) is not None for each in asking], [True, True])
        self.assertEqual(told, [(0.0, 1.0), (1.0, 0.0)])


class AwayTests(Case):
    """Keystone does not answer."""

    def test_nobody_listens(self) -> None:
        """An EdgeError, which callers see as 503."""
        self.endpoints.is_away = True
        self.assertIn("Keystone does not answer", self.refusal())

    def test_it_comes_back(self) -> None:
        """The next question is answered."""
        self.endpoints.is_away = True
        self.refusal()
        self.endpoints.is_away = False
        self.assertIsNotNone(self.answer_of())

    def test_it_hangs(self) -> None:
        """After the time limit the question is given up, and so are those that waited for their turn."""
        self.endpoints.server = Factory.forProtocol(Protocol)
        asking = [self.tokens.validate(b"x") for _ in range(AT_ONCE + 1)]
        self.clock.advance(TIMEOUT_SECONDS + 0.1)
        self.endpoints.flush()
        for each in asking:
            self.failureResultOf(each, EdgeTimeout)

    def test_it_hangs_no_longer(self) -> None:
        """What was given up keeps no place."""
        for _ in range(AT_ONCE + 1):
            self.tokens.validate(b"x").addErrback(lambda _: None)
        self.clock.advance(TIMEOUT_SECONDS + 0.1)
        self.assertIsNotNone(self.answer_of())

    def test_it_is_broken(self) -> None:
        """A 500 says nothing about a token."""
        self.keystone.is_broken = True
        self.assertIn("500", self.refusal())

    def test_it_is_told_once(self) -> None:
        """The log does not repeat it for every request, and says when it is over."""
        events: list[Any] = []
        observer: Any = events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.endpoints.is_away = True
        self.refusal()
        self.refusal()
        self.endpoints.is_away = False
        self.answer_of()
        said = [event["log_format"] for event in events if "eystone" in str(event["log_namespace"])]
        self.assertEqual(said, ["tokens cannot be validated: {why}", "Keystone answers again"])
        self.assertNotIn(self.service.password, str(events))
        self.assertNotIn(self.token, str(events))


class NonsenseTests(Case):
    """Keystone, or what stands in its place, answers what it should not."""

    def answering(self, **parts: Any) -> None:
        """Change the parts of a good answer to the question; the login is answered well."""

        def answer(method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
            status, fields, content = self.keystone.answer(method, path, headers, body)
            if method == "POST":
                return status, fields, content
            document = orjson.loads(content)["token"] | parts
            return status, fields, orjson.dumps({"token": document})

        self.serve(answer)

    def test_documents_that_make_no_sense(self) -> None:
        """Nobody is let in by them."""
        wrong: tuple[dict[str, Any], ...] = (
            {"user": None}, {"user": {}}, {"user": {"id": 5}}, {"user": {"id": ""}}, {"user": {"id": "x" * 256}},
            {"project": "p1"}, {"project": {"id": ["p1"]}}, {"domain": 1}, {"system": ["all"]},
            {"roles": "admin"}, {"roles": ["admin"]}, {"roles": [{"name": 1}]}, {"roles": [{"name": "r"}] * 1001},
            {"expires_at": None}, {"expires_at": "soon"}, {"expires_at": "2026-11-21T10:00:00"},
        )  # fmt: skip
        for parts in wrong:
            self.answering(**parts)
            self.assertIn("makes no sense", self.refusal(), parts)

    def test_bodies_that_are_no_documents(self) -> None:
        """Neither by them."""
        for body in (b"", b"null", b"[]", b"{}", b'{"token": []}', b"\xff", b"[" * 100_000):
            self.serve(lambda *_, body=body: (201, {"X-Subject-Token": "t"}, body))
            self.assertIn("makes no sense", self.refusal())

    def test_a_login_without_a_token(self) -> None:
        """The document is there, its token is not."""
        self.serve(lambda *request: (201, {}, self.keystone.answer(*request)[2]))
        self.assertIn("holds no token", self.refusal())

    def test_a_login_with_a_token_that_is_none(self) -> None:
        """It could not be sent in a header."""
        for token in ("a b", "\xe9", "x" * 8193):
            self.serve(
                lambda *request, token=token: (201, {"X-Subject-Token": token}, self.keystone.answer(*request)[2])
            )
            self.assertIn("holds no token", self.refusal())

    def test_an_answer_without_end(self) -> None:
        """The connection is cut when more comes than is read."""
        self.serve(lambda *_: (200, {}, b" " * (LARGEST_ANSWER_BYTES + 1)))
        self.assertIn("does not answer", self.refusal())

    def test_headers_without_end(self) -> None:
        """The head counts too."""
        many = {f"X-{number}": "x" * 1000 for number in range(300)}
        self.serve(lambda *_: (200, many, b"{}"))
        self.assertIn("does not answer", self.refusal())

    def test_the_limit_is_that_of_one_answer(self) -> None:
        """Not of a connection."""
        padding = b" " * (LARGEST_ANSWER_BYTES // 2)

        def answer(*request: Any) -> tuple[int, dict[str, str], bytes]:
            status, fields, content = self.keystone.answer(*request)
            return status, fields, content + padding

        self.serve(answer)
        self.assertEqual(len({self.answer_of() for _ in range(5)}), 1)

    def test_a_redirection_is_not_followed(self) -> None:
        """Our token goes to nobody else."""
        self.serve(lambda *_: (302, {"Location": "http://elsewhere.example/"}, b""))
        self.assertIn("302", self.refusal())

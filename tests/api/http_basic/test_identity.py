"""Callers with name and password: who they are, what is remembered, and what those who guess meet."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from quantumd.api.errors import TooManyAttempts, Unauthorized
from quantumd.api.http_basic.attempts import MOST_KEYS, WINDOW_SECONDS, Failures, peer_key
from quantumd.api.http_basic.hashes import hash_password, is_password_of
from quantumd.api.http_basic.identity import (
    CHALLENGE,
    REFUSED_SECONDS,
    REMEMBERED,
    WAITING,
    WAITING_PER_PEER,
    BasicIdentity,
    Remembered,
)
from quantumd.api.http_basic.service import make_http_basic_service
from quantumd.api.http_basic.users import User, make_user
from quantumd.api.watched import LOOK_SECONDS
from quantumd.config import HttpBasicSettings
from quantumd.errors import EdgeUnavailable, SettingsError
from quantumd.model.context import Context
from tests.api.injected import injected
from tests.api.wire import REQUEST_ID, Wire

PEER = "192.0.2.1"
CACHE_SECONDS = 300.0
ALICE = make_user("alice", hash_password("swordfish", 4), "p1", ["member"])
ROOT = make_user("root", hash_password("toor", 4), "", ["admin"])
PER_USER, PER_PEER = 3, 5


def basic(name: str, password: str) -> str:
    """Return the value of the header."""
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


class Case(SynchronousTestCase):
    """An identity whose verifications happen when the test says so."""

    def setUp(self) -> None:
        """Two users."""
        self.clock = Clock()
        self.verifying: list[tuple[bytes, str, Deferred[bool]]] = []
        self.verified = 0
        self.identity = BasicIdentity(
            self.verify, b"k" * 32, self.clock.seconds, CACHE_SECONDS, Failures(PER_USER), Failures(PER_PEER)
        )
        self.know(ALICE, ROOT)

    def know(self, *users: User) -> None:
        """These are the users."""
        self.identity.know({user.name: user for user in users})

    def verify(self, password: bytes, password_hash: str) -> Deferred[bool]:
        """Verify later."""
        done: Deferred[bool] = Deferred()
        self.verifying.append((password, password_hash, done))
        return done

    def work(self) -> None:
        """Do what is to be verified."""
        while self.verifying:
            password, password_hash, done = self.verifying.pop(0)
            self.verified += 1
            done.callback(is_password_of(password, password_hash))

    def identify(self, name: str, password: str, peer: str = PEER) -> Any:
        """Ask who says this."""
        headers = Headers({"Authorization": [basic(name, password)]})
        return self.identity.identify(REQUEST_ID, headers, False, peer)

    def outcome(self, name: str, password: str, peer: str = PEER) -> Any:
        """Ask who says this and return the context or the error, after the work that it takes."""
        try:
            found = self.identify(name, password, peer)
        except (Unauthorized, TooManyAttempts, EdgeUnavailable) as error:
            return error
        if isinstance(found, Context):
            return found
        self.work()
        results: list[Any] = []
        found.addBoth(results.append)
        return getattr(results[0], "value", results[0])

    def kinds(self, *said: tuple[str, ...]) -> list[type]:
        """Ask several times and return the kinds of outcome."""
        return [type(self.outcome(*each)) for each in said]


class ContextTests(Case):
    """Who asks."""

    def test_the_file_says_who_asks(self) -> None:
        """User, project and roles are those of the line."""
        context = self.outcome("alice", "swordfish")
        self.assertEqual(context, Context(REQUEST_ID, user_id="alice", project_id="p1", roles=frozenset({"member"})))
        self.assertEqual(self.outcome("root", "toor").is_admin, True)

    def test_wrong_ones_are_nobody(self) -> None:
        """A wrong password, an unknown name, another's password."""
        for name, password in (("alice", "x"), ("bob", "swordfish"), ("root", "swordfish")):
            self.assertIsInstance(self.outcome(name, password), Unauthorized)

    def test_headers_that_say_who_it_is_are_not_looked_at(self) -> None:
        """Each, and all of them; alone they are nobody, also from the loopback."""
        plain = self.outcome("alice", "swordfish")
        right = {"Authorization": [basic("alice", "swordfish")]}
        for name, values in injected().items():
            said = Headers({**right, name: values})
            self.assertEqual(self.identity.identify(REQUEST_ID, said, True, "127.0.0.1"), plain, name)
        self.assertEqual(self.identity.identify(REQUEST_ID, Headers({**right, **injected()}), True, PEER), plain)
        self.assertRaises(Unauthorized, self.identity.identify, REQUEST_ID, Headers(injected()), True, "127.0.0.1")

    def test_a_web_page_is_nobody(self) -> None:
        """A browser adds the password that it remembers to whatever any page asks for, and says which page it was."""
        self.outcome("alice", "swordfish")
        for origin in ("https://evil.example", "null"):
            said = Headers({"Authorization": [basic("alice", "swordfish")], "Origin": [origin]})
            self.assertRaises(Unauthorized, self.identity.identify, REQUEST_ID, said, True, PEER)

    def test_two_headers_are_nobody(self) -> None:
        """What stands before us may have looked at the other one."""
        both = Headers({"Authorization": [basic("alice", "swordfish"), basic("root", "toor")]})
        self.assertRaises(Unauthorized, self.identity.identify, REQUEST_ID, both, False, PEER)

    def test_without_a_file_nobody_is_let_in(self) -> None:
        """Not even who was before."""
        self.outcome("alice", "swordfish")
        self.identity.know(None)
        self.assertIsInstance(self.outcome("alice", "swordfish"), EdgeUnavailable)


class MemoryTests(Case):
    """What is remembered."""

    def test_a_password_is_verified_once(self) -> None:
        """Then the context is there at once, no Deferred; each use makes it last."""
        self.outcome("alice", "swordfish")
        for _ in range(5):
            self.assertIsInstance(self.identify("alice", "swordfish"), Context)
            self.clock.advance(CACHE_SECONDS - 1)
        self.assertEqual(self.verified, 1)
        self.clock.advance(CACHE_SECONDS)
        self.outcome("alice", "swordfish")
        self.assertEqual(self.verified, 2)

    def test_requests_at_once_share_a_verification(self) -> None:
        """A client with many connections pays once."""
        found = [self.identify("alice", "swordfish") for _ in range(50)]
        self.work()
        self.assertEqual({self.successResultOf(each).user_id for each in found}, {"alice"})
        self.assertEqual(self.verified, 1)

    def test_a_changed_password_ends_the_old_one(self) -> None:
        """At once, whatever is remembered."""
        self.outcome("alice", "swordfish")
        self.know(make_user("alice", hash_password("new", 4), "p1", ["member"]))
        self.assertEqual(self.kinds(("alice", "swordfish"), ("alice", "new")), [Unauthorized, Context])

    def test_a_changed_role_counts_at_once(self) -> None:
        """Without another verification."""
        self.outcome("alice", "swordfish")
        self.know(make_user("alice", ALICE.password_hash, "p2", ["reader"]))
        context = self.outcome("alice", "swordfish")
        self.assertEqual((context.project_id, context.roles, self.verified), ("p2", frozenset({"reader"}), 1))

    def test_a_removed_user_is_nobody_at_once(self) -> None:
        """Also one whose password is being verified."""
        self.outcome("alice", "swordfish")
        found = self.identify("root", "toor")
        self.know()
        self.work()
        self.failureResultOf(found, Unauthorized)
        self.assertIsInstance(self.outcome("alice", "swordfish"), Unauthorized)

    def test_a_wrong_password_is_remembered_for_a_moment(self) -> None:
        """A client that tries it again and again costs nothing, and is not taken for one who guesses."""
        for _ in range(20):
            self.assertIsInstance(self.outcome("alice", "x"), Unauthorized)
        self.assertEqual(self.verified, 1)
        self.clock.advance(REFUSED_SECONDS)
        self.outcome("alice", "x")
        self.assertEqual(self.verified, 2)

    def test_memory_is_bounded(self) -> None:
        """What was used longest ago goes first."""
        remembered = Remembered(10.0)
        for number in range(REMEMBERED + 1):
            remembered.put(b"%d" % number, 0.0)
        self.assertEqual((remembered.has(b"0", 0.0), remembered.has(b"1", 0.0)), (False, True))

    def test_passwords_are_not_kept(self) -> None:
        """A look into our memory finds none, and no hash that could be tried without our key."""
        self.outcome("alice", "swordfish")
        self.outcome("alice", "wrongfish")
        self.assertNotIn("fish", repr(self.identity))
        self.assertNotIn(ALICE.password_hash, repr(self.identity))

    def test_a_caller_who_leaves_is_forgotten(self) -> None:
        """Nothing breaks, and the next one is served."""
        self.identify("alice", "swordfish").addErrback(lambda _: None).cancel()
        self.work()
        self.assertIsInstance(self.outcome("alice", "swordfish"), Context)


class GuessTests(Case):
    """Those who try passwords."""

    def test_a_user_can_be_tried_so_often(self) -> None:
        """From wherever; then even the right password is not looked at for a while, and who is known goes on."""
        self.outcome("root", "toor")
        guesses = [("root", f"x{number}", f"192.0.2.{number}") for number in range(PER_USER + 1)]
        self.assertEqual(self.kinds(*guesses), [Unauthorized] * PER_USER + [TooManyAttempts])
        self.assertEqual(self.kinds(("root", "toor")), [Context])
        self.assertEqual(self.verified, PER_USER + 1)
        self.clock.advance(WINDOW_SECONDS)
        self.assertEqual(self.kinds(("root", "y")), [Unauthorized])

    def test_unknown_users_are_no_different(self) -> None:
        """Neither in the limit nor in the work: who is there is not to be found out."""
        for name in ("root", "nobody"):
            guesses = [(name, f"x{number}", f"{name}{number}") for number in range(PER_USER + 1)]
            before = self.verified
            self.assertEqual(self.kinds(*guesses), [Unauthorized] * PER_USER + [TooManyAttempts])
            self.assertEqual(self.verified - before, PER_USER)

    def test_an_unknown_user_costs_as_much_as_the_dearest(self) -> None:
        """The hash that is verified in its place has the same cost."""
        self.know(ALICE, make_user("slow", hash_password("x", 5), "", []))
        self.identify("nobody", "x")
        self.assertEqual(self.verifying[0][1][:7], "$2b$05$")

    def test_an_address_can_try_so_often(self) -> None:
        """Whomever; others are not hindered."""
        guesses = [(f"u{number}", "x") for number in range(PER_PEER + 1)]
        self.assertEqual(self.kinds(*guesses), [Unauthorized] * PER_PEER + [TooManyAttempts])
        self.assertEqual(self.kinds(("alice", "swordfish", "192.0.2.2")), [Context])

    def test_many_at_once_are_no_way_around(self) -> None:
        """What is not verified yet counts as if it had failed."""
        found = [self.identify("root", f"x{number}", f"192.0.2.{number}") for number in range(PER_USER)]
        self.assertEqual(self.kinds(("root", "z", "192.0.2.99")), [TooManyAttempts])
        self.work()
        for each in found:
            self.failureResultOf(each, Unauthorized)

    def test_right_ones_are_not_counted(self) -> None:
        """However often they are verified."""
        for _ in range(PER_PEER * 2):
            self.assertIsInstance(self.outcome("alice", "swordfish"), Context)
            self.clock.advance(CACHE_SECONDS)

    def test_what_waits_is_bounded(self) -> None:
        """Of one address and of all; the rest gets 503, and who is known is served."""
        self.outcome("alice", "swordfish")
        self.identity = BasicIdentity(self.verify, b"k" * 32, self.clock.seconds, 10, Failures(99), Failures(99))
        self.know(ALICE)
        waiting = [self.identify(f"u{number}", "x") for number in range(WAITING_PER_PEER)]
        self.assertRaises(EdgeUnavailable, self.identify, "more", "x")
        waiting += [self.identify(f"v{number}", "x", f"peer{number}") for number in range(WAITING - WAITING_PER_PEER)]
        self.assertRaises(EdgeUnavailable, self.identify, "more", "x", "another")
        self.assertEqual(len(self.verifying), 1)
        self.work()
        for each in waiting:
            self.failureResultOf(each, Unauthorized)

    def test_what_is_counted_is_bounded(self) -> None:
        """However many addresses there are."""
        failures = Failures(1)
        for number in range(MOST_KEYS + 1):
            failures.add(str(number), 0.0)
        self.assertEqual(len(failures), MOST_KEYS)

    def test_an_address_is_known_by_its_network(self) -> None:
        """With IPv6 a caller has many."""
        self.assertEqual(peer_key("2001:db8::1"), peer_key("2001:db8::ffff:1"))
        self.assertNotEqual(peer_key("2001:db8::1"), peer_key("2001:db8:0:1::1"))
        self.assertEqual(peer_key("::ffff:192.0.2.1"), peer_key("192.0.2.1"))
        self.assertEqual((peer_key(""), peer_key("fe80::1%eth0")), ("", "fe80::/64"))


class WireTests(Case):
    """What a caller is answered."""

    def status(self, **headers: str) -> Any:
        """Ask for a list."""
        wire = Wire(identify=self.identity.identify)
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return wire.request("GET", "/v2.0/widgets", headers=said)

    def test_nobody_is_401_with_a_challenge(self) -> None:
        """So that clients ask for a password."""
        reply = self.status(X_Roles="admin")
        self.assertEqual((reply.status, reply.headers["www-authenticate"]), (401, CHALLENGE))

    def test_too_many_attempts_are_429(self) -> None:
        """With the time after which it goes on."""
        for number in range(PER_USER):
            self.outcome("root", str(number))
        reply = self.status(Authorization=basic("root", "toor"))
        self.assertEqual((reply.status, reply.headers["retry-after"]), (429, "60"))

    def test_a_known_user_is_served(self) -> None:
        """With its password."""
        self.outcome("alice", "swordfish")
        self.assertEqual(self.status(Authorization=basic("alice", "swordfish")).status, 200)


class ServiceTests(SynchronousTestCase):
    """The file changes while the daemon runs."""

    def setUp(self) -> None:
        """A file, and a service whose threads are done at once."""
        self.path = Path(self.mktemp())
        self.clock = Clock()
        self.calls = 0
        self.put("swordfish")
        self.service = make_http_basic_service(HttpBasicSettings(str(self.path)), self.clock, self.in_thread)
        self.service.startService()
        self.addCleanup(self.service.stopService)

    def in_thread(self, work: Any, *arguments: Any) -> Deferred[Any]:
        """Call at once."""
        done: Deferred[Any] = Deferred()
        done.callback(work(*arguments))
        return done

    def put(self, password: str) -> None:
        """Write the file."""
        self.path.touch(mode=0o600)
        self.path.write_text(f"alice:{hash_password(password, 4)}:p1:member\n")

    def is_alice(self, password: str) -> bool:
        """Whether this is Alice's password."""
        headers = Headers({"Authorization": [basic("alice", password)]})
        try:
            found = self.service.identity.identify(REQUEST_ID, headers, False, PEER)
        except Unauthorized:
            return False
        results: list[Any] = [found] if isinstance(found, Context) else []
        if isinstance(found, Deferred):
            found.addBoth(results.append)
        return isinstance(results[0], Context)

    def test_a_change_counts_within_a_second(self) -> None:
        """No restart."""
        self.assertTrue(self.is_alice("swordfish"))
        self.put("new")
        self.clock.advance(LOOK_SECONDS)
        self.assertEqual((self.is_alice("swordfish"), self.is_alice("new")), (False, True))

    def test_a_file_that_cannot_be_used_lets_nobody_in(self) -> None:
        """Whether others may read it, or it is gone or nonsense; the next good one counts."""
        for spoil in (
            lambda: self.path.chmod(0o644),
            lambda: self.path.write_text("nonsense\n"),
            lambda: self.path.unlink(),
        ):
            spoil()
            self.clock.advance(LOOK_SECONDS)
            self.assertRaises(EdgeUnavailable, self.is_alice, "swordfish")
            self.path.unlink(missing_ok=True)
            self.put("swordfish")
            self.clock.advance(LOOK_SECONDS)
            self.assertTrue(self.is_alice("swordfish"))

    def test_it_has_to_be_good_at_the_start(self) -> None:
        """Else the start is refused."""
        self.path.chmod(0o604)
        self.assertRaises(SettingsError, make_http_basic_service, HttpBasicSettings(str(self.path)), self.clock)

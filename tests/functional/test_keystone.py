"""A real Keystone: whom tokens stand for, and real clients of two projects."""

from __future__ import annotations

import tempfile
import time
import unittest
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.server import Site

from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.tokens import KeystoneTokens
from quantumd.edge.certificates import read_trust
from quantumd.edge.http.exchange import make_exchange
from quantumd.errors import EdgeUnavailable
from tests.api.keystone.case import credentials_of
from tests.bed.appliance import Appliance
from tests.bed.certificates import make_certificate
from tests.bed.keystone import Keystone, User, missing_keystone, the_keystone
from tests.bed.keystone_memory import KeystoneResource, MemoryKeystone
from tests.bed.openstack_client import ClientError, OpenStackClient, missing_client
from tests.contracts.tokens import TokensContract

TIMEOUT_SECONDS = 30.0
AT_ONCE = 16
TOKEN_SECONDS = 6


class RealTokensTests(TokensContract, TestCase):
    """Keystone itself does as the contract says."""

    skip = missing_keystone()

    def setUp(self) -> None:
        """A service user."""
        self.keystone = the_keystone()
        self.service = self.keystone.make_user("service")
        self.tokens = self.tokens_of(self.service)

    def tokens_of(self, user: User) -> KeystoneTokens:
        """Return tokens asked for by another user."""
        exchange = make_exchange(twisted_reactor, self.keystone.url, TIMEOUT_SECONDS, AT_ONCE)
        tokens = KeystoneTokens(exchange, credentials_of(user), twisted_reactor, time.time, TIMEOUT_SECONDS, AT_ONCE)
        self.addCleanup(tokens.close)
        return tokens

    async def ask(self, token: str, tokens: Any = None, allow_expired: bool = False) -> Caller | None:
        """Validate a token."""
        caller: Caller | None = await (tokens or self.tokens).validate(token.encode(), allow_expired)
        return caller

    async def test_our_own_token_may_be_revoked(self) -> None:
        """Another one is asked for, and the caller does not notice."""
        user = self.keystone.make_user("member")
        await self.validated(self.keystone.token(user))
        own = self.tokens._own
        self.assertIsNotNone(own)
        self.keystone.revoke_token(getattr(own, "token", b"").decode())
        await self.validated(self.keystone.token(user))


class TlsTests(TestCase):
    """Keystone behind https, which is how most have it."""

    def setUp(self) -> None:
        """A server with a certificate that signs itself."""
        self.keystone = MemoryKeystone(Clock())
        self.keystone.clock.advance(time.time())
        certificate, key = make_certificate("127.0.0.1")
        self.ca_file = Path(self.mktemp())
        self.ca_file.write_bytes(b"Some words.\n" + certificate + b"Others.\n")
        site = Site(KeystoneResource(self.keystone.answer))
        options = PrivateCertificate.loadPEM(certificate + key).options()
        reactor: Any = twisted_reactor
        self.port = reactor.listenSSL(0, site, options, interface="127.0.0.1")
        self.addCleanup(self.port.stopListening)
        self.addCleanup(lambda: deferLater(reactor, 0.05))

    def ask(self, ca_file: str) -> Deferred[Caller | None]:
        """Validate a token, Keystone being checked by the certificates of a file."""
        url = f"https://127.0.0.1:{self.port.getHost().port}/v3"
        exchange = make_exchange(
            twisted_reactor, url, TIMEOUT_SECONDS, AT_ONCE, trust=read_trust(ca_file, "keystone.ca_file")
        )
        service = credentials_of(self.keystone.make_user("service"))
        tokens = KeystoneTokens(exchange, service, twisted_reactor, time.time, TIMEOUT_SECONDS, AT_ONCE)
        self.addCleanup(tokens.close)
        return tokens.validate(self.keystone.token(self.keystone.make_user("member")).encode())

    async def test_a_known_certificate_is_trusted(self) -> None:
        """The one that the setting names."""
        self.assertIsNotNone(await self.ask(str(self.ca_file)))

    async def test_an_unknown_one_is_not(self) -> None:
        """Neither our password nor any token is sent there."""
        await self.assertFailure(self.ask(""), EdgeUnavailable)
        self.assertEqual(self.keystone.asked, [])


def start(cleanup: Callable[..., Any], keystone: Keystone, **settings: str) -> Appliance:
    """Start a quantumd that asks the Keystone; ``cleanup`` is told what ends it."""
    folder = tempfile.TemporaryDirectory(prefix="quantumd-keystone-", ignore_cleanup_errors=True)
    cleanup(folder.cleanup)
    home = Path(folder.name)
    service = keystone.make_user("service")
    asked = keystone.settings(service, home / "password")
    more = {f"keystone.{name}": value for name, value in settings.items()}
    appliance = Appliance(home, settings={**asked, **more})
    cleanup(appliance.close)
    appliance.start("/healthz")
    return appliance


class BedTests(SynchronousTestCase):
    """The Keystone that tests start."""

    skip = missing_keystone()

    def test_it_does_what_many_ask_at_once(self) -> None:
        """None finds another's lock on its SQLite: a client's suite would fail by an error that is not ours."""
        keystone = the_keystone()

        def come_and_go(_: int) -> None:
            for _ in range(4):
                user = keystone.make_user("member")
                keystone.revoke_token(keystone.token(user))
                keystone.delete_user(user)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(come_and_go, range(8)))


class ServerTests(SynchronousTestCase):
    """What callers with tokens get, and what they never see."""

    skip = missing_keystone()

    def test_a_token_opens_the_door(self) -> None:
        """Without one, and with a wrong one, it is shut."""
        keystone = the_keystone()
        appliance = start(self.addCleanup, keystone)
        token = keystone.token(keystone.make_user("member"))
        statuses = [
            appliance.request("GET", "/v2.0/networks", headers=headers).status
            for headers in ({}, {"X-Auth-Token": "bogus"}, {"X-Auth-Token": token}, {"X-Auth-Token": token})
        ]
        self.assertEqual(statuses, [401, 401, 200, 200])

    def test_a_revoked_token_opens_it_no_longer(self) -> None:
        """At once where nothing is remembered."""
        keystone = the_keystone()
        appliance = start(self.addCleanup, keystone, token_cache_seconds="0")
        token = keystone.token(keystone.make_user("member"))
        self.assertEqual(appliance.request("GET", "/v2.0/networks", headers={"X-Auth-Token": token}).status, 200)
        keystone.revoke_token(token)
        self.assertEqual(appliance.request("GET", "/v2.0/networks", headers={"X-Auth-Token": token}).status, 401)

    def test_a_token_with_access_rules_is_not_valid(self) -> None:
        """The rules are not looked at here, so nobody is let in by one."""
        keystone = the_keystone()
        appliance = start(self.addCleanup, keystone)
        token = keystone.restricted_token(keystone.make_user("member"), "GET", "/v2.0/networks")
        headers = {"X-Auth-Token": token}
        self.assertEqual(appliance.request("GET", "/v2.0/networks", headers=headers).status, 401)

    def test_secrets_are_told_to_nobody(self) -> None:
        """Password and tokens are in no log and in no command line."""
        keystone = the_keystone()
        appliance = start(self.addCleanup, keystone)
        token = keystone.token(keystone.make_user("member"))
        appliance.request("GET", "/v2.0/networks", headers={"X-Auth-Token": token})
        password = (appliance.directory / "password").read_text().strip()
        seen = appliance.log() + Path(f"/proc/{appliance.pid}/cmdline").read_text()
        self.assertNotIn(password, seen)
        self.assertNotIn(token, seen)

    def test_no_keystone_is_503(self) -> None:
        """With a time to come back; health needs no Keystone."""
        appliance = start(self.addCleanup, the_keystone(), auth_url="http://127.0.0.1:9/v3")
        answer = appliance.request("GET", "/v2.0/networks", headers={"X-Auth-Token": "t"})
        self.assertEqual((answer.status, "Retry-After" in answer.headers), (503, True))
        self.assertEqual(appliance.request("GET", "/healthz").status, 200)

    def test_a_wrong_password_is_503(self) -> None:
        """It is our fault, not the caller's; the log says whose."""
        keystone = the_keystone()
        appliance = start(self.addCleanup, keystone, user="nobody-of-this-name")
        token = keystone.token(keystone.make_user("member"))
        self.assertEqual(appliance.request("GET", "/v2.0/networks", headers={"X-Auth-Token": token}).status, 503)
        self.assertIn("refuses quantumd's own user", appliance.log())


class ServiceTokenTests(SynchronousTestCase):
    """A Keystone whose tokens end soon, and a service that goes on with a user's request after that."""

    skip = missing_keystone()

    def setUp(self) -> None:
        """A Keystone of its own, and a quantumd."""
        self.keystone = Keystone(token_seconds=TOKEN_SECONDS)
        self.addCleanup(self.keystone.close)
        self.keystone.start()
        self.appliance = start(self.addCleanup, self.keystone, token_cache_seconds="1")

    def status(self, token: str, service: User | None = None) -> int:
        """Ask with a token, and a new one of a service."""
        more = {"X-Service-Token": self.keystone.token(service)} if service else {}
        headers = {"X-Auth-Token": token, **more}
        return self.appliance.request("GET", "/v2.0/networks", headers=headers).status

    def test_a_token_that_has_ended_counts_with_a_service_token(self) -> None:
        """Alone it is worth nothing, and with a member's token neither; revoked it is worth nothing at all."""
        user, service = self.keystone.make_user("member"), self.keystone.make_user("service")
        began = time.monotonic()
        token, revoked = self.keystone.token(user), self.keystone.token(user)
        self.assertEqual((self.status(token), self.status(revoked)), (200, 200))
        self.keystone.revoke_token(revoked)
        while self.status(token) == 200:
            self.assertLess(time.monotonic() - began, TOKEN_SECONDS + 5)
            time.sleep(0.2)
        found = [self.status(token, who) for who in (None, service, user)]
        self.assertEqual((found, self.status(revoked, service)), ([401, 200, 401], 401))


class ProjectsTests(SynchronousTestCase):
    """The ``openstack`` client, logged in as users of two projects and as an admin."""

    skip = missing_keystone() or missing_client()
    appliance: ClassVar[Appliance]
    alice: ClassVar[OpenStackClient]
    bob: ClassVar[OpenStackClient]
    admin: ClassVar[OpenStackClient]
    projects: ClassVar[tuple[str, str]]

    @classmethod
    def setUpClass(cls) -> None:
        """Start quantumd and a client for each."""
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        keystone = the_keystone()
        cls.appliance = start(cls.addClassCleanup, keystone)
        region = f"region-{uuid.uuid4().hex[:8]}"
        keystone.publish(cls.appliance.url, region)
        users = (keystone.make_user("member"), keystone.make_user("member"), keystone.admin)
        cls.alice, cls.bob, cls.admin = (OpenStackClient("", keystone.login(user, region)) for user in users)
        cls.projects = (users[0].project.id, users[1].project.id) if users[0].project and users[1].project else ("", "")
        for client in (cls.alice, cls.bob, cls.admin):
            client.start()
            cls.addClassCleanup(client.close)

    def setUp(self) -> None:
        """A name of its own."""
        self.name = f"net-{uuid.uuid4().hex[:8]}"

    def make(self, openstack: OpenStackClient) -> tuple[Any, Any, Any]:
        """Create a network, a subnet and a port."""
        network = openstack("network", "create", self.name)
        subnet = openstack("subnet", "create", "--network", network["id"], "--subnet-range", "10.0.0.0/24", self.name)
        port = openstack("port", "create", "--network", network["id"], self.name)
        return network, subnet, port

    def names(self, openstack: OpenStackClient, kind: str) -> list[str]:
        """List what of this test's name a user sees."""
        return [each["ID"] for each in openstack(kind, "list") if each["Name"] == self.name]

    def test_what_is_made_is_the_projects(self) -> None:
        """Network, subnet and port belong to the project of the token."""
        for client, project in zip((self.alice, self.bob), self.projects, strict=True):
            self.assertEqual([made["project_id"] for made in self.make(client)], [project] * 3)

    def test_each_project_sees_its_own(self) -> None:
        """Under the same name there are two of each, and each user sees one; the admin sees both."""
        hers, his = self.make(self.alice), self.make(self.bob)
        for kind, one, other in zip(("network", "subnet", "port"), hers, his, strict=True):
            self.assertEqual(self.names(self.alice, kind), [one["id"]])
            self.assertEqual(self.names(self.bob, kind), [other["id"]])
            self.assertEqual(set(self.names(self.admin, kind)), {one["id"], other["id"]})

    def test_what_is_not_seen_is_not_touched(self) -> None:
        """To the other project it does not exist."""
        for kind, made in zip(("network", "subnet", "port"), self.make(self.alice), strict=True):
            said = self.bob.say(kind, "delete", made["id"])
            self.assertEqual(said.status, 1)
            self.assertIn("No", said.error)
            self.assertEqual(self.names(self.alice, kind), [made["id"]])

    def test_an_admin_makes_it_for_a_project(self) -> None:
        """The project finds it as its own."""
        network = self.admin("network", "create", "--project", self.projects[0], self.name)
        self.assertEqual(self.names(self.alice, "network"), [network["id"]])
        self.assertEqual(self.names(self.bob, "network"), [])

    def test_nobody_makes_it_for_another_project(self) -> None:
        """That is for admins, and the client says so."""
        with self.assertRaises(ClientError) as refused:
            self.alice("network", "create", "--project", self.projects[1], self.name)
        self.assertIn("policy", str(refused.exception))

    def test_a_shared_network_is_for_all(self) -> None:
        """The other project puts a port on it."""
        network = self.admin("network", "create", "--share", self.name)
        self.admin("subnet", "create", "--network", network["id"], "--subnet-range", "10.9.0.0/24", self.name)
        port = self.bob("port", "create", "--network", network["id"], self.name)
        self.assertEqual(port["project_id"], self.projects[1])

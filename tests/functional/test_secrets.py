"""Passwords, tokens and what is made of them are in no log: a run at level debug through every mode, with failures."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance, ApplianceError
from tests.bed.echoing_keystone import WAYS, EchoingKeystone
from tests.bed.identity import Account, TlsFiles, add_account, basic_appliance, run_user_command
from tests.bed.keystone import missing_keystone, the_keystone

DEBUG = {"log.level": "debug"}
PATHS = ("/v2.0/networks", "/v2.0/networks/nope", "/v2.0/nope", "/v2.0/journal")


class Case(SynchronousTestCase):
    """What callers and quantumd itself show each other stays between them."""

    def setUp(self) -> None:
        """A directory, and secrets that nothing else looks like."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-secrets-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.secrets: set[str] = set()

    def secret(self, name: str) -> str:
        """Return a secret; it will be looked for."""
        return self.note(f"zq{name}-5ECRET:7{name[::-1]}xk")

    def note(self, text: str) -> str:
        """Look for a secret, and for its beginning: a log may cut what is long."""
        self.secrets |= {text, text[:24], quote(text, safe=""), b64encode(text.encode()).decode().rstrip("=")[:24]}
        return text

    def run_appliance(self, name: str, **settings: str) -> Appliance:
        """Start an appliance that says everything."""
        dotted = {key.replace("__", "."): text for key, text in settings.items()}
        appliance = Appliance(self.home / name, settings={**DEBUG, **dotted})
        self.addCleanup(appliance.close)
        appliance.start("/healthz")
        return appliance

    def run_appliance_over_tls(self, files: TlsFiles) -> Appliance:
        """Start an appliance that says everything, over TLS."""
        settings = {**DEBUG, "api.listen": files.listen()}
        appliance = Appliance(self.home / "tls-none", settings=settings, tls=files.context())
        self.addCleanup(appliance.close)
        appliance.start("/healthz")
        return appliance

    def ask(self, appliance: Appliance, headers: dict[str, str]) -> set[int]:
        """Ask for this and that, with a secret in query and body; return the statuses."""
        more = self.secret("query")
        statuses = {appliance.request("GET", path, headers=headers).status for path in PATHS}
        statuses.add(appliance.request("GET", f"/v2.0/networks?name={quote(more)}", headers=headers).status)
        for body in ({"network": {"password": more}}, {"network": {"name": [more]}}, [more]):
            statuses.add(appliance.request("POST", "/v2.0/networks", body, headers).status)
        return statuses

    def look(self, *appliances: Appliance) -> None:
        """Nothing that is secret is in a log or a command line; that there is a log is looked at, too."""
        for appliance in appliances:
            command = Path(f"/proc/{appliance.pid}/cmdline").read_text() if appliance.is_running else ""
            seen = appliance.log() + command
            self.assertIn("debug", seen)
            self.assertIn("answered", seen)
            found = sorted(secret for secret in self.secrets if secret in seen)
            self.assertEqual(found, [], appliance.directory.name)


class SecretsTests(Case):
    """Without a Keystone, and with something in its place."""

    def test_without_authentication(self) -> None:
        """What callers send that is for others, over TLS and without."""
        files = TlsFiles(self.home / "tls")
        appliance = self.run_appliance("none")
        headers = {"X-Auth-Token": self.secret("stray"), "Authorization": f"Basic {self.secret('basic')}"}
        self.assertIn(200, self.ask(appliance, headers))
        encrypted = self.run_appliance_over_tls(files)
        self.assertIn(200, self.ask(encrypted, headers))
        self.note((files.directory / "server-key.pem").read_text().splitlines()[1])
        encrypted.tls = None
        self.assertRaises((OSError, HTTPException), encrypted.request, "GET", "/healthz", None, headers)
        (files.directory / "server-key.pem").write_text(self.secret("nokey"))
        encrypted.tls = files.context()
        while "stays the old one" not in encrypted.log():
            encrypted.request("GET", "/healthz")
        self.look(appliance, encrypted)

    def test_names_and_passwords(self) -> None:
        """Right ones, wrong ones, too many, broken headers, and a file that turns bad."""
        users = self.home / "users"
        alice = add_account(users, "alice", self.secret("alice"), "blue", "member")
        self.note(users.read_text().split(":")[1])
        appliance = basic_appliance(self.home / "basic", users, {**DEBUG, "http_basic.failures_per_user": "2"})
        self.addCleanup(appliance.close)
        appliance.start("/healthz")
        self.note(alice.header["Authorization"])
        self.assertIn(200, self.ask(appliance, alice.header))
        for number in range(4):
            wrong = Account("alice", self.secret(f"wrong{number}"))
            self.note(wrong.header["Authorization"])
            last = self.ask(appliance, wrong.header)
        self.assertEqual(last, {429})
        for broken in ("Basic", f"Basic {self.secret('broken')}", f"Bearer {self.secret('bearer')}", "Basic !!!"):
            self.assertEqual(self.ask(appliance, {"Authorization": broken}), {401})
        run_user_command(users, "passwd", "alice", typed=self.secret("next") + "\n")
        self.note(users.read_text().split(":")[1])
        users.write_text(f"alice:{self.secret('plain')}\n")
        while "nobody is let in" not in appliance.log():
            appliance.request("GET", "/healthz")
        self.assertEqual(self.ask(appliance, alice.header), {503})
        self.look(appliance)

    def test_a_start_that_fails(self) -> None:
        """Says what is wrong, and not with what."""
        users = self.home / "users"
        users.touch(mode=0o600)
        users.write_text(f"alice:{self.secret('plain')}\n")
        appliance = basic_appliance(self.home / "basic", users, DEBUG)
        self.addCleanup(appliance.close)
        appliance.launch()
        self.assertRaises(ApplianceError, appliance.await_answer, "/healthz")
        self.assertIn("line 1", appliance.log())
        self.assertEqual([secret for secret in self.secrets if secret in appliance.log()], [])

    def test_tokens_of_a_keystone_that_repeats_them(self) -> None:
        """Whatever its answer looks like: what it says is not believed, and not written down."""
        password = self.home / "password"
        password.touch(mode=0o600)
        password.write_text(self.secret("service"))
        with EchoingKeystone(self.secret("own")).running() as keystone:
            appliance = self.run_appliance(
                "echo", api__auth="keystone", keystone__auth_url=keystone.url,
                keystone__password_file=str(password), keystone__timeout_seconds="2",
            )  # fmt: skip
            for way in WAYS:
                keystone.go(way)
                headers = {"X-Auth-Token": self.secret(way), "X-Service-Token": self.secret(f"service{way}")}
                self.assertLessEqual(self.ask(appliance, headers), {401, 503}, way)
        self.assertEqual(self.ask(appliance, {"X-Auth-Token": self.secret("away")}), {503})
        self.look(appliance)


class KeystoneSecretsTests(Case):
    """With tokens of a real Keystone."""

    skip = missing_keystone()

    def test_tokens(self) -> None:
        """Good ones, bad ones, revoked ones, those of services, and a password of ours that is wrong."""
        keystone = the_keystone()
        user, service = keystone.make_user("member"), keystone.make_user("service")
        asked = keystone.settings(service, self.home / "password")
        named = {name.replace(".", "__"): text for name, text in asked.items()}
        right = self.run_appliance("right", **named, keystone__token_cache_seconds="0")
        wrong_file = self.home / "wrong"
        wrong_file.touch(mode=0o600)
        wrong_file.write_text(self.secret("wrong"))
        wrong = self.run_appliance("wrong-password", **{**named, "keystone__password_file": str(wrong_file)})
        token, service_token = self.note(keystone.token(user)), self.note(keystone.token(service))
        self.note(service.password)
        self.assertIn(200, self.ask(right, {"X-Auth-Token": token}))
        self.assertIn(200, self.ask(right, {"X-Auth-Token": token, "X-Service-Token": service_token}))
        self.assertEqual(self.ask(right, {"X-Auth-Token": token, "X-Service-Token": token}), {401})
        self.assertEqual(self.ask(right, {"X-Auth-Token": self.secret("bad")}), {401})
        self.assertEqual(self.ask(wrong, {"X-Auth-Token": token}), {503})
        keystone.revoke_token(token)
        self.assertEqual(self.ask(right, {"X-Auth-Token": token}), {401})
        self.look(right, wrong)

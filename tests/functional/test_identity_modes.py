"""Every mode of identity, over plain HTTP and over TLS with clients' certificates, with unmodified clients."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import tempfile
import time
import unittest
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from cryptography import x509
from cryptography.x509.oid import NameOID
from twisted.trial.unittest import SynchronousTestCase

from quantumd.ctl.main import main
from tests.bed.appliance import Appliance
from tests.bed.identity import Account, TlsFiles, add_account, basic_appliance, run_user_command
from tests.bed.keystone import missing_keystone, the_keystone
from tests.bed.openstack_client import OpenStackClient, missing_client

PATIENCE_SECONDS = 10.0


def directory(cleanup: Callable[..., Any]) -> Path:
    """Return a directory for a while."""
    folder = tempfile.TemporaryDirectory(prefix="quantumd-identity-", ignore_cleanup_errors=True)
    cleanup(folder.cleanup)
    return Path(folder.name)


def until(is_so: Callable[[], bool]) -> bool:
    """Wait until something is so, for a while; return whether it is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


class BasicTests(SynchronousTestCase):
    """Names and passwords: the ``openstack`` client as two users, and as one who knows no password."""

    skip = missing_client()
    users: ClassVar[Path]
    appliance: ClassVar[Appliance]
    alice: ClassVar[Account]
    bob: ClassVar[Account]

    @classmethod
    def setUpClass(cls) -> None:
        """Add users as an operator does, and start quantumd."""
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        home = directory(cls.addClassCleanup)
        cls.users = home / "users"
        cls.alice = add_account(cls.users, "alice", "s3cret: ü", "blue", "member")
        cls.bob = add_account(cls.users, "bob", "other", "green", "member")
        cls.appliance = basic_appliance(home / "quantumd", cls.users)
        cls.addClassCleanup(lambda: cls.appliance.close())
        cls.appliance.start("/healthz")

    def client(self, account: Account) -> OpenStackClient:
        """Start a client of a user."""
        openstack = OpenStackClient(self.appliance.url, account.login(self.appliance.url))
        openstack.start()
        self.addCleanup(openstack.close)
        return openstack

    def status(self, account: Account) -> int:
        """Ask as a user."""
        return self.appliance.request("GET", "/v2.0/networks", headers=account.header).status

    def test_what_is_made_is_the_users_projects(self) -> None:
        """And the other user does not see it."""
        alice, bob = self.client(self.alice), self.client(self.bob)
        made = alice("network", "create", f"net-{uuid.uuid4().hex[:8]}")
        self.assertEqual(made["project_id"], "blue")
        self.assertIn(made["id"], [each["ID"] for each in alice("network", "list")])
        self.assertNotIn(made["id"], [each["ID"] for each in bob("network", "list")])

    def test_a_wrong_password_is_said(self) -> None:
        """By the client itself."""
        said = self.client(Account("alice", "wrong")).say("network", "list")
        self.assertEqual((said.status, "401" in said.error), (1, True), said.error)

    def test_the_program_itself_logs_in(self) -> None:
        """As it is typed."""
        openstack = OpenStackClient(self.appliance.url, self.bob.login(self.appliance.url))
        said = openstack.run_program("network", "list", "-f", "json")
        self.assertEqual((said.status, json.loads(said.output or "null")), (0, []), said.error)

    def test_changes_count_without_a_restart(self) -> None:
        """A user is added, gets another password, and is removed."""
        carol = add_account(self.users, "carol", "one", "red", "reader")
        self.assertTrue(until(lambda: self.status(carol) == 200))
        run_user_command(self.users, "passwd", "carol", typed="two\n")
        self.assertTrue(until(lambda: self.status(carol) == 401))
        self.assertEqual(self.status(Account("carol", "two")), 200)
        run_user_command(self.users, "remove", "carol")
        self.assertTrue(until(lambda: self.status(Account("carol", "two")) == 401))

    def test_the_reactor_does_not_wait_for_passwords(self) -> None:
        """While one is verified, known callers are answered."""
        self.status(self.alice)
        before = self.appliance.metrics()["quantumd_reactor_stalls_total"]
        for number in range(3):
            self.status(Account(f"guess-{number}", "x"))
        self.assertEqual(self.appliance.metrics()["quantumd_reactor_stalls_total"], before)


class ClearTests(SynchronousTestCase):
    """Names and passwords without TLS."""

    def test_it_is_said_in_the_log(self) -> None:
        """Where other machines may call."""
        home = directory(self.addCleanup)
        add_account(home / "users", "alice", "swordfish", "blue", "member")
        appliance = basic_appliance(home / "quantumd", home / "users", {"api.listen": "tcp:0"})
        self.addCleanup(appliance.close)
        appliance.start("/healthz")
        self.assertIn("passwords travel in the clear", appliance.log())


class NoneTests(SynchronousTestCase):
    """Without authentication: only where it is meant."""

    def test_a_start_with_an_open_door_is_refused(self) -> None:
        """Unless the setting says that everybody is to be admin."""
        home = directory(self.addCleanup)
        refused = Appliance(home / "a", passes_socket=False, host="0.0.0.0")
        self.addCleanup(refused.close)
        refused.launch()
        self.assertTrue(until(lambda: not refused.is_running))
        self.assertIn("everybody who reaches it would be admin", refused.log())
        meant = {"api.none_is_admin_for_everybody": "true"}
        opened = Appliance(home / "b", settings=meant, passes_socket=False, host="0.0.0.0")
        self.addCleanup(opened.close)
        opened.start()
        self.assertIn("everybody who reaches the API is admin", opened.log())


class TlsTests(SynchronousTestCase):
    """TLS on the listening endpoint."""

    def serve(self, asks_clients: bool = True, passes_socket: bool = True) -> Appliance:
        """Start quantumd without authentication, over TLS."""
        home = directory(self.addCleanup)
        self.files = TlsFiles(home / "tls")
        tls = self.files.context(asks_clients)
        appliance = Appliance(home / "quantumd", tls=tls, passes_socket=passes_socket)
        appliance.settings = {"api.listen": self.files.listen(appliance.port, asks_clients)}
        self.addCleanup(appliance.close)
        appliance.start()
        return appliance

    def served(self, appliance: Appliance) -> str:
        """Return the name in the certificate that a new connection is shown."""
        with self.connected(appliance, self.files.context()) as connection:
            shown = x509.load_der_x509_certificate(connection.getpeercert(True) or b"")
        return str(shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    def connected(self, appliance: Appliance, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Connect."""
        plain = socket.create_connection((appliance.host, appliance.port), timeout=PATIENCE_SECONDS)
        return context.wrap_socket(plain, server_hostname=appliance.host)

    def test_links_are_https(self) -> None:
        """As the caller came."""
        appliance = self.serve(asks_clients=False)
        for _ in range(2):
            appliance.create("network")
        page = appliance.request("GET", "/v2.0/networks?limit=1").body
        versions = appliance.request("GET", "/").body["versions"]
        links = [page["networks_links"][0]["href"], versions[0]["links"][0]["href"]]
        self.assertEqual([link.startswith(f"{appliance.url}/") for link in links], [True, True])

    def test_it_listens_for_itself_too(self) -> None:
        """Without a passed socket."""
        appliance = self.serve(passes_socket=False)
        self.assertEqual(appliance.request("GET", "/healthz").status, 200)

    def test_nothing_is_told_without_tls(self) -> None:
        """A passed socket is no way around it."""
        appliance = self.serve(asks_clients=False)
        connection = http.client.HTTPConnection(appliance.host, appliance.port, timeout=PATIENCE_SECONDS)
        self.addCleanup(connection.close)
        connection.request("GET", "/healthz")
        self.assertRaises((http.client.HTTPException, OSError), connection.getresponse)

    def test_a_client_without_a_certificate_is_told_nothing(self) -> None:
        """Neither is one whose certificate is signed by another."""
        appliance = self.serve()
        strangers = TlsFiles(self.files.directory / "strangers")
        stranger = self.files.context(shows_certificate=False)
        stranger.load_cert_chain(strangers.directory / "client.pem", strangers.directory / "client-key.pem")
        for context in (self.files.context(shows_certificate=False), stranger):
            appliance.tls = context
            self.assertRaises((ssl.SSLError, OSError, http.client.HTTPException), appliance.request, "GET", "/healthz")

    def test_old_versions_are_refused(self) -> None:
        """1.2 and 1.3 are spoken."""
        appliance = self.serve()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.files.context()
            context.minimum_version = context.maximum_version = version
            self.connected(appliance, context).close()
        old = self.files.context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        self.assertRaises(OSError, self.connected, appliance, old)

    def test_a_refusal_arrives_before_the_body_is_read(self) -> None:
        """As without TLS: the answer is not lost when more is sent than is read."""
        appliance = self.serve()
        with self.connected(appliance, self.files.context()) as connection:
            connection.sendall(b"POST /v2.0/networks HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
            connection.sendall(b"x" * 300_000)
            self.assertEqual(connection.recv(65_536)[:12], b"HTTP/1.1 413")

    def test_a_new_certificate_counts_without_a_restart(self) -> None:
        """A bad one does not; what was before goes on."""
        appliance = self.serve()
        self.assertEqual(self.served(appliance), "server")
        self.files.renew("renewed")
        self.assertTrue(until(lambda: self.served(appliance) == "renewed"))
        (self.files.directory / "server.pem").write_text("nonsense")
        self.assertTrue(until(lambda: "the certificate stays the old one" in appliance.log()))
        self.assertEqual(self.served(appliance), "renewed")

    def test_quantumctl_asks_over_tls(self) -> None:
        """It knows the certificate by the settings, whoever has signed it."""
        appliance = self.serve(asks_clients=False)
        listen = self.files.listen(appliance.port, asks_clients=False)
        self.assertTrue(until(lambda: main(("--set", f"api.listen={listen}", "status")) == 0))


class TlsClientTests(SynchronousTestCase):
    """The ``openstack`` client with a certificate of its own, in every mode."""

    skip = missing_client() or missing_keystone()

    def setUp(self) -> None:
        """Certificates."""
        self.home = directory(self.addCleanup)
        self.files = TlsFiles(self.home / "tls")

    def serve(self, **settings: str) -> Appliance:
        """Start quantumd."""
        dotted = {name.replace("__", "."): text for name, text in settings.items()}
        said = {**dotted, "api.listen": self.files.listen()}
        appliance = Appliance(self.home / "quantumd", settings=said, tls=self.files.context())
        self.addCleanup(appliance.close)
        appliance.start("/healthz")
        return appliance

    def walk(self, login: dict[str, str]) -> Any:
        """Create, list and delete a network as the client; return it as it was created."""
        openstack = OpenStackClient("", {**login, **self.files.environment()})
        openstack.start()
        self.addCleanup(openstack.close)
        made = openstack("network", "create", f"net-{uuid.uuid4().hex[:8]}")
        self.assertIn(made["id"], [each["ID"] for each in openstack("network", "list")])
        openstack("network", "delete", made["id"])
        return made

    def test_none(self) -> None:
        """Whoever has a certificate is admin."""
        self.walk({"OS_AUTH_TYPE": "none", "OS_ENDPOINT": self.serve().url})

    def test_http_basic(self) -> None:
        """The certificate says that it may ask, the password who it is."""
        users = self.home / "users"
        alice = add_account(users, "alice", "swordfish", "blue", "member")
        appliance = self.serve(api__auth="http_basic", http_basic__user_file=str(users))
        self.assertEqual(self.walk(alice.login(appliance.url))["project_id"], "blue")

    def test_keystone(self) -> None:
        """The token is a real Keystone's, and the catalogue names the https address."""
        keystone = the_keystone()
        user = keystone.make_user("member")
        asked = keystone.settings(keystone.make_user("service"), self.home / "password")
        appliance = self.serve(**{name.replace(".", "__"): text for name, text in asked.items()})
        region = f"region-{uuid.uuid4().hex[:8]}"
        keystone.publish(appliance.url, region)
        made = self.walk(keystone.login(user, region))
        self.assertEqual(made["project_id"], user.project.id if user.project else "")

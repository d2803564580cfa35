"""Who asks, how requests are told apart, and where an open door is refused."""

from __future__ import annotations

from typing import Any

from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from quantumd.api.identity import identify, is_loopback, refuse_open_door, refuse_open_preview, unless_a_page
from quantumd.errors import SettingsError
from tests.api.wire import REQUEST_ID, Wire

GLOBAL_ID = "req-0a1b2c3d-0000-4000-8000-0123456789ab"


class ContextTests(SynchronousTestCase):
    """Without authentication."""

    def test_everybody_is_admin(self) -> None:
        """A request without headers is an admin's."""
        self.assertTrue(identify(REQUEST_ID, Headers(), True).is_admin)

    def test_headers_on_the_loopback_make_somebody_else(self) -> None:
        """Tests have projects and roles."""
        headers = Headers({"X-Project-Id": ["p1"], "X-Roles": ["member, reader"], "X-User-Id": ["u1"]})
        context = identify(REQUEST_ID, headers, True)
        self.assertEqual(
            (context.project_id, context.roles, context.user_id, context.is_admin),
            ("p1", frozenset({"member", "reader"}), "u1", False),
        )

    def test_a_project_alone_keeps_the_role(self) -> None:
        """X-Project-Id without X-Roles is an admin of that project."""
        context = identify(REQUEST_ID, Headers({"X-Project-Id": ["p1"]}), True)
        self.assertEqual((context.project_id, context.is_admin), ("p1", True))

    def test_headers_from_elsewhere_are_ignored(self) -> None:
        """Another machine does not choose who it is."""
        context = identify(REQUEST_ID, Headers({"X-Project-Id": ["p1"], "X-Roles": ["member"]}), False)
        self.assertEqual((context.project_id, context.is_admin), (None, True))

    def test_a_web_page_is_nobody(self) -> None:
        """A page that is shown on this machine can send to its loopback; it is no administrator, unless it is named."""
        identified = unless_a_page(frozenset({b"https://horizon.example"}))
        for origins, is_admin in (
            ([], True),
            (["https://horizon.example"], True),
            (["https://evil.example"], False),
            (["https://horizon.example", "https://evil.example"], False),
            (["null"], False),
        ):
            context = identified(REQUEST_ID, Headers({"Origin": origins}), True)
            self.assertEqual((context.is_admin, bool(context.roles)), (is_admin, is_admin), origins)
        self.assertTrue(unless_a_page(frozenset({b"*"}))(REQUEST_ID, Headers({"Origin": ["null"]}), True).is_admin)

    def test_the_peer_decides_what_the_loopback_is(self) -> None:
        """The address of the connection counts, not a header."""
        wire = Wire(peer="192.0.2.1")
        reply = wire.create({"X-Project-Id": "p1", "X-Forwarded-For": "127.0.0.1"}, shared=True)
        self.assertEqual((reply.status, reply.json["widget"]["project_id"]), (201, ""))


class RequestIdTests(SynchronousTestCase):
    """X-Openstack-Request-Id."""

    def test_every_answer_names_its_request(self) -> None:
        """Also refusals and errors do."""
        wire = Wire()
        replies = (
            wire.create(),
            wire.request("GET", "/nope"),
            wire.request("GET", "/" + "x" * 20_000),
            wire.request("DELETE", "/v2.0/widgets/00000000-0000-0000-0000-000000000001"),
        )
        self.assertEqual({reply.headers["x-openstack-request-id"] for reply in replies}, {REQUEST_ID})

    def test_a_callers_id_becomes_the_global_one(self) -> None:
        """A valid id of the caller is kept beside our own."""
        context = identify(REQUEST_ID, Headers({"X-Openstack-Request-Id": [GLOBAL_ID]}), False)
        self.assertEqual(context.global_request_id, GLOBAL_ID)

    def test_other_ids_are_ignored(self) -> None:
        """What is no request id gets nowhere."""
        for text in ("req-x", "x" * 40, GLOBAL_ID.upper()):
            headers = Headers({"X-Openstack-Request-Id": [text]})
            self.assertIsNone(identify(REQUEST_ID, headers, True).global_request_id)


class LogTests(SynchronousTestCase):
    """The line of each request."""

    def test_a_line_tells_what_matters(self) -> None:
        """Method, path without query, status, duration, request ids and project are fields."""
        events: list[dict[str, Any]] = []
        observer: Any = events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        headers = {"X-Project-Id": "p1", "X-Openstack-Request-Id": GLOBAL_ID}
        Wire().request("GET", "/v2.0/widgets?name=secret", headers=headers)
        line = next(event for event in events if event["log_format"] == "answered")
        fields = {name: value for name, value in line.items() if not name.startswith("log_")}
        expected = {
            "method": "GET",
            "path": "/v2.0/widgets",
            "status": 200,
            "ms": 0.0,
            "request_id": REQUEST_ID,
            "global_request_id": GLOBAL_ID,
            "project": "p1",
        }
        self.assertEqual({name: fields[name] for name in expected}, expected)
        self.assertNotIn("secret", str(fields))


class OpenDoorTests(SynchronousTestCase):
    """Where an API without authentication may listen."""

    def test_the_loopback_is_allowed(self) -> None:
        """Only this machine can call there."""
        for listen in (
            "tcp:9696:interface=127.0.0.1",
            "tcp:port=9696:interface=localhost",
            r"tcp6:9696:interface=\:\:1",
            "unix:/run/quantumd/api.sock",
            "systemd:domain=INET:index=0",
        ):
            refuse_open_door("none", listen)

    def test_everywhere_else_is_refused(self) -> None:
        """The start is refused with a sentence that says why."""
        for listen in (
            "tcp:9696",
            "tcp:9696:interface=0.0.0.0",
            r"tcp6:9696:interface=\:\:",
            "tcp:1:interface=192.0.2.1",
        ):
            error = self.assertRaises(SettingsError, refuse_open_door, "none", listen)
            self.assertIn("everybody", str(error))

    def test_the_interface_that_counts_is_looked_at(self) -> None:
        """Of several the last one is listened on; what is not understood is refused."""
        for listen in (
            "tcp:9696:interface=127.0.0.1:interface=0.0.0.0",
            r"tcp:9696:interface=127.0.0.1:interf\ace=0.0.0.0",
            "tcp:9696:127.0.0.1",
            "tcp:9696:interface=",
            "haproxy:tcp:9696:interface=127.0.0.1",
            "onion:9696:interface=127.0.0.1",
            "",
        ):
            self.assertRaises(SettingsError, refuse_open_door, "none", listen)
            self.assertRaises(SettingsError, refuse_open_preview, True, listen)

    def test_whoever_wants_it_open_says_so(self) -> None:
        """By a setting that tells what it does; previews stay on the loopback."""
        refuse_open_door("none", "tcp:9696", is_meant=True)
        self.assertRaises(SettingsError, refuse_open_preview, True, "tcp:9696")

    def test_loopback_addresses_are_known(self) -> None:
        """Both families and mapped addresses."""
        local = [is_loopback(host) for host in ("127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost")]
        other = [is_loopback(host) for host in ("10.0.0.1", "fe80::1%eth0", "x")]
        self.assertEqual((set(local), set(other)), ({True}, {False}))

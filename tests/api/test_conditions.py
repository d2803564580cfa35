"""Conditional requests, OPTIONS, HEAD, and web pages of other origins."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import ApiSettings
from tests.api.wire import MEMBER, Reply, Wire

ONE = "/v2.0/widgets/00000000-0000-0000-0000-000000000001"


class TagTests(SynchronousTestCase):
    """ETag and If-None-Match."""

    def setUp(self) -> None:
        """Serve a widget."""
        self.wire = Wire()
        self.wire.create(name="a", project_id="p1")

    def get(self, path: str = ONE, **headers: str) -> Reply:
        """Return what is shown."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.wire.request("GET", path, headers=named)

    def test_what_the_caller_has_is_not_sent_again(self) -> None:
        """304 has no body, and the same tag."""
        tag = self.get().headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            reply = self.get(If_None_Match=known)
            self.assertEqual((reply.status, reply.body, reply.headers["etag"]), (304, b"", tag), known)

    def test_what_changed_is_sent(self) -> None:
        """A change makes another tag."""
        tag = self.get().headers["etag"]
        self.wire.request("PUT", ONE, {"widget": {"name": "b"}})
        self.assertEqual(self.get(If_None_Match=tag).json["widget"]["name"], "b")

    def test_lists_are_tagged_too(self) -> None:
        """As long as they are one piece."""
        tag = self.get("/v2.0/widgets").headers["etag"]
        self.assertEqual(self.get("/v2.0/widgets", If_None_Match=tag).status, 304)
        self.wire.create(name="b")
        self.assertEqual(self.get("/v2.0/widgets", If_None_Match=tag).status, 200)

    def test_other_views_have_other_tags(self) -> None:
        """Nobody is told that it has what it may not see, or has not asked for."""
        member = self.wire.request("GET", ONE, headers=MEMBER)
        tags = {self.get().headers["etag"], self.get(f"{ONE}?fields=name").headers["etag"], member.headers["etag"]}
        self.assertEqual(len(tags), 3)

    def test_a_connection_lives_on(self) -> None:
        """An answer without a body ends where it ends."""
        tag = self.get().headers["etag"]
        asked = f"GET {ONE} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n\r\n".encode()
        self.assertEqual([reply.status for reply in self.wire.send(asked + asked)], [304, 304])


class RevisionTests(SynchronousTestCase):
    """If-Match: revision_number=N."""

    def setUp(self) -> None:
        """Serve a widget of revision 2."""
        self.wire = Wire()
        self.wire.create(name="a")
        self.wire.request("PUT", ONE, {"widget": {"name": "b"}})

    def put(self, condition: str) -> Reply:
        """Change it under a condition."""
        return self.wire.request("PUT", ONE, {"widget": {"name": "c"}}, {"If-Match": condition})

    def test_the_right_revision_is_changed(self) -> None:
        """And grows."""
        self.assertEqual(self.put("revision_number=2").json["widget"]["revision_number"], 3)

    def test_another_revision_is_not(self) -> None:
        """Neither changed nor deleted."""
        refusal = (412, "RevisionNumberConstraintFailed", "Constrained to 1, but current revision is 2")
        self.assertEqual(self.put("revision_number=1").error, refusal)
        deletion = self.wire.request("DELETE", ONE, headers={"If-Match": "revision_number=1"})
        self.assertEqual(deletion.error, refusal)
        self.assertEqual(self.wire.request("DELETE", ONE, headers={"If-Match": "revision_number=2"}).status, 204)

    def test_what_is_no_number_is_refused(self) -> None:
        """A condition that cannot be understood is not taken for fulfilled."""
        for wrong in ("revision_number=", "revision_number=x", "revision_number=-1", f"revision_number={'9' * 30}"):
            self.assertEqual(self.put(wrong).error[:2], (400, "HTTPBadRequest"), wrong)


class MethodTests(SynchronousTestCase):
    """What can be done at a path."""

    def test_options_name_the_methods(self) -> None:
        """Without a body."""
        both = {"/v2.0/widgets": "DELETE, GET, HEAD, OPTIONS, POST, PUT", ONE: "DELETE, GET, HEAD, OPTIONS, PUT"}
        for path, methods in both.items():
            reply = Wire().request("OPTIONS", path)
            self.assertEqual((reply.status, reply.headers["allow"], reply.body), (204, methods, b""))
        self.assertEqual(Wire().request("OPTIONS", "/v2.0/nopes").status, 404)

    def test_head_is_get_without_a_body(self) -> None:
        """With the length and the tag that the body has."""
        wire = Wire()
        wire.create(name="a")
        shown = wire.request("GET", ONE)
        reply = wire.send(f"HEAD {ONE} HTTP/1.1\r\nHost: x\r\n\r\n".encode())[0]
        self.assertEqual(reply.body, b"")
        for name in ("content-length", "etag", "content-type"):
            self.assertEqual(reply.headers[name], shown.headers[name])


class CorsTests(SynchronousTestCase):
    """Pages in browsers."""

    def setUp(self) -> None:
        """Serve one origin."""
        self.wire = Wire(settings=ApiSettings(cors_allowed_origins=("https://ui.example",)))

    def test_nobody_is_allowed_by_default(self) -> None:
        """Without the setting no browser is told anything."""
        headers = Wire().request("GET", "/v2.0/widgets", headers={"Origin": "https://ui.example"}).headers
        self.assertFalse([name for name in headers if name.startswith("access-control") or name == "vary"])

    def test_a_page_may_read_answers(self) -> None:
        """Errors too, with the headers that it needs; caches keep origins apart."""
        for path in ("/v2.0/widgets", "/v2.0/widgets/nope"):
            headers = self.wire.request("GET", path, headers={"Origin": "https://ui.example"}).headers
            self.assertEqual(headers["access-control-allow-origin"], "https://ui.example")
            self.assertIn("X-Openstack-Request-Id", headers["access-control-expose-headers"])
            self.assertEqual(headers["vary"], "Origin")

    def test_a_browser_asks_before(self) -> None:
        """The preflight names methods and headers."""
        asked = {"Origin": "https://ui.example", "Access-Control-Request-Method": "PUT"}
        reply = self.wire.request("OPTIONS", ONE, headers=asked)
        self.assertEqual(reply.status, 204)
        self.assertIn("PUT", reply.headers["access-control-allow-methods"])
        self.assertIn("X-Auth-Token", reply.headers["access-control-allow-headers"])
        self.assertEqual(reply.headers["access-control-max-age"], "3600")

    def test_others_are_not_told(self) -> None:
        """A page of another origin gets no leave."""
        headers = self.wire.request("GET", "/v2.0/widgets", headers={"Origin": "https://evil.example"}).headers
        self.assertNotIn("access-control-allow-origin", headers)

    def test_any_origin(self) -> None:
        """The setting * allows every page."""
        wire = Wire(settings=ApiSettings(cors_allowed_origins=("*",)))
        headers = wire.request("GET", "/v2.0/widgets", headers={"Origin": "https://any.example"}).headers
        self.assertEqual(headers["access-control-allow-origin"], "https://any.example")

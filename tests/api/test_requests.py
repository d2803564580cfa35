"""Requests on a collection, as clients send them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.api.wire import MEMBER, NETWORK, Wire

FIRST = "/v2.0/widgets/00000000-0000-0000-0000-000000000001"


class CreateTests(SynchronousTestCase):
    """POST."""

    def setUp(self) -> None:
        """Serve."""
        self.wire = Wire()

    def test_defaults_fill_what_is_not_said(self) -> None:
        """A create answers 201 with every attribute."""
        reply = self.wire.create(name="a")
        widget = reply.json["widget"]
        self.assertEqual((reply.status, widget["name"], widget["admin_state_up"]), (201, "a", True))

    def test_both_names_of_the_project_are_shown(self) -> None:
        """tenant_id and project_id are both in answers."""
        widget = self.wire.create(project_id="p9").json["widget"]
        self.assertEqual((widget["tenant_id"], widget["project_id"]), ("p9", "p9"))

    def test_tenant_id_is_taken_for_project_id(self) -> None:
        """tenant_id may be sent instead of project_id."""
        self.assertEqual(self.wire.create(tenant_id="p9").json["widget"]["project_id"], "p9")

    def test_two_different_projects_are_refused(self) -> None:
        """tenant_id and project_id must agree."""
        reply = self.wire.create(tenant_id="p9", project_id="p8")
        self.assertEqual(reply.error, (400, "HTTPBadRequest", "'project_id' and 'tenant_id' do not match"))

    def test_the_callers_project_owns_what_names_none(self) -> None:
        """Without a project in the body the caller's own is taken."""
        self.assertEqual(self.wire.create(MEMBER).json["widget"]["project_id"], "p1")

    def test_another_project_needs_an_admin(self) -> None:
        """A member creates nothing for other projects."""
        reply = self.wire.create(MEMBER, project_id="p2")
        self.assertEqual(reply.error, (403, "PolicyNotAuthorized", "rule:create_widget is disallowed by policy"))

    def test_bulk_creates_all(self) -> None:
        """Several are created by one request and answered in order."""
        bodies = [{"network_id": NETWORK, "name": name} for name in ("a", "b")]
        reply = self.wire.request("POST", "/v2.0/widgets", {"widgets": bodies})
        self.assertEqual((reply.status, [each["name"] for each in reply.json["widgets"]]), (201, ["a", "b"]))

    def test_bulk_is_limited(self) -> None:
        """More than the limit in one request is refused."""
        reply = self.wire.request("POST", "/v2.0/widgets", {"widgets": [{"network_id": NETWORK}] * 4})
        self.assertEqual(reply.error, (400, "HTTPBadRequest", "One request may create at most 3 widgets, not 4"))

    def test_one_wrong_body_refuses_the_whole_bulk(self) -> None:
        """Nothing is created when one of several is wrong."""
        reply = self.wire.request("POST", "/v2.0/widgets", {"widgets": [{"network_id": NETWORK}, {}]})
        self.assertEqual((reply.status, self.wire.widgets.rows), (400, {}))

    def test_an_unknown_attribute_is_named(self) -> None:
        """An attribute that does not exist is refused."""
        reply = self.wire.create(nope=1)
        self.assertEqual(reply.error, (400, "HTTPBadRequest", "Unrecognized attribute(s) 'nope'"))

    def test_a_missing_required_attribute_is_named(self) -> None:
        """A required attribute that is not there is named."""
        reply = self.wire.request("POST", "/v2.0/widgets", {"widget": {"name": "a"}})
        self.assertEqual(
            reply.error,
            (400, "HTTPBadRequest", "Failed to parse request. Required attribute 'network_id' not specified"),
        )

    def test_an_attribute_that_only_servers_set_is_refused(self) -> None:
        """status cannot be set on create."""
        reply = self.wire.create(status="ACTIVE")
        self.assertEqual(reply.error, (400, "HTTPBadRequest", "Attribute 'status' not allowed in POST"))

    def test_a_wrong_boolean_is_invalid_input(self) -> None:
        """Type and message are those of today's servers."""
        reply = self.wire.create(admin_state_up="perhaps")
        message = "Invalid input for operation: 'perhaps' cannot be converted to boolean."
        self.assertEqual(reply.error, (400, "InvalidInput", message))

    def test_a_wrong_value_names_its_attribute(self) -> None:
        """Type and message are those of today's servers."""
        reply = self.wire.create(name=5)
        message = "Invalid input for name. Reason: '5' is not a valid string."
        self.assertEqual(reply.error, (400, "HTTPBadRequest", message))

    def test_an_attribute_for_admins_is_forbidden_to_members(self) -> None:
        """The refusal names the policy rules."""
        reply = self.wire.create(MEMBER, shared=True)
        message = "(rule:create_widget and rule:create_widget:shared) is disallowed by policy"
        self.assertEqual(reply.error, (403, "PolicyNotAuthorized", message))

    def test_naming_a_default_needs_no_right(self) -> None:
        """A member may send the default of an attribute that only admins change."""
        self.assertEqual(self.wire.create(MEMBER, shared=False).status, 201)


class BodyTests(SynchronousTestCase):
    """Bodies that are wrong."""

    def refusal(self, body: bytes, **headers: str) -> tuple[int, str, str]:
        """Return the error for a body."""
        return Wire().request("POST", "/v2.0/widgets", body, headers).error

    def test_broken_json_is_refused(self) -> None:
        """Text that is not JSON is a bad request."""
        self.assertEqual(self.refusal(b"{nope"), (400, "HTTPBadRequest", "Body contains invalid data"))

    def test_nan_infinity_and_bad_text_are_refused(self) -> None:
        """What JSON does not allow is a bad request."""
        for value in (b"NaN", b"Infinity", b"1e999", b'"\xff"', b'"\\ud800"', b"01"):
            body = b'{"widget": {"name": ' + value + b"}}"
            self.assertEqual(self.refusal(body)[:2], (400, "HTTPBadRequest"), value)

    def test_a_key_twice_is_refused(self) -> None:
        """An object with the same key twice is refused, however deep and well hidden."""
        for body in (
            b'{"widget": {"name": "a", "name": "b"}}',
            b'{"widget": {"name": "a:b", "n\\u0061me": "c"}}',
            b'{"widget": {}, "widget": {}}',
        ):
            self.assertIn("same key twice", self.refusal(body)[2])

    def test_deep_nesting_is_refused(self) -> None:
        """Nesting deeper than any attribute is refused."""
        for depth in (30, 900, 4000):
            body = b'{"widget": {"colours": ' + b"[" * depth + b"]" * depth + b"}}"
            self.assertEqual(self.refusal(body)[:2], (400, "HTTPBadRequest"))

    def test_huge_numbers_are_refused(self) -> None:
        """A number of 5000 digits is a clear refusal."""
        body = b'{"widget": {"network_id": "%s", "size": %s}}' % (NETWORK.encode(), b"9" * 5000)
        self.assertEqual(self.refusal(body)[0], 400)

    def test_nothing_is_refused(self) -> None:
        """A request without a body says that one is needed."""
        self.assertEqual(self.refusal(b""), (400, "HTTPBadRequest", "Resource body required"))

    def test_a_body_without_the_resource_is_refused(self) -> None:
        """The missing key is named."""
        message = "Unable to find 'widget' in request body"
        self.assertEqual(self.refusal(b'{"net": {}}'), (400, "HTTPBadRequest", message))

    def test_wrong_shapes_are_refused(self) -> None:
        """Bodies that are no objects, or hold none, are refused."""
        for body in (b"[]", b"5", b'"x"', b"null", b'{"widget": []}', b'{"widgets": {}}', b'{"widgets": [5]}'):
            self.assertEqual(self.refusal(body)[:2], (400, "HTTPBadRequest"), body)

    def test_another_content_type_is_refused(self) -> None:
        """A form is not JSON."""
        reply = Wire().request("POST", "/v2.0/widgets", b"a=b", {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(reply.error[:2], (415, "UnsupportedMediaType"))

    def test_json_with_a_charset_is_taken(self) -> None:
        """Parameters of the content type do not matter."""
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        body = {"widget": {"network_id": NETWORK}}
        self.assertEqual(Wire().request("POST", "/v2.0/widgets", body, headers).status, 201)


class OneTests(SynchronousTestCase):
    """GET, PUT and DELETE of one."""

    def setUp(self) -> None:
        """Serve one widget."""
        self.wire = Wire()
        self.wire.create(name="a", project_id="p1")

    def test_show_takes_fields(self) -> None:
        """Only the fields asked for are shown."""
        reply = self.wire.request("GET", f"{FIRST}?fields=name&fields=tenant_id")
        self.assertEqual((reply.status, reply.json), (200, {"widget": {"name": "a", "tenant_id": "p1"}}))

    def test_show_without_a_field_shows_all(self) -> None:
        """An empty field is none, as today."""
        whole = self.wire.request("GET", FIRST).json
        self.assertEqual(self.wire.request("GET", f"{FIRST}?fields=").json, whole)

    def test_what_only_admins_read_is_not_shown_to_others(self) -> None:
        """A member does not see provider attributes, also when asking for them."""
        whole = self.wire.request("GET", FIRST, headers=MEMBER).json["widget"]
        asked = self.wire.request("GET", f"{FIRST}?fields=provider:kind", headers=MEMBER).json["widget"]
        self.assertEqual(("provider:kind" in whole, asked), (False, {}))

    def test_what_nobody_sees_is_not_shown(self) -> None:
        """An invisible attribute is not in answers."""
        self.assertNotIn("secret", self.wire.request("GET", FIRST).json["widget"])

    def test_what_is_not_there_is_not_found(self) -> None:
        """The resource's own error is answered."""
        reply = self.wire.request("GET", "/v2.0/widgets/x")
        self.assertEqual(reply.error, (404, "WidgetNotFound", "Widget x could not be found."))

    def test_update_answers_the_new_state(self) -> None:
        """An update is answered with the whole."""
        reply = self.wire.request("PUT", FIRST, {"widget": {"name": "b"}})
        self.assertEqual((reply.status, reply.json["widget"]["name"]), (200, "b"))

    def test_a_read_only_attribute_cannot_be_updated(self) -> None:
        """The attribute is named."""
        reply = self.wire.request("PUT", FIRST, {"widget": {"status": "DOWN"}})
        self.assertEqual(reply.error, (400, "HTTPBadRequest", "Cannot update read-only attribute status"))

    def test_an_attribute_for_admins_is_not_updated_by_members(self) -> None:
        """The refusal names the policy rules."""
        reply = self.wire.request("PUT", FIRST, {"widget": {"shared": False}}, MEMBER)
        message = "(rule:update_widget and rule:update_widget:shared) is disallowed by policy"
        self.assertEqual(reply.error, (403, "PolicyNotAuthorized", message))

    def test_delete_answers_nothing(self) -> None:
        """A deletion is 204 without a body."""
        reply = self.wire.request("DELETE", FIRST)
        self.assertEqual((reply.status, reply.body, self.wire.widgets.rows), (204, b"", {}))

    def test_a_change_without_an_id_is_not_found(self) -> None:
        """PUT and DELETE of the collection answer as today's servers do."""
        for method in ("PUT", "DELETE"):
            reply = self.wire.request(method, "/v2.0/widgets", {"widget": {}})
            self.assertEqual(reply.error, (404, "WidgetNotFound", "Widget None could not be found."))

    def test_the_wrong_method_names_the_right_ones(self) -> None:
        """405 with Allow."""
        reply = self.wire.request("POST", FIRST, {})
        self.assertEqual((reply.status, reply.headers["allow"]), (405, "DELETE, GET, HEAD, PUT"))

    def test_head_is_get_without_the_body(self) -> None:
        """HEAD answers status and length alone."""
        get, head = self.wire.request("GET", FIRST), self.wire.request("HEAD", FIRST)
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["content-length"], get.headers["content-length"])

    def test_nul_in_an_id_is_not_found(self) -> None:
        """An id that no database takes is a plain 404."""
        self.assertEqual(self.wire.request("GET", "/v2.0/widgets/%00").error[:2], (404, "HTTPNotFound"))


class FailureTests(SynchronousTestCase):
    """What is not the caller's fault."""

    def test_a_bug_is_hidden_and_logged_once(self) -> None:
        """A bug answers 500 without details, which are in the log with the request id."""
        reply = Wire().create(name="bug")
        logged = self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual((reply.status, reply.json["NeutronError"]["type"]), (500, "HTTPInternalServerError"))
        self.assertNotIn("eyes", reply.body.decode())
        self.assertEqual(len(logged), 1)

    def test_what_the_world_refused_may_be_tried_again(self) -> None:
        """An edge's refusal is 503 with Retry-After."""
        reply = Wire().create(name="edge")
        self.assertEqual((reply.status, reply.headers["retry-after"]), (503, "1"))
        self.assertNotIn("eyes", reply.body.decode())

"""Documents by which clients find their way, and what operators look at."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.extensions.features import serve
from quantumd.api.health import READY_SECONDS
from quantumd.api.openapi import openapi_document
from quantumd.api.policy.rules import default_policy
from quantumd.config import NetworkSettings
from tests.api.wire import Wire, parse_replies


class DiscoveryTests(SynchronousTestCase):
    """Versions, resources, extensions."""

    def setUp(self) -> None:
        """Serve."""
        self.wire = Wire()

    def test_the_root_names_the_version(self) -> None:
        """Clients find v2.0 with a link to the host that they asked."""
        links = [{"rel": "self", "href": "http://api.example:9696/v2.0/"}]
        versions = {"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]}
        self.assertEqual(self.wire.request("GET", "/").json, versions)

    def test_a_strange_host_is_not_repeated(self) -> None:
        """A Host header that is none does not get into links."""
        reply = self.wire.send(b'GET / HTTP/1.1\r\nHost: "><script>\r\n\r\n')[0]
        self.assertEqual(reply.json["versions"][0]["links"][0]["href"], "http://localhost/v2.0/")

    def test_the_version_names_its_resources(self) -> None:
        """All spellings of the version's path show what is served."""
        shown = {self.wire.request("GET", path).body for path in ("/v2.0", "/v2.0/", "/v2.0.json")}
        self.assertEqual(len(shown), 1)
        self.assertIn(b'"name":"widget","collection":"widgets"', shown.pop())

    def test_the_json_suffix_is_taken_everywhere(self) -> None:
        """Old clients put .json behind every path."""
        self.wire.create(name="a")
        for path in ("/v2.0/widgets.json", "/v2.0/widgets/00000000-0000-0000-0000-000000000001.json"):
            self.assertEqual(self.wire.request("GET", path).status, 200)

    def test_unknown_paths_are_not_found(self) -> None:
        """What is not served is a 404 of the known type."""
        for path in ("/v2.0/nopes", "/v9/", "/v2.0/widgets/1/2", "/v2.0//widgets"):
            error = self.wire.request("GET", path).error
            self.assertEqual(error, (404, "HTTPNotFound", "The resource could not be found."), path)

    def test_extensions_are_listed_and_shown(self) -> None:
        """Each announced extension can be asked for by its alias."""
        listed = self.wire.request("GET", "/v2.0/extensions").json["extensions"]
        one = self.wire.request("GET", f"/v2.0/extensions/{listed[0]['alias']}").json["extension"]
        self.assertEqual(one, listed[0])
        self.assertEqual(set(one), {"name", "alias", "description", "updated", "links"})

    def test_unknown_extensions_are_not_found(self) -> None:
        """Clients ask for what may not be there."""
        error = self.wire.request("GET", "/v2.0/extensions/nope").error
        self.assertEqual(error, (404, "HTTPNotFound", "Extension with alias nope does not exist"))

    def test_only_what_drivers_can_do_is_announced(self) -> None:
        """An extension that packets must obey needs a driver that makes them."""
        without = {each.alias for each in serve(NetworkSettings(), (), ()).extensions}
        with_provider = {each.alias for each in serve(NetworkSettings(), (), {"provider"}).extensions}
        self.assertEqual(with_provider - without, {"provider"})


class OpenApiTests(SynchronousTestCase):
    """The OpenAPI document."""

    def setUp(self) -> None:
        """Read it."""
        self.document = Wire().request("GET", "/v2.0/openapi.json").json

    def test_every_path_is_described(self) -> None:
        """Collections and members are there with their methods."""
        paths = {path: set(verbs) - {"parameters"} for path, verbs in self.document["paths"].items()}
        expected = {"/v2.0/widgets": {"get", "post"}, "/v2.0/widgets/{id}": {"get", "put", "delete"}}
        self.assertEqual(paths, expected)

    def test_nested_resources_and_requests_are_described(self) -> None:
        """Everything that is served is there once, with the parts of its path and what it takes."""
        served = serve(NetworkSettings(), ("physnet1",), (), preview=True)
        document = openapi_document(served.resources, served.actions, "1.0", default_policy())
        paths = document["paths"]
        operations = [each for path in paths.values() for method, each in path.items() if method != "parameters"]
        names = [each["operationId"] for each in operations]
        self.assertEqual(len(names), len(set(names)))
        verbs = sum(len(resource.verbs) for resource in served.resources)
        self.assertEqual(len(names), verbs + len(served.actions))
        tagging = paths["/v2.0/networks/{resource_id}/tags"]["put"]
        self.assertEqual([each["name"] for each in tagging["parameters"]], ["resource_id"])
        self.assertEqual(tagging["requestBody"]["content"]["application/json"]["schema"]["required"], ["tags"])

    def test_lists_say_what_they_take(self) -> None:
        """Filters, order, pages and fields."""
        named = [each["name"] for each in self.document["paths"]["/v2.0/widgets"]["get"]["parameters"]]
        self.assertLessEqual({"name", "tenant_id", "sort_key", "sort_dir", "limit", "marker", "fields"}, set(named))
        self.assertEqual(len(named), len(set(named)))

    def test_create_says_what_it_needs(self) -> None:
        """Required attributes, types and defaults come from the attribute map."""
        schema = self.document["components"]["schemas"]["widget_create"]
        self.assertEqual(schema["required"], ["network_id"])
        self.assertEqual(schema["properties"]["admin_state_up"], {"type": "boolean", "default": True})

    def test_references_lead_somewhere(self) -> None:
        """Every reference names a schema of the document."""
        schemas = self.document["components"]["schemas"]
        text = str(self.document)
        named = {part.partition("'")[0] for part in text.split("#/components/schemas/")[1:]}
        self.assertEqual(named - set(schemas), set())

    def test_invisible_attributes_are_not_described(self) -> None:
        """What nobody sees is not in the document."""
        self.assertNotIn("secret", str(self.document))


class HealthTests(SynchronousTestCase):
    """What tells operators how it goes."""

    def test_a_living_process_says_so(self) -> None:
        """/healthz answers while the process can."""
        self.assertEqual(Wire().request("GET", "/healthz").status, 200)

    def test_a_ready_service_says_so(self) -> None:
        """/readyz is 200 when nothing is missing."""
        reply = Wire().request("GET", "/readyz")
        self.assertEqual((reply.status, reply.json), (200, {"status": "ready", "waiting_for": []}))

    def test_what_is_missing_is_named(self) -> None:
        """/readyz is 503 and says what it waits for."""

        async def missing() -> Sequence[str]:
            return ("the switch",)

        reply = Wire(readiness=missing).request("GET", "/readyz")
        self.assertEqual((reply.status, reply.json["waiting_for"]), (503, ["the switch"]))

    def test_readiness_that_hangs_is_not_ready(self) -> None:
        """/readyz always answers in time."""

        async def hanging() -> Sequence[str]:
            never: Deferred[Sequence[str]] = Deferred()
            return await never

        wire = Wire(readiness=hanging)
        channel, transport = wire.connect()
        channel.dataReceived(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        wire.clock.advance(READY_SECONDS)
        self.assertEqual(parse_replies(transport.value())[0].status, 503)

    def test_requests_are_counted_by_what_was_asked(self) -> None:
        """/metrics shows answered requests by method, resource and status."""
        wire = Wire()
        wire.create(name="a")
        wire.request("GET", "/v2.0/widgets/nope")
        shown = wire.request("GET", "/metrics").body.decode()
        self.assertIn('quantumd_requests_total{method="POST",resource="widgets",status="201"} 1.0', shown)
        self.assertIn('quantumd_requests_total{method="GET",resource="widgets",status="404"} 1.0', shown)

    def test_callers_cannot_make_labels(self) -> None:
        """A method that nobody knows is counted as other."""
        wire = Wire()
        wire.request("BREW", "/v2.0/widgets")
        shown = wire.request("GET", "/metrics").body.decode()
        self.assertNotIn("BREW", shown)

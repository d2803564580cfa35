"""What Nova's answers mean."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.nova.answers import (
    GONE,
    REFUSED,
    TAKEN,
    UNCLEAR,
    UNPLACED,
    BadEvents,
    TokenRefused,
    outcomes,
)
from quantumd.api.nova.catalogue import compute_endpoint
from quantumd.api.nova.events import PLUGGED, Event
from quantumd.errors import EdgeUnavailable
from tests.api.nova.ports import PORT, SERVER

EVENTS = tuple(Event(position, PLUGGED, SERVER, PORT) for position in (1, 2, 3, 4))


class AnswerTests(SynchronousTestCase):
    """outcomes."""

    def test_each_event_has_its_code(self) -> None:
        """Taken, no such server, no host, bad."""
        body = json.dumps({"events": [{"code": code} for code in (200, 404, 422, 400)]}).encode()
        self.assertEqual(outcomes(207, body, EVENTS), (TAKEN, GONE, UNPLACED, REFUSED))

    def test_an_answer_that_cannot_be_read_is_one(self) -> None:
        """Nova has taken the request all the same: it is not sent again."""
        for body in (b"", b"[]", b'{"events": {}}', b'{"events": []}', b'{"events": [1, 2, 3, {"code": "200"}]}'):
            self.assertEqual(outcomes(200, body, EVENTS), (UNCLEAR,) * 4, body)

    def test_no_server_is_known(self) -> None:
        """Nova before 2023.1 says so with 404 and its own document."""
        self.assertEqual(outcomes(404, b'{"itemNotFound": {"code": 404}}', EVENTS), (GONE,) * 4)

    def test_another_404_says_nothing_of_servers(self) -> None:
        """The URL is wrong; nothing was told to anybody."""
        for body in (b"<html>not found</html>", b'{"error": "no"}', b"[]"):
            self.assertRaises(EdgeUnavailable, outcomes, 404, body, EVENTS)

    def test_what_may_pass_is_tried_again(self) -> None:
        """Errors of Nova's, limits, redirections, and rights that may be given yet."""
        for status in (300, 302, 403, 408, 429, 500, 502, 503, 504):
            self.assertRaises(EdgeUnavailable, outcomes, status, b"", EVENTS)

    def test_what_will_never_be_taken(self) -> None:
        """The request itself is wrong."""
        for status in (400, 413):
            self.assertRaises(BadEvents, outcomes, status, b"", EVENTS)

    def test_a_token_that_has_ended(self) -> None:
        """A new one helps."""
        self.assertRaises(TokenRefused, outcomes, 401, b"", EVENTS)


def catalogue(*endpoints: tuple[str, str, str]) -> bytes:
    """Return the document of a token whose catalogue has compute endpoints: interface, region, URL."""
    made = [{"interface": interface, "region_id": region, "url": url} for interface, region, url in endpoints]
    other = {"type": "network", "endpoints": [{"interface": "public", "region_id": "one", "url": "http://network"}]}
    return json.dumps({"token": {"catalog": [other, {"type": "compute", "endpoints": made}]}}).encode()


class CatalogueTests(SynchronousTestCase):
    """compute_endpoint."""

    def test_interface_and_region_are_those_asked_for(self) -> None:
        """Any region, where none is asked for."""
        body = catalogue(
            ("internal", "one", "http://i1"), ("public", "one", "http://p1"), ("public", "two", "http://p2")
        )
        self.assertEqual(compute_endpoint(body, "public", "two"), "http://p2")
        self.assertEqual(compute_endpoint(body, "internal", ""), "http://i1")

    def test_there_is_none(self) -> None:
        """Nova may be registered later."""
        for body in (catalogue(), catalogue(("public", "one", "ftp://x")), b"[]", b'{"token": {"catalog": [1]}}'):
            self.assertRaises(EdgeUnavailable, compute_endpoint, body, "public", "")

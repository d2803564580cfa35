"""Requests that are too large or no HTTP, and any bytes at all."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.channel import LINGER_SECONDS
from tests.api.wire import NETWORK, Reply, Wire, parse_replies

POST = b"POST /v2.0/widgets HTTP/1.1\r\nHost: x\r\n"


class LimitTests(SynchronousTestCase):
    """What is larger than is read."""

    def setUp(self) -> None:
        """Serve."""
        self.wire = Wire()

    def test_a_large_body_is_refused_before_it_comes(self) -> None:
        """The announced length is enough to refuse a body."""
        replies = self.wire.send(POST + b"Content-Length: 10001\r\n\r\n")
        message = "The request body is larger than 10000 bytes."
        self.assertEqual(replies[0].error, (413, "PayloadTooLarge", message))

    def test_a_body_that_is_just_small_enough_is_read(self) -> None:
        """The limit itself is allowed."""
        body = orjson.dumps({"widget": {"network_id": NETWORK}}).ljust(10_000)
        self.assertEqual(self.wire.request("POST", "/v2.0/widgets", body).status, 201)

    def test_absurd_lengths_are_refused(self) -> None:
        """Lengths beyond any number are refused like large ones."""
        replies = self.wire.send(POST + b"Content-Length: " + b"9" * 6000 + b"\r\n\r\n")
        self.assertEqual([reply.status for reply in replies], [413])

    def test_expect_is_answered_by_the_refusal(self) -> None:
        """A client that asks before it sends is not told to go on."""
        replies = self.wire.send(POST + b"Expect: 100-continue\r\nContent-Length: 999999\r\n\r\n")
        self.assertEqual([reply.status for reply in replies], [413])

    def test_a_chunked_body_is_refused_when_it_passes_the_limit(self) -> None:
        """A body without a length is refused when it grows too large, once."""
        channel, transport = self.wire.connect()
        channel.dataReceived(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(30):
            channel.dataReceived(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        channel.dataReceived(b"0\r\n\r\n")
        self.assertEqual([reply.status for reply in parse_replies(transport.value())], [413])

    def test_a_small_chunked_body_is_read(self) -> None:
        """Chunked bodies are bodies."""
        body = orjson.dumps({"widget": {"network_id": NETWORK}})
        data = POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        self.assertEqual([reply.status for reply in self.wire.send(data)], [201])

    def test_a_long_url_is_refused(self) -> None:
        """A request line that is too long has its own status."""
        self.assertEqual(self.wire.request("GET", "/" + "x" * 20_000).error[:2], (414, "URITooLong"))

    def test_long_headers_are_refused(self) -> None:
        """So have headers, in one and in many lines."""
        one = self.wire.request("GET", "/", headers={"X-Long": "x" * 20_000})
        many = self.wire.request("GET", "/", headers={f"X-{number}": "x" * 1000 for number in range(20)})
        self.assertEqual([one.error[:2], many.error[:2]], [(431, "HeadersTooLarge")] * 2)

    def test_what_is_not_http_is_refused(self) -> None:
        """Bytes that are no request get a clear answer."""
        for data in (b"\x16\x03\x01\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", POST + b"Content-Length: x\r\n\r\n"):
            self.assertEqual(self.wire.send(data)[0].error[:2], (400, "HTTPBadRequest"), data)

    def test_a_refused_client_may_finish_its_sentence(self) -> None:
        """The connection of a refused client lives until its answer can have arrived, and not longer."""
        channel, transport = self.wire.connect()
        transport.loseWriteConnection = lambda: None  # type: ignore[attr-defined]
        channel.dataReceived(POST + b"Content-Length: 999999\r\n\r\n")
        channel.dataReceived(b"x" * 100_000)
        self.assertTrue(transport.connected)
        self.wire.clock.advance(LINGER_SECONDS)
        self.assertFalse(transport.connected)

    def test_refusals_are_counted(self) -> None:
        """The request counter knows refusals."""
        self.wire.request("GET", "/" + "x" * 20_000)
        counted = self.wire.metrics.registry.get_sample_value(
            "quantumd_requests_total", {"method": "other", "resource": "other", "status": "414"}
        )
        self.assertEqual(counted, 1.0)


_TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
_NAMES = st.sampled_from(
    ["name", "network_id", "project_id", "tenant_id", "size", "colours", "shared", "mac_address", "status", "id", "x"]
)


def _is_clear(reply: Reply) -> bool:
    return reply.status < 500 and (reply.status < 400 or "NeutronError" in reply.json)


class AnythingTests(SynchronousTestCase):
    """Nothing that a caller sends is a server error, and every refusal is a clear one."""

    def setUp(self) -> None:
        """Serve."""
        self.wire = Wire()

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes(self, data: bytes) -> None:
        """Random bytes on a connection."""
        for reply in self.wire.send(data + b"\r\n\r\n"):
            self.assertTrue(_is_clear(reply), reply)

    @settings(deadline=None)
    @given(st.binary(max_size=100), st.sampled_from(["POST", "PUT"]))
    def test_any_body(self, body: bytes, method: str) -> None:
        """Random bytes as a body."""
        path = "/v2.0/widgets" if method == "POST" else "/v2.0/widgets/1"
        self.assertTrue(_is_clear(self.wire.request(method, path, body)))

    @settings(max_examples=200, deadline=None)
    @given(st.dictionaries(_NAMES, _VALUES, max_size=6), st.booleans())
    def test_any_attributes(self, attributes: dict[str, Any], is_wrapped: bool) -> None:
        """Random values for attributes, also in a whole body of their own."""
        given_body = {"network_id": NETWORK, **attributes}
        try:
            body = orjson.dumps({"widget": given_body} if is_wrapped else attributes)
        except (TypeError, orjson.JSONEncodeError):
            return
        self.assertTrue(_is_clear(self.wire.request("POST", "/v2.0/widgets", body)))

    @settings(deadline=None)
    @given(_TEXT, _TEXT, _TEXT)
    def test_any_path_query_and_host(self, path: str, query: str, host: str) -> None:
        """Random paths, query strings and Host headers."""
        for start in ("/", "/v2.0/", "/v2.0/widgets/"):
            data = f"GET {start}{path}?{query} HTTP/1.1\r\nHost: {host}\r\n\r\n"
            for reply in self.wire.send(data.encode()):
                self.assertTrue(_is_clear(reply), reply)

    @settings(deadline=None)
    @given(st.binary(max_size=20), st.binary(max_size=20))
    def test_any_header(self, name: bytes, value: bytes) -> None:
        """Random headers, also as the names of callers."""
        for header in (name, b"X-Roles", b"X-Project-Id", b"X-Openstack-Request-Id", b"Content-Type", b"Host"):
            data = b"GET /v2.0/widgets HTTP/1.1\r\n" + header + b": " + value + b"\r\n\r\n"
            for reply in self.wire.send(data):
                self.assertTrue(_is_clear(reply), reply)

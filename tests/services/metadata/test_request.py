"""Requests of VMs: what is one, and what is not."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.services.metadata.request import BadRequest, read_request


def refused(text: bytes, most: int = 10) -> int:
    """Return with which status it is refused; 0 when it is not."""
    try:
        read_request(text, most)
    except BadRequest as error:
        return error.status
    return 0


class RequestTests(SynchronousTestCase):
    """Heads."""

    def test_a_request(self) -> None:
        """Names of headers in lower case, values without spaces around."""
        found = read_request(b"GET /latest/?a=b HTTP/1.1\r\nHost:  x \r\nX-A: 1\r\nx-a: 2", 10)
        self.assertEqual((found.method, found.target, found.path), (b"GET", b"/latest/?a=b", "/latest/"))
        self.assertEqual(found.headers, ((b"host", b"x"), (b"x-a", b"1"), (b"x-a", b"2")))
        self.assertEqual((found.length, found.keeps, found.expects), (0, True, False))

    def test_a_whole_url_is_its_path(self) -> None:
        """As every server must take it."""
        self.assertEqual(read_request(b"GET http://169.254.169.254/a HTTP/1.1", 0).target, b"/a")

    def test_whether_a_connection_is_kept(self) -> None:
        """By version and wish."""
        for text, keeps in (
            (b"GET / HTTP/1.1", True),
            (b"GET / HTTP/1.1\r\nConnection: Close", False),
            (b"GET / HTTP/1.0", False),
            (b"GET / HTTP/1.0\r\nConnection: Keep-Alive", True),
        ):
            self.assertEqual(read_request(text, 0).keeps, keeps)

    def test_bodies(self) -> None:
        """Have a length that is said once, and a limit."""
        self.assertEqual(read_request(b"POST / HTTP/1.1\r\nContent-Length: 10", 10).length, 10)
        self.assertTrue(read_request(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-Continue", 10).expects)
        for text, status in (
            (b"POST / HTTP/1.1\r\nContent-Length: 11", 413),
            (b"POST / HTTP/1.1\r\nContent-Length: -1", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", 400),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked", 411),
            (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", 411),
        ):
            self.assertEqual(refused(text), status)

    def test_what_is_no_request(self) -> None:
        """Is refused as such."""
        for text in (
            b"", b"GET", b"GET /", b"GET / HTTP/2.0", b"get / HTTP/1.1", b"GET  / HTTP/1.1", b"GET x HTTP/1.1",
            b"GET / HTTP/1.1\r\nno colon", b"GET / HTTP/1.1\r\nA: b\n", b"GET / HTTP/1.1\r\nA : b",
            b"GET / HTTP/1.1\r\n folded: b", b"GET /\x00 HTTP/1.1", b"GET /\xff HTTP/1.1",
        ):  # fmt: skip
            self.assertEqual(refused(text), 400, text)

    @given(st.binary(max_size=200))
    def test_any_bytes(self, text: bytes) -> None:
        """Are a request or none, and never anything else."""
        with contextlib.suppress(BadRequest):
            read_request(text, 10)

"""Requests as bytes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.http.messages import Origin, build_request, target_of


class TargetTests(SynchronousTestCase):
    """URLs, as requests need them."""

    def test_the_parts(self) -> None:
        """Whom to connect to, what the Host field says, what is asked for."""
        for url, origin, authority, path in (
            (b"http://k:5000/v3/a?b&c=d", Origin(False, "k", 5000), b"k:5000", b"/v3/a?b&c=d"),
            (b"https://k.example", Origin(True, "k.example", 443), b"k.example", b"/"),
            (b"http://[::1]:35357/v3", Origin(False, "::1", 35357), b"[::1]:35357", b"/v3"),
        ):
            found = target_of(url)
            self.assertEqual((found.origin, found.authority, found.path), (origin, authority, path))

    def test_what_is_none(self) -> None:
        """Other schemes, no host, a user, or what would end the request's line."""
        for url in (
            b"ftp://k/",
            b"k:5000",
            b"http:///v3",
            b"http://u:p@k/",
            b"http://k/ HTTP/1.1\r\nA: b",
            b"http://k/\xff",
        ):
            self.assertRaises(ValueError, target_of, url)


class RequestTests(SynchronousTestCase):
    """The bytes."""

    def test_without_a_body(self) -> None:
        """A line, the fields, an empty line."""
        text = build_request(b"GET", target_of(b"http://k:5000/v3"), {b"X-Auth-Token": b"t"}, None)
        self.assertEqual(text, b"GET /v3 HTTP/1.1\r\nHost: k:5000\r\nX-Auth-Token: t\r\n\r\n")

    def test_with_a_body(self) -> None:
        """Its length is said, also when it is nothing."""
        for body in (b"{}", b""):
            text = build_request(b"POST", target_of(b"http://k/"), {}, body)
            self.assertEqual(text, b"POST / HTTP/1.1\r\nHost: k\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def test_a_value_stays_in_its_line(self) -> None:
        """Whatever a caller sent as its token."""
        for value in (b"a\r\nB: c", b"a\nb", b"a\x00", b"\xff"):
            self.assertRaises(ValueError, build_request, b"GET", target_of(b"http://k/"), {b"A": value}, None)

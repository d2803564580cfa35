"""What Nova is told."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.http.messages import target_of
from quantumd.services.metadata.passing import answer_fields, may_be_told, request_head, signature
from quantumd.services.metadata.request import read_request
from tests.services.metadata.askers import ASKER

NOVA = target_of(b"http://nova.example.org:8775/metadata")


def told(text: bytes) -> list[bytes]:
    """Return the lines that Nova gets for a request."""
    return request_head(read_request(text, 100), ASKER, NOVA, "secret").split(b"\r\n")


class PassingTests(SynchronousTestCase):
    """Heads on their way to Nova and back."""

    def test_who_asks(self) -> None:
        """As Neutron's metadata agent says it. The signature was made by OpenSSL."""
        known = "26122fd58ee390d41c2a3801bed38888f184106de48992aaa8371e4d5fb55f5f"
        self.assertEqual(signature("secret", "i1"), known)
        lines = told(b"GET /latest HTTP/1.1")
        self.assertEqual(lines[:2], [b"GET /metadata/latest HTTP/1.1", b"Host: nova.example.org:8775"])
        for line in (
            b"X-Instance-ID: i1",
            b"X-Tenant-ID: blue",
            b"X-Forwarded-For: 10.0.0.5",
            f"X-Instance-ID-Signature: {signature('secret', 'i1')}".encode(),
        ):
            self.assertIn(line, lines)

    def test_what_others_say_of_who_asks(self) -> None:
        """However it is spelled, is not passed on; nor is what concerns this hop alone."""
        lines = told(
            b"GET / HTTP/1.1\r\nX-Instance-Id: v\r\nX_Tenant-ID: v\r\nx-instance-id-signature: v\r\nX-Forwarded-Host: v"
            b"\r\nX-Real-IP: v\r\nForwarded: for=v\r\nConnection: X-Hop\r\nX-Hop: v\r\nTE: v\r\nUpgrade: v\r\nHost: v"
            b"\r\nX-Mine: kept\r\nAccept: text/plain"
        )
        self.assertEqual([line for line in lines if line.endswith((b": v", b"=v"))], [])
        self.assertIn(b"x-mine: kept", lines)
        self.assertIn(b"accept: text/plain", lines)

    def test_bodies(self) -> None:
        """Have their length; what has none says so where a server would wait for one."""
        self.assertIn(b"Content-Length: 5", told(b"POST / HTTP/1.1\r\nContent-Length: 5"))
        self.assertIn(b"Content-Length: 0", told(b"POST / HTTP/1.1"))
        self.assertNotIn(b"Content-Length: 0", told(b"GET / HTTP/1.1"))

    def test_answers(self) -> None:
        """Lose what concerns the hop from Nova."""
        fields = {b"connection": b"close", b"content-length": b"1", b"transfer-encoding": b"x", b"etag": b"e"}
        self.assertEqual(list(answer_fields(fields)), [(b"etag", b"e")])

    def test_ids_that_would_not_stay_in_their_line(self) -> None:
        """A user may write anything into a port's device_id."""
        for text in ("i1\r\nX-Tenant-ID: red", "i\n", "i\x00", "ä"):
            self.assertFalse(may_be_told(evolve(ASKER, device_id=text).device_id))
        self.assertTrue(may_be_told(ASKER.device_id))

"""Answers that are passed on while they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.http.errors import BadAnswer
from quantumd.edge.http.streaming import StreamReader

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX: y\r\n\r\n"
TEXTS = (SIZED, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + SIZED)


def read(text: bytes, piece_bytes: int, reader: StreamReader) -> bytes:
    """Feed a text in pieces; return the body."""
    found = b""
    for start in range(0, len(text), piece_bytes):
        found += b"".join(reader.feed(text[start : start + piece_bytes]))
    return found


class StreamTests(SynchronousTestCase):
    """Heads, bodies, ends."""

    def test_pieces_make_no_difference(self) -> None:
        """Wherever the network cuts."""
        for text in TEXTS:
            for size in range(1, len(text) + 1):
                reader = StreamReader(100)
                self.assertEqual(read(text, size, reader), b"hello")
                self.assertEqual((reader.is_done, reader.may_be_kept), (True, True))

    def test_what_comes_is_passed_on_at_once(self) -> None:
        """Before its chunk is whole."""
        reader = StreamReader(1000)
        reader.feed(b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n")
        self.assertEqual(reader.feed(b"abc"), [b"abc"])
        self.assertIsNone(reader.length)

    def test_an_answer_to_a_head_request_has_no_body(self) -> None:
        """Whatever it says of its length; nor have others."""
        reader = StreamReader(100, has_body=False)
        self.assertEqual(reader.feed(b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n"), [])
        self.assertEqual((reader.is_done, reader.length, reader.may_be_kept), (True, 5, True))
        for status in (b"204", b"304"):
            reader = StreamReader(100)
            reader.feed(b"HTTP/1.1 " + status + b"\r\n\r\n")
            self.assertTrue(reader.is_done)

    def test_the_end_of_the_connection_may_be_that_of_the_body(self) -> None:
        """Where nothing else says where it ends; elsewhere it breaks off."""
        reader = StreamReader(100)
        self.assertEqual(read(b"HTTP/1.0 200 OK\r\n\r\nhello", 3, reader), b"hello")
        self.assertFalse(reader.is_done)
        reader.end()
        self.assertTrue(reader.is_done)
        for text in (SIZED[:-1], CHUNKED[:-1], b"HTTP/1.1"):
            broken = StreamReader(100)
            broken.feed(text)
            self.assertRaises(BadAnswer, broken.end)

    def test_what_is_no_answer(self) -> None:
        """Or has an end that is not clear, or is too long."""
        for text in (
            b"what?\r\n\r\n",
            b"HTTP/1.1 200\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200\r\nContent-Length: 1, 2\r\n\r\n",
            b"HTTP/1.1 200\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 101\r\n\r\n",
            b"HTTP/1.1 200\r\nContent-Length: 101\r\n\r\n",
            b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
            b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + bytes(101),
            b"HTTP/1.0 200\r\n\r\n" + bytes(101),
            b"HTTP/1.1 200\r\nX: " + bytes(70_000),
        ):
            self.assertRaises(BadAnswer, StreamReader(100).feed, text)

    def test_more_than_was_asked_for(self) -> None:
        """Makes the connection of no use."""
        reader = StreamReader(100)
        self.assertEqual(reader.feed(SIZED + b"HTTP/1.1"), [b"hello"])
        self.assertFalse(reader.may_be_kept)

    @given(st.binary(max_size=300))
    def test_any_bytes(self, text: bytes) -> None:
        """Are an answer or none, and never anything else."""
        reader = StreamReader(100)
        try:
            reader.feed(text)
            reader.end()
        except BadAnswer:
            pass

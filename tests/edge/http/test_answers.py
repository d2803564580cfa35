"""Answers as they come: whole, in pieces, and what is none."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.http.answers import LARGEST_ANSWER_BYTES, LARGEST_HEAD_BYTES, AnswerReader
from quantumd.edge.http.errors import BadAnswer
from quantumd.edge.http.messages import Reply

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Subject-Token: t\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX: y\r\n\r\n"


def read(text: bytes, piece_bytes: int = 1 << 20) -> tuple[Reply | None, AnswerReader]:
    """Feed a text in pieces."""
    reader, reply = AnswerReader(), None
    for start in range(0, len(text), piece_bytes):
        reply = reader.feed(text[start : start + piece_bytes])
    return reply, reader


class AnswerTests(SynchronousTestCase):
    """What an answer is."""

    def test_a_length_is_the_end(self) -> None:
        """And the connection may carry the next one."""
        reply, reader = read(SIZED)
        self.assertEqual(reply, Reply(200, {b"content-length": b"5", b"x-subject-token": b"t"}, b"hello"))
        self.assertTrue(reader.may_be_kept)

    def test_chunks_are_put_together(self) -> None:
        """Their extensions and the trailer are of no use."""
        reply, reader = read(CHUNKED)
        self.assertEqual((getattr(reply, "status", 0), getattr(reply, "body", b"")), (201, b"hello"))
        self.assertTrue(reader.may_be_kept)

    def test_pieces_make_no_difference(self) -> None:
        """Wherever the network cuts."""
        for text in (SIZED, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + SIZED):
            found = {getattr(read(text, size)[0], "body", None) for size in range(1, len(text) + 1)}
            self.assertEqual(found, {b"hello"})

    def test_some_answers_have_no_body(self) -> None:
        """204 and 304, whatever they say of its length."""
        for status in (b"204 No Content", b"304 Not Modified"):
            reply, reader = read(b"HTTP/1.1 " + status + b"\r\nContent-Length: 9\r\n\r\n")
            self.assertEqual((getattr(reply, "body", None), reader.may_be_kept), (b"", True))

    def test_the_end_of_the_connection_may_be_that_of_the_body(self) -> None:
        """Where nothing else says where it ends."""
        reply, reader = read(b"HTTP/1.0 200 OK\r\n\r\nhel")
        self.assertIsNone(reply)
        self.assertIsNone(reader.feed(b"lo"))
        self.assertEqual((reader.end().body, reader.may_be_kept), (b"hello", False))

    def test_headers_of_one_name_are_one(self) -> None:
        """Names are those of any case."""
        reply, _ = read(b"HTTP/1.1 200\r\nA-b: 1\r\nContent-Length:0\r\na-B:\t2 \r\n\r\n")
        self.assertEqual(getattr(reply, "headers", {})[b"a-b"], b"1, 2")


class KeepingTests(SynchronousTestCase):
    """When a connection may not carry another request."""

    def test_the_server_closes_it(self) -> None:
        """It says so, or speaks HTTP/1.0."""
        for head in (b"HTTP/1.1 200 OK\r\nConnection: x, Close", b"HTTP/1.0 200 OK"):
            reply, reader = read(head + b"\r\nContent-Length: 0\r\n\r\n")
            self.assertEqual((getattr(reply, "status", 0), reader.may_be_kept), (200, False))

    def test_something_comes_behind_the_answer(self) -> None:
        """It is the answer to nothing, and never that to the next request."""
        for text in (SIZED, CHUNKED):
            reply, reader = read(text + b"HTTP/1.1 200 OK\r\n")
            self.assertEqual((getattr(reply, "body", b""), reader.may_be_kept), (b"hello", False))


class NoAnswerTests(SynchronousTestCase):
    """What is not clearly an answer is none."""

    def refuse(self, *texts: bytes) -> None:
        """Every text is refused, whole and byte by byte, and none of it is repeated."""
        for text in texts:
            for piece_bytes in (1 << 20, 997):
                error = self.assertRaises(BadAnswer, read, text, piece_bytes)
                self.assertNotIn("secret", str(error))

    def test_other_protocols(self) -> None:
        """Not even those that look alike."""
        rest = b"\r\nContent-Length: 0\r\n\r\n"
        lines = (
            b"HTTP/2 200",
            b"HTTP/1.1 20",
            b"HTTP/1.1 2000",
            b"HTTP/1.1  200 OK",
            b"HTTP/1.1 099 OK",
            b"secret",
            b"",
        )
        self.refuse(*(line + rest for line in lines), b"HTTP/1.1 200 O\x00K" + rest, b"HTTP/1.1 200 OK\n" + rest)

    def test_a_switch_to_another_protocol(self) -> None:
        """Nobody asked for one."""
        self.refuse(b"HTTP/1.1 101 Switching\r\nUpgrade: secret\r\n\r\n")

    def test_headers_that_are_none(self) -> None:
        """No name, spaces in it, folded, control characters."""
        lines = (
            b"secret",
            b": secret",
            b"A b: c",
            b"A : c",
            b" A: c",
            b"A: b\r\n c",
            b"A: b\x00",
            b"A: b\rC: d",
            b"A: b\nC: d",
        )
        self.refuse(*(b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: 0\r\n\r\n" for line in lines))

    def test_a_body_of_two_ends(self) -> None:
        """Length and chunks, or lengths that differ, or are none."""
        lengths = (
            b"5\r\nTransfer-Encoding: chunked",
            b"5\r\nContent-Length: 6",
            b"-1",
            b"+1",
            b"0x5",
            b"",
            b"5 5",
            b"9" * 13,
        )
        self.refuse(*(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nhello" for length in lengths))

    def test_codings_that_nobody_asked_for(self) -> None:
        """Chunks are the only one, and not of HTTP/1.0."""
        for head in (b"1 200 OK\r\nTransfer-Encoding: gzip, chunked", b"0 200 OK\r\nTransfer-Encoding: chunked"):
            self.refuse(b"HTTP/1." + head + b"\r\n\r\n0\r\n\r\n")

    def test_chunks_that_are_none(self) -> None:
        """Without a length, with one that is wrong, or that goes on for ever."""
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = (
            b"\r\n",
            b"g\r\n",
            b"-1\r\n",
            b"3\r\nhello\r\n0\r\n\r\n",
            b"fffffffff\r\n",
            b"ffffffff\r\n",
            b"1" * 300,
            b"1;" + b"x" * 300,
        )
        self.refuse(*(head + chunk for chunk in chunks))

    def test_answers_that_are_too_long(self) -> None:
        """By what they say, or by what comes: head, body, chunks, trailer, and heads without end."""
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.refuse(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST_ANSWER_BYTES + 1),
            b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * LARGEST_ANSWER_BYTES,
            b"HTTP/1.1 200 OK\r\nA: " + b"x" * LARGEST_HEAD_BYTES,
            b"HTTP/1.1 200 OK\r\nA: " + b"x" * LARGEST_HEAD_BYTES + b"\r\nContent-Length: 0\r\n\r\n",
            chunked + b"1\r\nx\r\n" * (LARGEST_ANSWER_BYTES // 6),
            chunked + b"0\r\n" + b"A: b\r\n" * (LARGEST_ANSWER_BYTES // 6),
            b"HTTP/1.1 100 Continue\r\n\r\n" * (LARGEST_ANSWER_BYTES // 20),
        )

    def test_answers_that_break_off(self) -> None:
        """Wherever they do."""
        for text in (SIZED, CHUNKED):
            for length in range(len(text)):
                _, reader = read(text[:length])
                self.assertRaises(BadAnswer, reader.end)

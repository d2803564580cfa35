"""A stream of JSON objects is cut into messages however its bytes arrive, and what is no such stream is refused."""

from __future__ import annotations

import json
from itertools import pairwise
from time import perf_counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.ovsdb.errors import OvsdbGarbled
from quantumd.edge.ovsdb.framing import DEEPEST_MESSAGE, MessageStream

TEXT = st.text(alphabet=st.sampled_from('{}"\\[],:an\u00e9\U0001f600 '), max_size=12)
VALUE = st.recursive(
    TEXT | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
MESSAGES = st.lists(st.dictionaries(TEXT, VALUE, max_size=4), max_size=5)


def encoded(message: Any, is_ascii: bool) -> bytes:
    """One message as the database might send it."""
    return json.dumps(message, ensure_ascii=is_ascii).encode()


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes cut at the places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def seconds_to_feed(stream: MessageStream, data: bytes, size: int) -> float:
    """How long it takes to feed some bytes in pieces of a size."""
    start = perf_counter()
    for at in range(0, len(data), size):
        stream.feed(data[at : at + size])
    return perf_counter() - start


class MessageStreamTests(SynchronousTestCase):
    """Messages out of bytes."""

    @given(MESSAGES, st.booleans(), st.sampled_from((b"", b"\n", b"  ")), st.lists(st.integers(0, 5000), max_size=20))
    def test_cut_anywhere(self, sent: list[Any], is_ascii: bool, gap: bytes, cuts: list[int]) -> None:
        """However the stream is cut, even within a character or an escape, the same messages come out."""
        data = gap.join(encoded(message, is_ascii) for message in sent)
        stream = MessageStream()
        found = [json.loads(message) for piece in pieces(data, cuts) for message in stream.feed(piece)]
        self.assertEqual(found, sent)
        self.assertEqual(stream.half_read_bytes, 0)

    @given(MESSAGES, st.lists(st.integers(0, 5000), max_size=3))
    def test_byte_by_byte(self, sent: list[Any], cuts: list[int]) -> None:
        """A message comes out with its last byte, not later."""
        stream = MessageStream()
        for message in sent:
            data = encoded(message, False)
            for number in range(len(data) - 1):
                self.assertEqual(stream.feed(data[number : number + 1]), [])
            self.assertEqual(stream.half_read_bytes, len(data) - 1)
            self.assertEqual(stream.feed(data[-1:]), [data])

    @given(st.lists(st.binary(max_size=100) | st.sampled_from((b"{", b"}", b'"', b"\\", b'{"')), max_size=20))
    def test_any_bytes_are_messages_or_are_refused(self, data: list[bytes]) -> None:
        """Random bytes end in messages, in waiting for more, or in OvsdbGarbled."""
        stream = MessageStream()
        try:
            for piece in data:
                stream.feed(piece)
        except OvsdbGarbled as error:
            self.assertTrue(error.reason)

    def test_what_is_no_object_is_refused_at_once(self) -> None:
        """A list, a number or a word would wait for a brace for ever."""
        for data in (b"[1]", b"7", b"null", b' \n"x"', b"{}]"):
            with self.subTest(data=data):
                self.assertRaises(OvsdbGarbled, MessageStream().feed, data)

    def test_an_end_without_a_beginning_is_refused(self) -> None:
        """A closing brace too many shows that we lost count."""
        self.assertRaises(OvsdbGarbled, MessageStream().feed, b"{}}")

    def test_deep_nesting_is_refused(self) -> None:
        """Depth is bounded: a parser behind us may recurse."""
        deepest = b'{"a":' * (DEEPEST_MESSAGE - 1) + b"{}" + b"}" * (DEEPEST_MESSAGE - 1)
        self.assertEqual(MessageStream().feed(deepest), [deepest])
        self.assertRaises(OvsdbGarbled, MessageStream().feed, b'{"a":' + deepest + b"}")

    def test_an_endless_string_costs_linear_time(self) -> None:
        """Each byte is looked at once, though the string never ends."""
        stream = MessageStream()
        stream.feed(b'{"a":"')
        self.assertLess(seconds_to_feed(stream, b'ab\\"' * 1_000_000, 1000), 2.0)

    def test_no_structure_costs_linear_time(self) -> None:
        """A long list of numbers has no brace to stop at."""
        stream = MessageStream()
        stream.feed(b'{"a":[')
        self.assertLess(seconds_to_feed(stream, b"1," * 2_000_000, 65536), 2.0)

    def test_many_small_strings_cost_linear_time(self) -> None:
        """A great message is scanned much faster than it is made."""
        stream = MessageStream()
        stream.feed(b'{"a":[')
        self.assertLess(seconds_to_feed(stream, b'"a",{},' * 300_000, 65536), 2.0)

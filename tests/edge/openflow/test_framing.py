"""The stream parser takes any cut of the bytes, and refuses what is not OpenFlow."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.openflow import messages, replies
from quantumd.edge.openflow.framing import Framer, Message
from quantumd.edge.openflow.oxm import WireError

MESSAGES = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300), st.integers(0, 0xFFFFFFFF)), max_size=8)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes cut at the places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


class FramerTests(SynchronousTestCase):
    """Messages out of bytes."""

    @given(MESSAGES, st.lists(st.integers(0, 5000), max_size=20))
    def test_cut_anywhere(self, sent: list[tuple[int, bytes, int]], cuts: list[int]) -> None:
        """However the stream is cut, the same messages come out."""
        stream = b"".join(messages.message(kind, body, xid) for kind, body, xid in sent)
        framer = Framer()
        found = [message for piece in pieces(stream, cuts) for message in framer.feed(piece)]
        self.assertEqual(found, [Message(kind, xid, body) for kind, body, xid in sent])

    @given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
    def test_any_bytes_are_messages_or_are_refused(self, data: bytes, cuts: list[int]) -> None:
        """Random bytes end in messages, in waiting for more, or in WireError."""
        framer = Framer()
        try:
            for piece in pieces(data, cuts):
                list(framer.feed(piece))
        except WireError:
            return

    def test_length_shorter_than_the_header_is_refused(self) -> None:
        """A length of 0 would never get on."""
        self.assertRaises(WireError, list, Framer().feed(bytes.fromhex("0502000000000001")))

    def test_other_version_is_refused(self) -> None:
        """OpenFlow 1.3 after the greeting is not ours."""
        self.assertRaises(WireError, list, Framer().feed(bytes.fromhex("0402000800000001")))

    def test_byte_by_byte_costs_no_more_than_linear(self) -> None:
        """A large message in single bytes is taken in well under a second."""
        stream = messages.message(messages.ECHO_REQUEST, bytes(65_000), 1)
        framer = Framer()
        start = perf_counter()
        found = [message for n in range(len(stream)) for message in framer.feed(stream[n : n + 1])]
        self.assertEqual(len(found), 1)
        self.assertLess(perf_counter() - start, 2.0)


UNPACKERS = (
    replies.multipart, replies.flows, replies.groups, replies.meters, replies.ports, replies.port_status,
    replies.switch_error, replies.packet_in, replies.nicira_packet_in, replies.is_foreign_change,
)  # fmt: skip


class HostileReplyTests(SynchronousTestCase):
    """Bodies that no switch would send."""

    @given(st.binary(max_size=200))
    def test_any_bytes_unpack_or_are_refused(self, data: bytes) -> None:
        """Every unpacker ends, with a value or with WireError."""
        for unpack in UNPACKERS:
            try:
                unpack(data)
            except WireError:
                continue

    @given(st.integers(0, 3), st.binary(max_size=200))
    def test_lengths_of_zero_do_not_loop(self, length: int, data: bytes) -> None:
        """Pieces that claim to be shorter than their own header are refused."""
        part = length.to_bytes(2, "big") + bytes(6) + data
        for unpack in (replies.flows, replies.groups, replies.meters, replies.is_foreign_change):
            self.assertRaises(WireError, unpack, part)

    @given(st.binary(max_size=120))
    def test_any_packet_in_properties(self, data: bytes) -> None:
        """Properties of a packet-in, whatever they say."""
        try:
            replies.nicira_packet_in(bytes.fromhex("000023200000001e") + data)
        except WireError:
            return

"""Whatever a VM sends: nothing raises, nobody else is answered, and it costs little time."""

from __future__ import annotations

import random
import time

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import EVERY_MAC, pack_ip, pack_mac
from quantumd.dhcp.message import MessageType
from quantumd.dhcp.responder import Answer, answer
from tests.bed.counts import count
from tests.dhcp.client import (
    MAC,
    PORT,
    SERVER_MAC,
    TWO_ADDRESSES,
    TWO_SUBNETS,
    frame_of,
    read,
    request_payload,
)

EXAMPLES = count(300, 20_000)
SETTINGS = DhcpSettings()
OWN = {pack_ip("10.0.0.5"), pack_ip("192.168.7.5"), bytes(4)}
OPTIONS = [
    (50, pack_ip("10.0.0.5")),
    (54, pack_ip("10.0.0.2")),
    (55, b"\x01\x03\x79\xf9"),
    (57, b"\x02\x40"),
    (61, b"abc"),
]
SOUND = tuple(
    frame_of(request_payload(kind, OPTIONS, ciaddr=ciaddr))
    for kind in MessageType
    for ciaddr in ("0.0.0.0", "10.0.0.5")
)
EDITS = st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6)


def edit(frame: bytes, edits: list[tuple[int, bytes]], keep: int) -> bytes:
    """Return a frame with some bytes changed, cut at a length, its UDP checksum taken away so that it is looked at."""
    changed = bytearray(frame)
    for at, new in edits:
        changed[at : at + len(new)] = new
    changed[40:42] = b"\0\0"
    return bytes(changed[:keep])


class FuzzTests(SynchronousTestCase):
    """Hostile input."""

    def check(self, frame: bytes, answered: Answer) -> None:
        """A reply goes to the port's own MAC, or to all behind the one port; it gives only what is the port's."""
        if answered.frame is None:
            return
        reply = read(answered.frame)
        self.assertEqual((frame[6:12], reply.message.chaddr), (pack_mac(MAC), pack_mac(MAC)))
        self.assertIn(reply.datagram.target_mac, (pack_mac(MAC), EVERY_MAC))
        self.assertEqual(reply.datagram.source_mac, pack_mac(SERVER_MAC))
        self.assertIn(reply.message.yiaddr, OWN)
        self.assertLessEqual(len(answered.frame), 14 + TWO_SUBNETS.mtu_bytes)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.binary(max_size=600))
    def test_random_bytes(self, frame: bytes) -> None:
        """No frame raises."""
        self.check(frame, answer(frame, TWO_ADDRESSES, TWO_SUBNETS, SETTINGS))

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.sampled_from(SOUND), EDITS, st.integers(200, 600))
    def test_mutated_frames(self, frame: bytes, edits: list[tuple[int, bytes]], keep: int) -> None:
        """A frame that was sound until someone bent it."""
        bent = edit(frame, edits, keep)
        self.check(bent, answer(bent, TWO_ADDRESSES, TWO_SUBNETS, SETTINGS))

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.sampled_from(tuple(MessageType)), st.binary(max_size=400), st.integers(0, 0xFFFF))
    def test_random_options(self, kind: MessageType, tail: bytes, flags: int) -> None:
        """Everything right but the options."""
        frame = frame_of(request_payload(kind, tail=tail, flags=flags))
        self.check(frame, answer(frame, TWO_ADDRESSES, TWO_SUBNETS, SETTINGS))

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(
        st.sampled_from((MessageType.DISCOVER, MessageType.REQUEST, MessageType.INFORM)),
        st.binary(min_size=6, max_size=6),
        st.booleans(),
    )
    def test_foreign_macs(self, kind: MessageType, mac: bytes, is_in_header: bool) -> None:
        """Neither a foreign source nor a foreign chaddr is answered."""
        foreign = mac.hex(":")
        if foreign == MAC:
            return
        payload = request_payload(kind, OPTIONS, mac=MAC if is_in_header else foreign)
        frame = frame_of(payload, source_mac=foreign if is_in_header else MAC)
        self.assertIsNone(answer(frame, PORT, TWO_SUBNETS, SETTINGS).frame)

    def test_large_frames_take_little_time(self) -> None:
        """64 KiB of the worst junk: pads, one-byte options, long options of one code."""
        for junk in (b"\0", b"\x3d\x00", b"\x3d\x01a", b"\x3d\xff" + b"a" * 255, b"\x37\x01\xf9"):
            payload = request_payload(MessageType.DISCOVER, tail=(junk * 65_000)[:65_000])
            self.assertLess(self.cost_of(frame_of(payload)), 0.01)

    def test_the_longest_message_that_is_read_takes_little_time(self) -> None:
        """Under a millisecond or so, with room for a slow machine."""
        for junk in (b"\0", b"\x3d\x00", b"\x3d\x01a", b"\x37\x01\xf9"):
            payload = request_payload(MessageType.DISCOVER, tail=(junk * 1800)[:1800])
            self.assertLess(self.cost_of(frame_of(payload)), 0.01)

    def cost_of(self, frame: bytes) -> float:
        """Return the least CPU seconds of a few tries."""
        costs = []
        for _ in range(5):
            began = time.process_time()
            answer(frame, PORT, TWO_SUBNETS, SETTINGS)
            costs.append(time.process_time() - began)
        return min(costs)

    def test_a_stream_of_noise(self) -> None:
        """Many frames of one seed, without Hypothesis' care for small cases."""
        chance = random.Random(2131)
        for _ in range(EXAMPLES * 10):
            frame = bytearray(chance.choice(SOUND))
            for _ in range(chance.randrange(1, 8)):
                frame[chance.randrange(len(frame))] = chance.randrange(256)
            bent = edit(bytes(frame), [], len(frame))
            self.check(bent, answer(bent, evolve(TWO_ADDRESSES), TWO_SUBNETS, SETTINGS))

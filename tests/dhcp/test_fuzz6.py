"""Whatever a VM sends over IPv6: nothing raises, nobody else is answered, and it costs little time."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import pack_mac
from quantumd.dhcp.addresses6 import link_local
from quantumd.dhcp.frames6 import build_frame6, parse_frame6
from quantumd.dhcp.neighbour6 import answer_solicitation
from quantumd.dhcp.reasons import Reason
from quantumd.dhcp.responder6 import Answer6, answer6
from quantumd.edge.dhcpv6.messages import Code6, MessageType6, encode_option6
from tests.bed.counts import count
from tests.dhcp.client import MAC, SERVER_MAC
from tests.dhcp.client6 import (
    ADDRESS,
    CLIENT,
    SECOND_ADDRESS,
    SERVER,
    THREE_SUBNETS6,
    TWO_ADDRESSES6,
    frame6_of,
    ia,
    payload6,
    read6,
)

EXAMPLES = count(300, 20_000)
SETTINGS = DhcpSettings()
OWN = {ADDRESS, SECOND_ADDRESS}
OPTIONS = (CLIENT, SERVER, ia(ADDRESS, "2001:db8::1"), ia(iaid=b"abcd"), (Code6.RAPID_COMMIT, b""), (6, b"\0\x17"))
SOUND = tuple(
    payload6(kind, options) for kind in MessageType6 for options in (OPTIONS, (CLIENT, *OPTIONS[2:]), (CLIENT,), ())
)
EDITS = st.lists(st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6)


def edit(payload: bytes, edits: list[tuple[int, bytes]], keep: int) -> bytes:
    """Return a payload with some bytes changed, cut at a length."""
    changed = bytearray(payload)
    for at, new in edits:
        changed[at : at + len(new)] = new
    return bytes(changed[:keep])


class FuzzTests(SynchronousTestCase):
    """Hostile input."""

    def ask(self, frame: bytes) -> Answer6:
        """Give a frame to the responder."""
        return answer6(frame, TWO_ADDRESSES6, THREE_SUBNETS6, SETTINGS)

    def check(self, frame: bytes) -> None:
        """A reply goes to the one who asked; only what is the port's is given for any time."""
        answered = self.ask(frame)
        if answered.frame is None:
            return
        reply = read6(answered.frame)
        self.assertEqual((reply.datagram.target_mac, reply.datagram.source_mac), (pack_mac(MAC), pack_mac(SERVER_MAC)))
        self.assertEqual((reply.datagram.source_ip, frame[22:38]), (link_local(SERVER_MAC), reply.datagram.target_ip))
        lasting = {address for each in reply.granted for address, _, seconds in each.addresses if seconds}
        self.assertLessEqual(lasting, OWN)
        self.assertLessEqual(len(answered.frame), 14 + THREE_SUBNETS6.mtu_bytes)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.binary(max_size=600))
    def test_random_bytes(self, data: bytes) -> None:
        """As a frame, as an IPv6 packet, and as a payload."""
        self.check(data)
        self.check(pack_mac(SERVER_MAC) + pack_mac(MAC) + b"\x86\xdd" + data)
        self.check(frame6_of(data))
        answer_solicitation(data, THREE_SUBNETS6)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.sampled_from(SOUND), EDITS, st.integers(0, 300))
    def test_mutated_messages(self, payload: bytes, edits: list[tuple[int, bytes]], keep: int) -> None:
        """A message that was sound until someone bent it, in a frame that is sound."""
        self.check(frame6_of(edit(payload, edits, keep)))

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.sampled_from(SOUND), EDITS, st.integers(0, 300))
    def test_mutated_frames(self, payload: bytes, edits: list[tuple[int, bytes]], keep: int) -> None:
        """The frame itself is bent."""
        self.check(edit(frame6_of(payload), edits, keep))

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.sampled_from(SOUND), st.binary(min_size=6, max_size=6))
    def test_foreign_macs(self, payload: bytes, mac: bytes) -> None:
        """Are not answered."""
        if mac != pack_mac(MAC):
            self.assertIsNone(self.ask(frame6_of(payload, source_mac=mac.hex(":"))).frame)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.binary(max_size=2100), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
    def test_every_datagram_is_read_as_it_was_built(self, payload: bytes, source: int, target: int) -> None:
        """Checksum and length included."""
        found = parse_frame6(frame6_of(payload, target_port=target))
        if isinstance(found, Reason):
            self.fail(found)
        self.assertEqual((found.payload, found.target_port), (payload, target))
        self.assertEqual(parse_frame6(build_frame6(found)), found)

    def test_the_worst_message_takes_little_time(self) -> None:
        """Under a millisecond or so, with room for a slow machine: options of no length, and associations full."""
        addresses = b"".join(encode_option6(5, number.to_bytes(16, "big") + bytes(8)) for number in range(70))
        full = payload6(MessageType6.RENEW, (CLIENT, SERVER, (Code6.IA_NA, bytes(12) + addresses)))
        for payload in (
            full,
            payload6(MessageType6.SOLICIT, (CLIENT,), tail=b"\0\x08\0\0" * 500),
            payload6(MessageType6.SOLICIT, (CLIENT,), tail=encode_option6(Code6.IA_NA, bytes(12)) * 16),
            bytes((MessageType6.SOLICIT,)) + bytes(65_000),
        ):
            frame = frame6_of(payload)
            costs = []
            for _ in range(5):
                began = time.process_time()
                self.ask(frame)
                costs.append(time.process_time() - began)
            self.assertLess(min(costs), 0.01)

"""Frames: what is read back, and what is dropped and why."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.dhcp.frames import Datagram, build_frame, parse_frame
from quantumd.dhcp.reasons import Reason

SOUND = Datagram(b"\x02" * 6, b"\x04" * 6, b"\x0a\0\0\5", b"\x0a\0\0\2", 68, 67, b"hello")
FRAME = build_frame(SOUND)


def change(at: int, new: bytes, frame: bytes = FRAME) -> bytes:
    """Return a frame with other bytes at a place."""
    return frame[:at] + new + frame[at + len(new) :]


def with_ip_checksum(frame: bytes) -> bytes:
    """Return a frame whose 20-byte IP header has its right checksum, computed in the way of the textbook."""
    header = change(10, b"\0\0", frame[14:34])
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return change(24, struct.pack("!H", total ^ 0xFFFF), frame)


class ParseTests(SynchronousTestCase):
    """From bytes to a datagram or a reason."""

    def test_padding_is_ignored(self) -> None:
        """Short frames are padded to 60 bytes on the wire."""
        self.assertEqual(parse_frame(FRAME.ljust(60, b"\xaa")), SOUND)

    def test_truncated_anywhere_is_dropped(self) -> None:
        """No prefix of a frame is a frame."""
        for length in range(len(FRAME)):
            self.assertEqual(parse_frame(FRAME[:length]), Reason.FRAME_TRUNCATED)

    def test_tagged_is_dropped(self) -> None:
        """A VM's own VLAN tag is not looked through."""
        for tag in (b"\x81\x00", b"\x88\xa8"):
            self.assertEqual(parse_frame(FRAME[:12] + tag + b"\0\5" + FRAME[12:]), Reason.FRAME_TAGGED)

    def test_other_ether_types_are_dropped(self) -> None:
        """ARP and IPv6 are not for us."""
        self.assertEqual(parse_frame(change(12, b"\x86\xdd")), Reason.NOT_IPV4)

    def test_wrong_header_lengths_are_dropped(self) -> None:
        """Version 6, a header of 16 bytes, one longer than the packet."""
        for first in (0x65, 0x44, 0x4F):
            self.assertEqual(parse_frame(change(14, bytes((first,)))), Reason.BAD_IP_HEADER)

    def test_a_wrong_ip_checksum_is_dropped(self) -> None:
        """A bit fell over."""
        self.assertEqual(parse_frame(change(22, b"\x3f")), Reason.BAD_IP_CHECKSUM)

    def test_fragments_are_dropped(self) -> None:
        """The first (more to come) and the later ones (offset)."""
        for fragment in (b"\x20\x00", b"\x00\x05"):
            self.assertEqual(parse_frame(with_ip_checksum(change(20, fragment))), Reason.FRAGMENT)

    def test_do_not_fragment_is_no_fragment(self) -> None:
        """Most clients set it."""
        self.assertEqual(parse_frame(with_ip_checksum(change(20, b"\x40\x00"))), SOUND)

    def test_other_protocols_are_dropped(self) -> None:
        """TCP is not for us."""
        self.assertEqual(parse_frame(with_ip_checksum(change(23, b"\x06"))), Reason.NOT_UDP)

    def test_wrong_udp_lengths_are_dropped(self) -> None:
        """Shorter than its header, longer than its packet."""
        for length in (0, 7, 14, 0xFFFF):
            self.assertEqual(parse_frame(change(38, struct.pack("!H", length))), Reason.BAD_UDP_LENGTH)

    def test_a_wrong_udp_checksum_is_dropped(self) -> None:
        """A bit of the payload fell over."""
        self.assertEqual(parse_frame(change(42, b"J")), Reason.BAD_UDP_CHECKSUM)

    def test_no_udp_checksum_is_allowed(self) -> None:
        """RFC 768: zero says that the sender made none."""
        self.assertEqual(parse_frame(change(40, b"\0\0")), SOUND)

    def test_a_checksum_left_to_the_nic_is_allowed(self) -> None:
        """A kernel socket behind a veth sends the pseudo header's sum alone: renewals of containers."""
        pseudo = sum(struct.unpack("!6H", b"\x0a\0\0\5\x0a\0\0\2" + struct.pack("!HH", 17, 13)))
        self.assertEqual(parse_frame(change(40, struct.pack("!H", pseudo))), SOUND)

    def test_ip_options_are_skipped(self) -> None:
        """A longer header moves the datagram."""
        longer = change(14, b"\x46" + FRAME[15:16] + struct.pack("!H", len(FRAME) - 14 + 4), FRAME[:34])
        longer += b"\x01\x01\x01\x00" + FRAME[34:]
        header = change(10, b"\0\0", longer[14:38])
        total = sum(struct.unpack("!12H", header))
        checksum = (total & 0xFFFF) + (total >> 16) ^ 0xFFFF
        self.assertEqual(parse_frame(change(24, struct.pack("!H", checksum), longer)), SOUND)

    def test_junk_is_dropped(self) -> None:
        """The largest frame that there can be, of nothing."""
        for byte in (b"\0", b"\xff", b"\x45"):
            self.assertIsInstance(parse_frame(byte * 65_536), Reason)

    @settings(deadline=None)
    @given(st.binary(max_size=400))
    def test_any_bytes_get_an_answer(self, frame: bytes) -> None:
        """Nothing raises."""
        self.assertIsInstance(parse_frame(frame), (Datagram, Reason))

    @settings(deadline=None)
    @given(st.binary(max_size=80), st.binary(min_size=4, max_size=4), st.integers(0, 65_535), st.integers(0, 65_535))
    def test_what_is_built_is_read_back(self, payload: bytes, ip: bytes, source: int, target: int) -> None:
        """Both checksums are right for odd and even lengths."""
        datagram = Datagram(b"\x02" * 6, b"\x04" * 6, ip, b"\x0a\0\0\2", source, target, payload)
        self.assertEqual(parse_frame(build_frame(datagram)), datagram)
        self.assertEqual(with_ip_checksum(build_frame(datagram)), build_frame(datagram))

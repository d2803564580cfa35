"""DHCPv6 messages and the frames that carry them: what is read, and why something is not."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.dhcp.addresses6 import pack_ip6
from quantumd.dhcp.frames import Datagram
from quantumd.dhcp.frames6 import build_frame6, parse_frame6
from quantumd.dhcp.message6 import MOST_ASSOCIATIONS, Message6, parse_message6
from quantumd.dhcp.reasons import Reason
from quantumd.edge.dhcpv6.messages import Code6, MessageType6, build_message6, encode_option6
from tests.dhcp.client6 import ADDRESS, CLIENT, CLIENT_DUID, DUID, IAID, SECOND_ADDRESS, SERVER, frame6_of, ia, payload6

SOLICIT = payload6(MessageType6.SOLICIT, (CLIENT, ia()))
FRAME = frame6_of(SOLICIT)
_IP, _UDP = 14, 54


class MessageTests(SynchronousTestCase):
    """Payloads."""

    def test_everything_that_counts_is_read(self) -> None:
        """Options that are not known are passed over."""
        rapid = (Code6.RAPID_COMMIT, b"")
        options = (CLIENT, SERVER, (8, b"\0\0"), ia(ADDRESS, SECOND_ADDRESS), rapid, (0xFFFF, b"x"))
        message = parse_message6(payload6(MessageType6.REQUEST, options))
        if isinstance(message, Reason):
            self.fail(message)
        self.assertEqual((message.type, message.xid), (MessageType6.REQUEST, b"xid"))
        self.assertEqual((message.client_id, message.server_id, message.has_rapid_commit), (CLIENT_DUID, DUID, True))
        (association,) = message.associations
        self.assertEqual((association.code, association.iaid), (Code6.IA_NA, IAID))
        self.assertEqual(association.addresses, (pack_ip6(ADDRESS), pack_ip6(SECOND_ADDRESS)))

    def test_what_is_no_message(self) -> None:
        """Each has its reason."""
        many = [ia(iaid=number.to_bytes(4, "big")) for number in range(MOST_ASSOCIATIONS + 1)]
        for payload, reason in (
            (b"", Reason.MESSAGE_TRUNCATED),
            (b"\1xi", Reason.MESSAGE_TRUNCATED),
            (SOLICIT + bytes(2048), Reason.MESSAGE_TOO_LONG),
            (b"\0xid", Reason.NOT_A_REQUEST),
            (b"\x0exid", Reason.NOT_A_REQUEST),
            (b"\x0cxid", Reason.RELAYED),
            (SOLICIT + b"\0\1\0", Reason.OPTION_OVERRUN),
            (SOLICIT + b"\0\x08\0\1", Reason.OPTION_OVERRUN),
            (payload6(1, (CLIENT, CLIENT)), Reason.BAD_OPTION),
            (payload6(1, ((Code6.CLIENT_ID, b"\0\3"),)), Reason.BAD_OPTION),
            (payload6(1, ((Code6.CLIENT_ID, b"\0\3" + bytes(129)),)), Reason.BAD_OPTION),
            (payload6(1, (CLIENT, (Code6.SERVER_ID, b""))), Reason.BAD_OPTION),
            (payload6(1, (CLIENT, (Code6.IA_NA, bytes(11)))), Reason.BAD_OPTION),
            (payload6(1, (CLIENT, (Code6.IA_TA, bytes(3)))), Reason.BAD_OPTION),
            (payload6(1, (CLIENT, (Code6.IA_NA, bytes(12) + b"\0\5\0"))), Reason.BAD_OPTION),
            (payload6(1, (CLIENT, (Code6.IA_NA, bytes(12) + encode_option6(5, bytes(23))))), Reason.BAD_OPTION),
            (payload6(1, (CLIENT, *many)), Reason.BAD_OPTION),
        ):
            self.assertEqual(parse_message6(payload), reason, payload)

    def test_the_longest_id_and_the_most_associations(self) -> None:
        """Are taken."""
        longest = (Code6.CLIENT_ID, b"\0\3" + bytes(128))
        many = [ia(iaid=number.to_bytes(4, "big")) for number in range(MOST_ASSOCIATIONS)]
        self.assertIsInstance(parse_message6(payload6(1, (longest, *many))), Message6)

    def test_what_finds_no_room_is_left_out(self) -> None:
        """From the end, and never half of an option."""
        options = ((1, b"a" * 10), (2, b"b" * 10), (3, b"c"))
        whole = build_message6(MessageType6.REPLY, b"xid", options, 1000)
        self.assertEqual(whole, payload6(MessageType6.REPLY, options))
        self.assertEqual(build_message6(MessageType6.REPLY, b"xid", options, len(whole)), whole)
        self.assertEqual(build_message6(MessageType6.REPLY, b"xid", options, 31), payload6(7, options[:1]))


class FrameTests(SynchronousTestCase):
    """Frames."""

    def changed(self, at: int, new: bytes) -> bytes:
        """Return the frame with other bytes somewhere."""
        return FRAME[:at] + new + FRAME[at + len(new) :]

    def test_what_is_built_is_read(self) -> None:
        """Whatever the payload: of odd length, too, and with padding behind it."""
        for payload in (b"", b"x", SOLICIT, b"\xff" * 1001):
            datagram = Datagram(b"\2" * 6, b"\4" * 6, pack_ip6("fe80::1"), pack_ip6("fe80::2"), 546, 547, payload)
            self.assertEqual(parse_frame6(build_frame6(datagram) + b"padding"), datagram)

    def test_what_is_no_datagram(self) -> None:
        """Each has its reason."""
        for frame, reason in (
            (FRAME[:53], Reason.FRAME_TRUNCATED),
            (FRAME[:-1], Reason.FRAME_TRUNCATED),
            (self.changed(12, b"\x81\x00"), Reason.FRAME_TAGGED),
            (self.changed(12, b"\x08\x00"), Reason.NOT_IPV6),
            (self.changed(_IP, b"\x40"), Reason.BAD_IP_HEADER),
            (self.changed(_IP + 6, b"\x2c"), Reason.FRAGMENT),
            (self.changed(_IP + 6, b"\x00"), Reason.NOT_UDP),
            (self.changed(_IP + 6, b"\x06"), Reason.NOT_UDP),
            (self.changed(_IP + 4, b"\0\7"), Reason.BAD_UDP_LENGTH),
            (self.changed(_UDP + 4, b"\0\7"), Reason.BAD_UDP_LENGTH),
            (self.changed(_UDP + 4, b"\xff\xff"), Reason.BAD_UDP_LENGTH),
            (self.changed(_UDP + 6, b"\0\0"), Reason.BAD_UDP_CHECKSUM),
            (self.changed(len(FRAME) - 1, b"\1"), Reason.BAD_UDP_CHECKSUM),
        ):
            self.assertEqual(parse_frame6(frame), reason)

    def test_a_checksum_that_a_kernel_left_to_a_nic_will_do(self) -> None:
        """The sum of the pseudo header alone: what a veth carries."""
        sound = parse_frame6(FRAME)
        if isinstance(sound, Reason):
            self.fail(sound)
        pseudo = sound.source_ip + sound.target_ip + len(FRAME[_UDP:]).to_bytes(4, "big") + (17).to_bytes(4, "big")
        partial = sum(int.from_bytes(pseudo[at : at + 2], "big") for at in range(0, len(pseudo), 2))
        while partial > 0xFFFF:
            partial = (partial & 0xFFFF) + (partial >> 16)
        self.assertEqual(parse_frame6(self.changed(_UDP + 6, partial.to_bytes(2, "big"))), evolve(sound))

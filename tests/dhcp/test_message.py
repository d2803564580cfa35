"""Messages: options in all the forms in which they travel."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.dhcp.message import Message, MessageType, Reply, build_reply, encode_option, parse_message
from quantumd.dhcp.reasons import Reason
from tests.dhcp.client import request_payload

DISCOVER = MessageType.DISCOVER
FILE_AT, SNAME_AT = 108, 44


def parsed(payload: bytes) -> Message:
    """Return a message that must be sound."""
    message = parse_message(payload)
    if isinstance(message, Reason):
        raise AssertionError(message)
    return message


def put(payload: bytes, at: int, new: bytes) -> bytes:
    """Return a payload with other bytes at a place."""
    return payload[:at] + new + payload[at + len(new) :]


def reply_with(*options: tuple[int, bytes], most_bytes: int = 548) -> bytes:
    """Return a built reply."""
    head = (53, bytes((MessageType.ACK,)))
    return build_reply(Reply(7, 0, bytes(4), bytes(4), bytes(4), b"\x02" * 6, (head, *options)), most_bytes)


class ParseTests(SynchronousTestCase):
    """From bytes to a message or a reason."""

    def test_pads_are_skipped_and_the_end_is_the_end(self) -> None:
        """What is behind the end option is not looked at."""
        payload = request_payload(DISCOVER, tail=b"\0\0\x32\x04\x0a\0\0\5\0\xff\x36\x09")
        self.assertEqual(dict(parsed(payload).options), {53: b"\x01", 50: b"\x0a\0\0\5"})

    def test_a_missing_end_is_forgiven(self) -> None:
        """Some boot loaders send none."""
        self.assertEqual(parsed(request_payload(DISCOVER, tail=b"")).type, DISCOVER)

    def test_overruns_are_dropped(self) -> None:
        """A length beyond the message, and a code without a length."""
        for tail in (b"\x3d\x09abc", b"\x3d", b"\x3d\xff" + b"a" * 254):
            self.assertEqual(parse_message(request_payload(DISCOVER, tail=tail)), Reason.OPTION_OVERRUN)

    def test_split_options_are_joined(self) -> None:
        """RFC 3396: pieces of one code are one option, wherever they are."""
        payload = request_payload(DISCOVER, [(61, b"ab"), (50, b"\x0a\0\0\5"), (61, b"cd")])
        self.assertEqual(parsed(payload).options[61], b"abcd")

    def test_overloaded_fields_are_read(self) -> None:
        """Option 52: first the file field, then the sname field."""
        payload = request_payload(DISCOVER, [(52, b"\x03"), (61, b"a")])
        payload = put(put(payload, FILE_AT, b"\x3d\x01b\xff"), SNAME_AT, b"\x3d\x01c\xff")
        self.assertEqual(parsed(payload).options[61], b"abc")

    def test_fields_are_not_read_without_being_told(self) -> None:
        """A boot file's name is not made of options."""
        payload = put(request_payload(DISCOVER), FILE_AT, b"\x3d\x01b\xff")
        self.assertNotIn(61, parsed(payload).options)

    def test_an_overrun_in_an_overloaded_field_is_dropped(self) -> None:
        """It would run into the options."""
        payload = put(request_payload(DISCOVER, [(52, b"\x01")]), FILE_AT, b"\x3d\x80")
        self.assertEqual(parse_message(payload), Reason.OPTION_OVERRUN)

    def test_an_overload_within_an_overloaded_field_is_dropped(self) -> None:
        """Nothing is read twice, and nothing is believed that contradicts itself."""
        payload = put(request_payload(DISCOVER, [(52, b"\x01")]), FILE_AT, b"\x34\x01\x03\xff")
        self.assertEqual(parse_message(payload), Reason.BAD_OPTION)

    def test_wrong_lengths_are_dropped(self) -> None:
        """Addresses have four bytes, sizes two."""
        for bad in ((50, b"\x0a\0\0"), (54, b"\x0a\0\0\2\1"), (57, b"\x05"), (52, b""), (53, b"\x01")):
            self.assertEqual(parse_message(request_payload(DISCOVER, [bad])), Reason.BAD_OPTION)

    def test_unknown_types_are_dropped(self) -> None:
        """0 and 9 are no message types."""
        for value in (b"\x00", b"\x09"):
            self.assertEqual(parse_message(request_payload(None, [(53, value)])), Reason.BAD_OPTION)

    def test_bootp_is_dropped(self) -> None:
        """No message type, no DHCP."""
        self.assertEqual(parse_message(request_payload(None)), Reason.NO_MESSAGE_TYPE)

    def test_other_media_are_dropped(self) -> None:
        """Hardware type and address length are Ethernet's."""
        for at, value in ((1, b"\x20"), (2, b"\x10")):
            self.assertEqual(parse_message(put(request_payload(DISCOVER), at, value)), Reason.NOT_ETHERNET)

    def test_without_the_cookie_it_is_dropped(self) -> None:
        """RFC 2131 3: the first four bytes of the options field."""
        self.assertEqual(parse_message(put(request_payload(DISCOVER), 236, b"\0")), Reason.NO_COOKIE)

    def test_too_short_and_too_long_are_dropped(self) -> None:
        """No client sends more than a frame holds."""
        self.assertEqual(parse_message(request_payload(DISCOVER)[:239]), Reason.MESSAGE_TRUNCATED)
        self.assertEqual(parse_message(request_payload(DISCOVER, tail=bytes(65_000))), Reason.MESSAGE_TOO_LONG)

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_any_options_get_an_answer(self, options: bytes) -> None:
        """Nothing raises."""
        self.assertIsInstance(parse_message(request_payload(DISCOVER, tail=options)), (Message, Reason))


class BuildTests(SynchronousTestCase):
    """From values to bytes."""

    def test_long_options_are_split(self) -> None:
        """RFC 3396: at most 255 bytes in a piece."""
        value = bytes(range(256)) * 2
        self.assertEqual(encode_option(121, value)[:2], b"\x79\xff")
        self.assertEqual(parsed(reply_with((121, value), most_bytes=1472)).options[121], value)

    def test_what_fits_stays_in_the_options_field(self) -> None:
        """No overload without need."""
        self.assertNotIn(52, parsed(reply_with((15, b"a" * 200))).options)

    def test_what_does_not_fit_goes_to_the_other_fields(self) -> None:
        """Option 52, file and sname, each whole."""
        options = {15: b"a" * 250, 6: b"b" * 100, 12: b"c" * 50}
        payload = reply_with(*options.items())
        read = dict(parsed(payload).options)
        self.assertEqual((read.pop(52), read.pop(53)), (b"\x03", b"\x05"))
        self.assertEqual(read, options)
        self.assertLessEqual(len(payload), 548)

    def test_what_fits_nowhere_is_left_out(self) -> None:
        """The rest is told."""
        read = parsed(reply_with((1, b"\xff" * 4), (121, b"r" * 400), (3, b"g" * 4))).options
        self.assertEqual((read.get(121), read[1], read[3]), (None, b"\xff" * 4, b"g" * 4))

    @settings(deadline=None)
    @given(
        st.dictionaries(
            st.integers(1, 254).filter(lambda code: code not in (50, 52, 53, 54, 57)),
            st.binary(max_size=300),
            max_size=12,
        ),
        st.integers(548, 1472),
    )
    def test_replies_are_sound_and_within_bounds(self, options: dict[int, bytes], most_bytes: int) -> None:
        """Whatever is told, the client can read it, and nothing arrives in part."""
        payload = reply_with(*options.items(), most_bytes=most_bytes)
        self.assertLessEqual(len(payload), most_bytes)
        self.assertGreaterEqual(len(payload), 300)
        read = {code: value for code, value in parsed(payload).options.items() if code not in (52, 53)}
        self.assertEqual(read, {code: options[code] for code in read})
        self.assertEqual(struct.unpack_from("!BBBBI", payload), (2, 1, 6, 0, 7))

"""A port's own DHCPv4 options, as users write them."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP
from scapy.layers.l2 import Ether
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import pack_ip
from quantumd.dhcp.extra4 import Extra, extra_options4
from quantumd.dhcp.message import Code, MessageType
from quantumd.dhcp.responder import answer
from quantumd.model.records import ExtraOption
from tests.dhcp.client import NETWORK, PORT, Received, frame_of, read, request_payload

ONE, TWO = pack_ip("10.0.0.1"), pack_ip("10.0.0.2")


def extra(*options: tuple[str, str]) -> Extra:
    """Return what becomes of options."""
    return extra_options4(ExtraOption(4, name, value) for name, value in options)


def told(*options: tuple[str, str], wanted: bytes = b"", most_bytes: int = 1500) -> tuple[Received, bytes]:
    """Return what a client of a port with these options is offered, and the frame."""
    port = evolve(PORT, extra_options=tuple(ExtraOption(4, name, value) for name, value in options))
    asked = [(Code.WANTED_OPTIONS, wanted or b"\1"), (Code.MAX_MESSAGE_BYTES, most_bytes.to_bytes(2, "big"))]
    frame = answer(frame_of(request_payload(MessageType.DISCOVER, asked)), port, NETWORK, DhcpSettings()).frame
    return read(frame), frame or b""


class ExtraOptionTests(SynchronousTestCase):
    """Names, numbers and values."""

    def test_each_kind_of_value(self) -> None:
        """By the name of the option, or by its number."""
        for name, value, code, wanted in (
            ("ntp-server", "10.0.0.1,10.0.0.2", 42, ONE + TWO),
            ("42", "10.0.0.1", 42, ONE),
            ("tftp-server-address", "10.0.0.1", 150, ONE),
            ("bootfile-name", "pxelinux.0", 67, b"pxelinux.0"),
            ("TFTP-Server", "10.0.0.1", 66, b"10.0.0.1"),
            ("mtu", "1400", 26, b"\x05\x78"),
            ("default-ttl", "64", 23, b"\x40"),
            ("time-offset", "3600", 2, b"\0\0\x0e\x10"),
            ("domain-search", "a.example,b", 119, b"\1a\7example\0\1b\0"),
            ("121", "10.8.0.0/16,10.0.0.2,0.0.0.0/0,10.0.0.1", 121, b"\x10\x0a\x08" + TWO + b"\0" + ONE),
            ("classless-static-route", "10.8.0.1,10.0.0.2", 121, b"\x20\x0a\x08\0\1" + TWO),
            ("router", "", 3, b""),
            ("classless-static-route", " ", 121, b""),
            ("175", "01:ff", 175, b"\1\xff"),
            ("224", "10.0.0.1", 224, ONE),
            ("224", "7", 224, b"\7"),
            ("224", "words", 224, b"words"),
        ):  # fmt: skip
            self.assertEqual(dict(extra((name, value)).options), {code: wanted}, (name, value))

    def test_what_is_not_understood_is_left_out(self) -> None:
        """Unknown names, values that are none, and what the protocol itself speaks with."""
        for name, value in (
            ("no-such-option", "x"), ("ntp-server", "fd00::1"), ("ntp-server", "10.0.0"), ("ntp-server", "10.0.0.256"),
            ("mtu", "x"), ("mtu", "70000"), ("mtu", "-1"), ("classless-static-route", "10.8.0.0/16"),
            ("classless-static-route", "10.8.0.0/33,10.0.0.1"), ("classless-static-route", "10.8.0.0/x,10.0.0.1"),
            ("51", "60"), ("53", "5"), ("54", "10.0.0.9"), ("61", "x"), ("82", "x"), ("0", "x"), ("255", "x"),
            ("mtu", ""), ("domain-search", "a..b"), ("server-ip-address", "x"),
        ):  # fmt: skip
            self.assertEqual(extra((name, value)), Extra(), (name, value))

    def test_those_of_ipv6_are_others(self) -> None:
        """Whatever they are called."""
        self.assertEqual(extra_options4((ExtraOption(6, "67", "x"),)), Extra())

    @given(st.text(max_size=64), st.text(max_size=255))
    def test_nothing_raises(self, name: str, value: str) -> None:
        """The API takes nearly any text."""
        extra((name, value))

    @given(st.integers(0, 300), st.text(max_size=255))
    def test_no_number_raises(self, code: int, value: str) -> None:
        """The value of an option may be anything."""
        extra((str(code), value))


class ToldTests(SynchronousTestCase):
    """What clients see of them."""

    def test_a_machine_boots(self) -> None:
        """The head says what the options say: firmware reads one or the other."""
        reply, frame = told(
            ("bootfile-name", "pxelinux.0"), ("tftp-server", "boot.example"), ("server-ip-address", "10.0.0.9")
        )
        self.assertEqual((reply.option(67), reply.option(66)), (b"pxelinux.0", b"boot.example"))
        head = Ether(frame)[BOOTP]
        self.assertEqual((head.siaddr, head.file.rstrip(b"\0")), ("10.0.0.9", b"pxelinux.0"))
        self.assertEqual(head.sname.rstrip(b"\0"), b"boot.example")

    def test_they_take_the_place_of_the_networks(self) -> None:
        """And a blank one of what the network says; Microsoft's number for routes follows."""
        reply, _ = told(
            ("mtu", "1400"), ("router", ""), ("classless-static-route", "10.8.0.0/16,10.0.0.2"), wanted=b"\xf9"
        )
        self.assertEqual((reply.option(Code.MTU), reply.option(Code.ROUTER)), (b"\x05\x78", None))
        routes = b"\x10\x0a\x08" + TWO
        self.assertEqual((reply.option(121), reply.option(249)), (routes, routes))
        reply, _ = told(("classless-static-route", ""), wanted=b"\xf9")
        self.assertEqual((reply.option(121), reply.option(249)), (None, None))

    def test_a_head_that_is_used_takes_no_options(self) -> None:
        """What overflows goes where the boot file is not; names that are too long for the head are options alone."""
        long = [("bootfile-name", "x"), *[(str(code), "y" * 100) for code in range(224, 232)]]
        reply, frame = told(*long, most_bytes=576)
        self.assertEqual(Ether(frame)[BOOTP].file.rstrip(b"\0"), b"x")
        self.assertEqual(reply.option(67), b"x")
        reply, frame = told(("bootfile-name", "z" * 128), ("tftp-server", "z" * 64))
        self.assertEqual((reply.option(67), reply.option(66)), (b"z" * 128, b"z" * 64))
        self.assertEqual((Ether(frame)[BOOTP].file.strip(b"\0"), Ether(frame)[BOOTP].sname.strip(b"\0")), (b"", b""))

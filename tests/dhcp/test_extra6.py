"""A port's own DHCPv6 options, as users write them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.dhcp.addresses6 import pack_ip6
from quantumd.dhcp.domain_names import encode_names
from quantumd.dhcp.extra6 import extra_options6
from quantumd.model.records import ExtraOption

ONE, TWO = pack_ip6("fd00::1"), pack_ip6("fd00::2")


def encoded(name: str, value: str) -> dict[int, bytes]:
    """Return what becomes of one option."""
    return dict(extra_options6((ExtraOption(6, name, value),)))


class ExtraOptionTests(SynchronousTestCase):
    """Names, numbers and values."""

    def test_each_kind_of_value(self) -> None:
        """By the name of the option, or by its number."""
        for name, value, code, wanted in (
            ("dns-server", "fd00::1,fd00::2", 23, ONE + TWO),
            ("DNS-Server", "[fd00::1], [fd00::2]", 23, ONE + TWO),
            ("23", "fd00::1", 23, ONE),
            ("sntp-server", "fd00::1", 31, ONE),
            ("domain-search", "a.example,b.", 24, b"\1a\7example\0\1b\0"),
            ("bootfile-url", "tftp://[fd00::1]/x", 59, b"tftp://[fd00::1]/x"),
            ("bootfile-param", "root=/dev/x,quiet", 60, b"\0\x0broot=/dev/x\0\5quiet"),
            ("information-refresh-time", "3600", 32, b"\0\0\x0e\x10"),
            ("ntp-server", "fd00::1,ntp.example", 56, b"\0\1\0\x10" + ONE + b"\0\3\0\x0d\3ntp\7example\0"),
            ("tzdb-timezone", "Europe/Zurich", 42, b"Europe/Zurich"),
            ("200", "0a:ff", 200, b"\x0a\xff"),
            ("200", "[fd00::1]", 200, ONE),
            ("200", "[x]", 200, b"[x]"),
            ("200", "7", 200, b"\7"),
            ("200", "256", 200, b"\1\0"),
            ("200", "65536", 200, b"\0\1\0\0"),
            ("200", "4294967296", 200, b"4294967296"),
            ("200", "hello: world", 200, b"hello: world"),
        ):
            self.assertEqual(encoded(name, value), {code: wanted}, (name, value))

    def test_what_is_not_understood_is_left_out(self) -> None:
        """Unknown names, values that are none, and what the protocol itself speaks with."""
        for name, value in (
            ("no-such-option", "x"), ("dns-server", "9.9.9.9"), ("dns-server", "x"), ("domain-search", "a..b"),
            ("information-refresh-time", "-1"), ("information-refresh-time", "soon"), ("ntp-server", "a..b"),
            ("information-refresh-time", "4294967296"), ("200", "zz:zz"),
            ("server-id", "00:03"), ("1", "00:03"), ("3", "x"), ("13", "x"), ("25", "x"), ("0", "x"), ("65536", "x"),
            ("²", "x"),
        ):  # fmt: skip
            self.assertEqual(encoded(name, value), {}, (name, value))

    def test_those_of_ipv4_are_others(self) -> None:
        """Whatever they are called."""
        self.assertEqual(extra_options6((ExtraOption(4, "59", "x"), ExtraOption(6, "59", "y"))), ((59, b"y"),))

    def test_names_of_domains_have_limits(self) -> None:
        """63 bytes a label (RFC 1035 2.3.4)."""
        self.assertEqual(encode_names(["x" * 63]), b"\x3f" + b"x" * 63 + b"\0")
        for name in ("", ".", "x" * 64, ".".join(["x" * 60] * 5)):
            self.assertRaises(ValueError, encode_names, [name])

    @given(st.text(max_size=64), st.text(max_size=255))
    def test_nothing_raises(self, name: str, value: str) -> None:
        """The API takes nearly any text."""
        extra_options6((ExtraOption(6, name, value),))

    @given(st.integers(0, 70_000), st.text(max_size=255))
    def test_no_number_raises(self, code: int, value: str) -> None:
        """The value of an option may be anything."""
        encoded(str(code), value)

"""Which ports can lead to which."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.port_forwarding import PortSpan, entries_of, parse_span, span_fault

SPANS = st.tuples(st.integers(1, 40), st.integers(0, 9)).map(lambda each: PortSpan(each[0], each[0] + each[1]))


class SpanTests(SynchronousTestCase):
    """Ports in a row."""

    def test_what_names_them(self) -> None:
        """One, or the first and the last."""
        self.assertEqual(parse_span("80"), PortSpan(80, 80))
        self.assertEqual(parse_span("1:65535"), PortSpan(1, 65_535))
        self.assertEqual((parse_span("80").text, parse_span("80:90").text), ("80:80", "80:90"))
        self.assertEqual((parse_span("80").single, parse_span("80:90").single), (80, None))
        self.assertEqual(parse_span("80:90").size, 11)

    def test_what_names_none(self) -> None:
        """Nothing of another form, out of range, or the wrong way round."""
        for text in (
            "",
            ":",
            "80:",
            ":80",
            "0",
            "0:9",
            "65536",
            "1:65536",
            "9:8",
            "a",
            "-1",
            "1:2:3",
            " 1",
            "१",
            "9" * 99,
        ):
            self.assertRaises(ValueError, parse_span, text)

    @given(SPANS, SPANS)
    def test_overlaps(self, one: PortSpan, other: PortSpan) -> None:
        """They do when they have a port in common."""
        both = set(range(one.first, one.last + 1)) & set(range(other.first, other.last + 1))
        self.assertEqual(one.overlaps(other), bool(both))


class FaultTests(SynchronousTestCase):
    """What leads to what."""

    def test_as_many_or_one(self) -> None:
        """Nothing else."""
        wide = PortSpan(1, 65_535)
        for outer, inner in (("80", "8080"), ("80:89", "8080"), ("80:89", "80:89"), ("80:89", "8080:8089")):
            self.assertIsNone(span_fault(parse_span(outer), parse_span(inner)))
        self.assertIsNone(span_fault(wide, wide))
        self.assertIsNone(span_fault(wide, PortSpan(80, 80)))
        for outer, inner in (("80", "80:81"), ("80:89", "80:88"), ("80:81", "80:89")):
            self.assertIn("must be N-N or 1-N", span_fault(parse_span(outer), parse_span(inner)) or "")

    def test_what_hosts_make_of_it(self) -> None:
        """One entry; where ports lead to as many others, one of each."""
        for outer, inner, entries in (
            ("80", "8080", 1),
            ("80:89", "80:89", 1),
            ("80:89", "80", 1),
            ("80:89", "81:90", 10),
        ):
            self.assertEqual(entries_of(parse_span(outer), parse_span(inner)), entries)

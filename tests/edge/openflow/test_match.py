"""Matches are packed in the switch's order and unpacked again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.openflow.match import Value, mac, match, missing_needs, unpack_match
from quantumd.edge.openflow.oxm import FIELDS, WireError
from quantumd.edge.openflow.text import match_text


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Value]:
    """Any mix of fields, whether or not it makes sense."""
    found: dict[str, Value] = {}
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True)):
        numbers = st.integers(0, FIELDS[name].full)
        is_masked = FIELDS[name].maskable and draw(st.booleans())
        found[name] = draw(st.tuples(numbers, numbers)) if is_masked else draw(numbers)
    return found


def normal(values: dict[str, Value]) -> dict[str, tuple[int, int]]:
    """What a switch makes of a match: no bits outside of masks, no empty masks."""
    whole = {n: v if isinstance(v, tuple) else (v, FIELDS[n].full) for n, v in values.items()}
    return {name: (value & mask, mask) for name, (value, mask) in whole.items() if mask}


class MatchTests(SynchronousTestCase):
    """Packing and unpacking."""

    @given(fields())
    def test_unpacks_to_what_was_packed(self, values: dict[str, Value]) -> None:
        """Every field comes back with its value and mask, and none is invented."""
        found = {f.field.name: (f.value, f.mask) for f in unpack_match(match(**values))}
        self.assertEqual(found, normal(values))

    @given(fields())
    def test_order_of_naming_does_not_matter(self, values: dict[str, Value]) -> None:
        """The same fields give the same bytes, in whichever order they are named."""
        self.assertEqual(match(**dict(reversed(values.items()))), match(**values))

    @given(st.binary(max_size=80))
    def test_any_bytes_unpack_or_are_refused(self, data: bytes) -> None:
        """Bytes that are no match raise WireError and nothing else."""
        try:
            unpack_match(data)
        except WireError:
            return

    @given(fields().filter(bool), st.integers(1, 10))
    def test_truncated_is_refused_or_shorter(self, values: dict[str, Value], cut: int) -> None:
        """A match cut short never unpacks to the whole."""
        packed = match(**values)
        try:
            found = unpack_match(packed[:-cut])
        except WireError:
            return
        self.assertLessEqual(len(found), len(normal(values)))

    def test_unknown_field_is_named(self) -> None:
        """A slip of the pen says what was meant."""
        error = self.assertRaises(ValueError, match, ipv4_destination=3)
        self.assertIn("ipv4_destination", str(error))

    def test_value_too_large_is_refused(self) -> None:
        """A value must fit its field."""
        self.assertRaises(ValueError, match, ip_proto=256)

    def test_mask_where_none_is_possible_is_refused(self) -> None:
        """Some fields must match whole."""
        self.assertRaises(ValueError, match, eth_type=(0x0800, 0xFF00))

    def test_untagged_and_tagged(self) -> None:
        """Frames without a tag, with any, and with one."""
        texts = [match_text(match(vlan_vid=vid)) for vid in (0, (0x1000, 0x1000), 0x1005)]
        self.assertEqual(texts, ["vlan_vid=0x0", "vlan_vid=0x1000/0x1000", "vlan_vid=0x1005"])

    def test_reads_like_ovs_ofctl(self) -> None:
        """Addresses as addresses, prefixes as prefixes, conntrack states by name."""
        packed = match(
            in_port=3, eth_type=0x0800, eth_src=mac("fa:16:3e:00:00:01"), ipv4_dst=(0x0A000000, 0xFF000000), reg6=5,
            ct_state=(0x21, 0x23),
        )  # fmt: skip
        self.assertEqual(
            match_text(packed),
            "in_port=3,eth_src=fa:16:3e:00:00:01,eth_type=0x800,ipv4_dst=10.0.0.0/8,reg6=0x5,ct_state=+new-est+trk",
        )

    def test_says_what_is_missing(self) -> None:
        """A match that a switch would refuse is told by what it lacks."""
        wrong = missing_needs(unpack_match(match(eth_type=0x0800, tcp_dst=80)))
        self.assertEqual(wrong, "tcp_dst needs ip_proto to be one of 6")

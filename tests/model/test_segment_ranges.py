"""Ranges of segment ids."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.segment_ranges import (
    SegmentRange,
    candidates,
    choose_id,
    parse_tunnel_range,
    parse_vlan_range,
    ranges_of_project,
    without,
)


def vnis(first: int, last: int, project_id: str | None = None) -> SegmentRange:
    """Return a range of VNIs."""
    return SegmentRange("vxlan", "", first, last, project_id)


class ParseTests(SynchronousTestCase):
    """Ranges as the settings have them."""

    def test_range_is_parsed(self) -> None:
        """VLANs name their physical network, tunnels have none."""
        self.assertEqual(parse_vlan_range("physnet1:100:199"), SegmentRange("vlan", "physnet1", 100, 199))
        self.assertEqual(parse_tunnel_range("5:9", "gre", 100), SegmentRange("gre", "", 5, 9))

    def test_wrong_ranges_are_refused(self) -> None:
        """Missing parts, reversed bounds and ids that do not exist."""
        for text in ("physnet1", "physnet1:5", ":1:2", "physnet1:200:100", "physnet1:0:5", "physnet1:1:4095"):
            self.assertRaises(ValueError, parse_vlan_range, text)
        for text in ("5", "5:", "9:5", "0:5", "1:101", "a:b"):
            self.assertRaises(ValueError, parse_tunnel_range, text, "gre", 100)


class ChoiceTests(SynchronousTestCase):
    """Which id a network is given."""

    def test_lowest_free_id_is_chosen(self) -> None:
        """Until none is left."""
        self.assertEqual(choose_id(vnis(100, 102), {100}), 101)
        self.assertIsNone(choose_id(vnis(100, 102), {100, 101, 102}))

    def test_who_lost_one_takes_any(self) -> None:
        """So that many who lost do not all try the same."""
        self.assertEqual(choose_id(vnis(100, 109), {100}, lambda count: 3), 104)

    def test_candidates_are_inside(self) -> None:
        """Whatever the random numbers are."""
        self.assertEqual(candidates(vnis(10, 19), 2, lambda count: 2**count - 1), (15, 15))


class ProjectTests(SynchronousTestCase):
    """Ranges that belong to projects."""

    def test_own_ranges_come_first(self) -> None:
        """Then what everybody has."""
        own, shared = vnis(50, 60, "alice"), vnis(1, 10)
        self.assertEqual(ranges_of_project((shared, own), "alice"), (own, shared))

    def test_what_is_kept_for_others_is_left_out(self) -> None:
        """In the middle of a shared range, too."""
        found = ranges_of_project((vnis(1, 10), vnis(4, 5, "bob")), "alice")
        self.assertEqual(found, (vnis(1, 3), vnis(6, 10)))

    def test_parts_that_are_taken_out_may_overlap(self) -> None:
        """And may reach beyond the range on both sides."""
        kept = (vnis(1, 3, "a"), vnis(2, 6, "b"), vnis(9, 20, "c"))
        self.assertEqual(list(without(vnis(2, 12), kept)), [vnis(7, 8)])
        self.assertEqual(list(without(vnis(2, 3), kept)), [])

    def test_other_places_do_not_overlap(self) -> None:
        """A VLAN of another physical network is another VLAN."""
        left, right = SegmentRange("vlan", "physnet1", 1, 9), SegmentRange("vlan", "physnet2", 1, 9)
        self.assertFalse(left.overlaps(right))

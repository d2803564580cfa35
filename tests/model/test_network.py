"""Networks: segments and their ranges."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.network import (
    Segment,
    SegmentRules,
    VlanRange,
    choose_vlan,
    flat_choices,
    is_host_content,
    parse_vlan_range,
    ranges_for,
    segment_fault,
)

RULES = SegmentRules(("vlan",), ("*",), (VlanRange("physnet1", 100, 103),), frozenset({"physnet1", "physnet2"}))


class SegmentTests(SynchronousTestCase):
    """Segments that administrators name."""

    def test_possible_segments(self) -> None:
        """Local with nothing, flat on a physical network, VLAN in a range or outside of one."""
        for segment in (
            Segment("local"),
            Segment("flat", "physnet2"),
            Segment("vlan", "physnet1", 100),
            Segment("vlan", "physnet2", 4094),
            Segment("vlan", "physnet1"),
            Segment("vlan"),
        ):
            self.assertIsNone(segment_fault(segment, RULES), segment)

    def test_impossible_segments(self) -> None:
        """Each gets the sentence that Neutron has for it."""
        for segment, sentence in (
            (Segment("local", "physnet1"), "physical_network prohibited for local provider network"),
            (Segment("local", None, 5), "segmentation_id prohibited for local provider network"),
            (Segment("flat"), "physical_network required for flat provider network"),
            (Segment("flat", "physnet1", 5), "segmentation_id prohibited for flat provider network"),
            (Segment("flat", "nope"), "physical_network 'nope' unknown for flat provider network"),
            (Segment("vlan", "nope", 5), "physical_network 'nope' unknown for VLAN provider network"),
            (Segment("vlan", None, 5), "segmentation_id requires physical_network for VLAN provider network"),
            (Segment("vlan", "physnet1", 0), "segmentation_id out of range (1 through 4094)"),
            (Segment("vlan", "physnet1", 4095), "segmentation_id out of range (1 through 4094)"),
            (Segment("vxlan", None, 5), "network_type value 'vxlan' not supported"),
        ):
            self.assertEqual(segment_fault(segment, RULES), sentence)

    def test_flat_networks_can_be_limited(self) -> None:
        """Only the physical networks that the setting names take flat networks."""
        rules = SegmentRules(("flat",), ("physnet2",), (), frozenset({"physnet1", "physnet2"}))
        self.assertIsNotNone(segment_fault(Segment("flat", "physnet1"), rules))
        self.assertEqual(flat_choices(rules), ("physnet2",))


class RangeTests(SynchronousTestCase):
    """VLAN ranges."""

    def test_range_is_parsed(self) -> None:
        """As the setting has it."""
        self.assertEqual(parse_vlan_range("physnet1:100:199"), VlanRange("physnet1", 100, 199))

    def test_wrong_ranges_are_refused(self) -> None:
        """Missing parts, reversed bounds and VLANs that do not exist."""
        for text in ("physnet1", "physnet1:5", ":1:2", "physnet1:200:100", "physnet1:0:5", "physnet1:1:4095"):
            self.assertRaises(ValueError, parse_vlan_range, text)

    def test_lowest_free_vlan_is_chosen(self) -> None:
        """Until none is left."""
        self.assertEqual(choose_vlan(VlanRange("physnet1", 100, 102), {100}), 101)
        self.assertIsNone(choose_vlan(VlanRange("physnet1", 100, 102), {100, 101, 102}))

    def test_range_without_bridge_is_not_used(self) -> None:
        """A range of a physical network that has no bridge gives no VLAN."""
        rules = SegmentRules(("vlan",), ("*",), (VlanRange("physnet9", 1, 2),), frozenset({"physnet1"}))
        self.assertEqual(list(ranges_for(rules, None)), [])


class ContentTests(SynchronousTestCase):
    """What hosts hear of."""

    def test_rename_is_no_news_for_hosts(self) -> None:
        """Only what is in the record is."""
        self.assertFalse(is_host_content({"name", "description", "shared"}))
        self.assertTrue(is_host_content({"name", "admin_state_up"}))

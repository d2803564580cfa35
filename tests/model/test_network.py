"""Networks: segments and their ranges."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.network import (
    Segment,
    SegmentRules,
    Underlay,
    carried_types,
    flat_choices,
    is_host_content,
    largest_mtu,
    parse_physical_network_mtu,
    segment_fault,
)

RULES = SegmentRules(("vlan",), ("*",), (), frozenset({"physnet1", "physnet2"}))
WITH_TUNNELS = SegmentRules(("vxlan",), ("*",), (), frozenset(), carried_types(("gre", "vxlan"), preview=False))


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

    def test_tunnels(self) -> None:
        """Those that the drivers carry, with a number or without, on no physical network."""
        for segment, sentence in (
            (Segment("vxlan"), None),
            (Segment("vxlan", None, 2**24 - 1), None),
            (Segment("gre", None, 2**32 - 1), None),
            (Segment("vxlan", None, 2**24), "segmentation_id out of range (1 through 16777215)"),
            (Segment("vxlan", "physnet1"), "provider:physical_network specified for vxlan network"),
            (Segment("geneve", None, 5), "network_type value 'geneve' not supported"),
        ):
            self.assertEqual(segment_fault(segment, WITH_TUNNELS), sentence)

    def test_flat_networks_can_be_limited(self) -> None:
        """Only the physical networks that the setting names take flat networks."""
        rules = SegmentRules(("flat",), ("physnet2",), (), frozenset({"physnet1", "physnet2"}))
        self.assertIsNotNone(segment_fault(Segment("flat", "physnet1"), rules))
        self.assertEqual(flat_choices(rules), ("physnet2",))


class MtuTests(SynchronousTestCase):
    """The largest MTU of a network."""

    def test_tunnels_leave_room_for_their_headers(self) -> None:
        """Over IPv4 GRE takes 42 bytes, VXLAN 50 and Geneve with its options 58; over IPv6 20 more each."""
        for ip_version, expected in ((4, [1458, 1450, 1442]), (6, [1438, 1430, 1422])):
            underlay = Underlay(1500, overlay_ip_version=ip_version)
            found = [largest_mtu((Segment(each, None, 5),), underlay) for each in ("gre", "vxlan", "geneve")]
            self.assertEqual(found, expected)

    def test_physical_networks_may_have_their_own(self) -> None:
        """Flat networks and VLANs have that of their physical network."""
        underlay = Underlay(1500, {"physnet1": 9000})
        self.assertEqual(largest_mtu((Segment("vlan", "physnet1", 5),), underlay), 9000)
        self.assertEqual(largest_mtu((Segment("flat", "physnet2"),), underlay), 1500)
        self.assertEqual(largest_mtu((Segment("local"),), underlay), 1500)

    def test_smallest_segment_decides(self) -> None:
        """A network of several segments has an MTU that all of them carry."""
        several = (Segment("vlan", "physnet1", 5), Segment("vxlan", None, 5))
        self.assertEqual(largest_mtu(several, Underlay(9000, {"physnet1": 1500})), 1500)

    def test_setting_is_parsed(self) -> None:
        """physical_network:bytes; the name may hold colons."""
        self.assertEqual(parse_physical_network_mtu("a:b:9000"), ("a:b", 9000))
        for text in ("physnet1", ":9000", "physnet1:67", "physnet1:x"):
            self.assertRaises(ValueError, parse_physical_network_mtu, text)


class ContentTests(SynchronousTestCase):
    """What hosts hear of."""

    def test_rename_is_no_news_for_hosts(self) -> None:
        """Only what is in the record is."""
        self.assertFalse(is_host_content({"name", "description", "shared"}))
        self.assertTrue(is_host_content({"name", "admin_state_up"}))

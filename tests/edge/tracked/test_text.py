"""Connections as ovs-vswitchd writes them."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.tracked.interfaces import Connection
from quantumd.edge.tracked.text import read_connection, tuple_text, zone_of

_TCP = (
    "tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=4000,dport=80),reply=(src=10.0.0.2,dst=10.0.0.1,sport=80,dport=4000),"
    "zone=5,mark=1,protoinfo=(state=ESTABLISHED)"
)
_ICMP6 = "icmpv6,orig=(src=fd00::1,dst=fd00::2,id=7,type=128,code=0),reply=(src=fd00::2,dst=fd00::1,id=7),zone=6"


class TextTests(SynchronousTestCase):
    """Lines of a dump, and what flush-conntrack takes."""

    def test_lines_are_read(self) -> None:
        """Ports, or of ICMP type, code and identifier."""
        self.assertEqual(read_connection(_TCP), Connection(5, 6, "10.0.0.1", "10.0.0.2", 4000, 80))
        self.assertEqual(read_connection(_ICMP6), Connection(6, 58, "fd00::1", "fd00::2", 128, 0, 7))
        self.assertEqual((zone_of(_TCP), zone_of(_ICMP6)), (5, 6))

    def test_a_connection_in_no_zone_is_none_of_ours(self) -> None:
        """Nor is a line of another form."""
        for line in (_TCP.replace("zone=5,", ""), "", "tcp,orig=(),zone=5", _TCP.replace("10.0.0.1", "x")):
            self.assertIsNone(read_connection(line), line)
        self.assertIsNone(zone_of("zone=²"))

    def test_tuples_name_all_there_is(self) -> None:
        """Otherwise others would end too."""
        self.assertEqual(
            tuple_text(Connection(5, 6, "10.0.0.1", "10.0.0.2", 4000, 80)),
            "ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=6,ct_tp_src=4000,ct_tp_dst=80",
        )
        self.assertEqual(
            tuple_text(Connection(6, 58, "fd00::1", "fd00::2", 128, 0, 7)),
            "ct_ipv6_src=fd00::1,ct_ipv6_dst=fd00::2,ct_nw_proto=58,icmp_type=128,icmp_code=0,icmp_id=7",
        )

    @given(st.text())
    @example("²")
    def test_any_line_is_taken(self, line: str) -> None:
        """What is no connection is none, and no error."""
        read_connection(line)
        zone_of(line)

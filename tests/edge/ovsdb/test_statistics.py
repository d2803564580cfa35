"""What an answer with counters is read as."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.ovsdb.errors import OvsdbGarbled
from quantumd.edge.ovsdb.statistics import parse_statistics
from quantumd.model.counters import PortCounters, counters_of


class ParseTests(SynchronousTestCase):
    """An answer of the database, RFC 7047 5.2.2."""

    def test_counters_are_read_by_name(self) -> None:
        """Those of an interface that has counted nothing are none."""
        rows = [
            {"name": "vif", "statistics": ["map", [["rx_bytes", 7], ["tx_bytes", 9]]]},
            {"name": "new", "statistics": ["map", []]},
        ]
        found = parse_statistics(orjson.dumps({"id": 1, "error": None, "result": [{"rows": rows}]}))
        self.assertEqual(found, {"vif": {"rx_bytes": 7, "tx_bytes": 9}, "new": {}})

    def test_an_answer_that_is_none_is_garbled(self) -> None:
        """Refusals of the database too."""
        for answer in (b"", b"{}", b'{"result":null}', b'{"result":[]}', b'{"result":[{"error":"no"}]}'):
            with self.assertRaises(OvsdbGarbled):
                parse_statistics(answer)

    @given(st.binary(max_size=100))
    def test_rubbish_is_garbled_and_nothing_else(self, rubbish: bytes) -> None:
        """Whatever comes."""
        with self.assertRaises(OvsdbGarbled):
            parse_statistics(rubbish)


class CountersTests(SynchronousTestCase):
    """The switch's view and the port's."""

    def test_what_the_switch_receives_the_port_has_sent(self) -> None:
        """And the other way round."""
        statistics = {"rx_bytes": 1, "rx_packets": 2, "rx_dropped": 3, "tx_bytes": 4, "tx_packets": 5, "tx_dropped": 6}
        self.assertEqual(counters_of(statistics), PortCounters(4, 5, 6, 1, 2, 3))

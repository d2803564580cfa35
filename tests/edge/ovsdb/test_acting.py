"""What the database says of the mark that the switch has to reach."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.ovsdb.acting import marked
from quantumd.edge.ovsdb.errors import OvsdbGarbled


class MarkTests(SynchronousTestCase):
    """Its number."""

    def test_it_is_the_one_after_the_change(self) -> None:
        """Which comes second."""
        result = [{"count": 1}, {"rows": [{"next_cfg": 17}]}]
        self.assertEqual(marked(orjson.dumps({"id": 1, "error": None, "result": result})), 17)

    def test_an_answer_without_it_is_garbled(self) -> None:
        """Refusals of the database too."""
        for answer in (
            b"",
            b"{}",
            b'{"result":null}',
            b'{"result":[{"count":1}]}',
            b'{"result":[{"count":0},{"rows":[]}]}',
        ):
            with self.assertRaises(OvsdbGarbled):
                marked(answer)

    @given(st.binary(max_size=100))
    def test_rubbish_is_garbled_and_nothing_else(self, rubbish: bytes) -> None:
        """Whatever comes."""
        with self.assertRaises(OvsdbGarbled):
            marked(rubbish)

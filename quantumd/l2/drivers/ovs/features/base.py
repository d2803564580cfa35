"""The bridge's own flows: every table's last word."""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.edge.openflow.actions import instructions, output_reg
from quantumd.edge.openflow.interfaces import Flow
from quantumd.l2.drivers.ovs.pipeline import DROPPING, OUT_PORT, PASS_THROUGH, Feature, Table, cookie, go_to


def bridge_flows() -> Iterator[Flow]:
    """Drop what some tables do not know, pass on what the others do not want, put out what was decided."""
    mark = cookie(Feature.BASE, 0)
    for table in DROPPING:
        yield Flow(table, 0, b"", mark, b"")
    for table, following in PASS_THROUGH.items():
        yield Flow(table, 0, b"", mark, go_to(following))
    yield Flow(Table.OUTPUT, 0, b"", mark, instructions(output_reg(OUT_PORT)))

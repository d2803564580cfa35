"""Reading the counters of interfaces, once, over a connection of its own.

The replica does not follow them: the switch writes those of every interface every few seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from quantumd.edge.ovsdb.errors import OvsdbGarbled
from quantumd.edge.ovsdb.question import open_question
from quantumd.edge.ovsdb.statements import Statement

Statistics = Mapping[str, Mapping[str, int]]
"""Counters by the name of the interface, named as in ovs-vswitchd.conf.db(5), column statistics."""

_SELECT: Final[Statement] = {"op": "select", "table": "Interface", "where": [], "columns": ["name", "statistics"]}


async def read_statistics(reactor: Any, path: str, seconds: float) -> Statistics:
    """Return the counters of every interface. EdgeError."""
    question = await open_question(reactor, path, seconds)
    try:
        return parse_statistics(await question.ask(seconds, _SELECT))
    finally:
        question.close()


def parse_statistics(message: bytes) -> Statistics:
    """Return what an answer holds. OvsdbGarbled."""
    try:
        rows = orjson.loads(message)["result"][0]["rows"]
        return {row["name"]: {name: int(value) for name, value in row["statistics"][1]} for row in rows}
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise OvsdbGarbled(f"counters that are none: {error}") from None

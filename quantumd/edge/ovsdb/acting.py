"""Waiting for the switch to act on what was committed, as ``ovs-vsctl`` does.

Source: ovs-vswitchd.conf.db(5), columns next_cfg and cur_cfg; RFC 7047 5.2.6 (wait).
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from quantumd.edge.ovsdb.errors import OvsdbGarbled
from quantumd.edge.ovsdb.question import open_question
from quantumd.edge.ovsdb.statements import Statement
from quantumd.errors import EdgeTimeout

_TABLE: Final = "Open_vSwitch"
_MARK: Final[tuple[Statement, ...]] = (
    {"op": "mutate", "table": _TABLE, "where": [], "mutations": [["next_cfg", "+=", 1]]},
    {"op": "select", "table": _TABLE, "where": [], "columns": ["next_cfg"]},
)


async def switch_acted(reactor: Any, path: str, seconds: float) -> None:
    """Return when the switch has acted on all that the database had before. EdgeError."""
    question = await open_question(reactor, path, seconds)
    try:
        number = marked(await question.ask(seconds, *_MARK))
        answer = await question.ask(seconds, _until(number, seconds))
        if b"timed out" in answer:
            raise EdgeTimeout(f"The switch did not act within {seconds:g} s.")
    finally:
        question.close()


def marked(answer: bytes) -> int:
    """Return the number that the switch will have reached. OvsdbGarbled."""
    try:
        return int(orjson.loads(answer)["result"][1]["rows"][0]["next_cfg"])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise OvsdbGarbled(f"a mark that is none: {error}") from None


def _until(number: int, seconds: float) -> Statement:
    return {
        "op": "wait",
        "table": _TABLE,
        "where": [["cur_cfg", ">=", number]],
        "columns": ["cur_cfg"],
        "until": "!=",
        "rows": [],
        "timeout": int(seconds * 1000),
    }

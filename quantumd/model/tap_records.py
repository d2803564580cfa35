"""Records of taps: which ports get copies of what other ports send and get."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen


@frozen
class TapRecord:
    """What the l2 role of a host must know of a tap flow, one of whose ports is bound to it.

    ``direction`` is one of quantumd.model.taps. If the ports are on two hosts, copies travel in a tunnel of
    ``tunnel_type`` under the id ``number``, from ``source_end`` to ``target_end``; if these are '', they cannot.
    ``version`` is the position at which it was read, which no digest covers: see docs/decisions/record-versions.md.
    """

    kind: ClassVar[str] = "l2.tap"
    id: str
    version: int
    source_id: str
    target_id: str
    direction: str
    number: int
    tunnel_type: str = ""
    source_end: str = ""
    target_end: str = ""

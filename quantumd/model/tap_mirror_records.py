"""Records of tap mirrors: to which addresses copies go of what a port sends and gets."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen


@frozen
class TapMirrorRecord:
    """What the l2 role of a host must know of a tap mirror whose port is bound to it.

    Copies go to ``remote_ip``, as ``mirror_type`` (one of quantumd.model.tap_mirrors) says: what the port gets under
    ``in_id``, what it sends under ``out_id``; 0 is no copies.
    ``version`` is the position at which it was read, which no digest covers: see docs/decisions/record-versions.md.
    """

    kind: ClassVar[str] = "l2.tap_mirror"
    id: str
    version: int
    port_id: str
    mirror_type: str
    remote_ip: str
    in_id: int
    out_id: int

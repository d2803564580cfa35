"""What the l2 role of a host must know of tap mirrors: pure, from nouns to records."""

from __future__ import annotations

from collections.abc import Collection

from quantumd.model.nouns import TapMirror
from quantumd.model.tap_mirror_records import TapMirrorRecord


def mirror_record(mirror: TapMirror, ends: Collection[str], position: int) -> TapMirrorRecord | None:
    """Compile a mirror, as read at a position of the journal; None of one that no host may carry out.

    :param ends: where tunnels of networks end. What comes there from a host is taken for frames of a network.
    """
    if mirror.remote_ip in ends:
        return None
    said = (mirror.port_id, mirror.mirror_type, mirror.remote_ip)
    return TapMirrorRecord(mirror.id, position, *said, *mirror.ids)

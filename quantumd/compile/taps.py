"""What the l2 role of a host must know of taps: pure, from nouns to records."""

from __future__ import annotations

from collections.abc import Mapping

from quantumd.model.nouns import Tap, TunnelEnd
from quantumd.model.tap_records import TapRecord


def tap_record(tap: Tap, ends: Mapping[str, TunnelEnd], position: int) -> TapRecord:
    """Compile a tap flow, as read at a position of the journal.

    :param ends: where tunnels to the hosts of both ports end.
    """
    said = (tap.id, position, tap.source_id, tap.target_id, tap.direction, tap.number)
    source, target = ends.get(tap.source_host), ends.get(tap.target_host)
    if tap.source_host == tap.target_host or source is None or target is None:
        return TapRecord(*said)
    common = next((each for each in source.types if each and each in target.types), "")
    if not common or (":" in source.tunnel_ip) != (":" in target.tunnel_ip):
        return TapRecord(*said)
    return TapRecord(*said, common, source.tunnel_ip, target.tunnel_ip)

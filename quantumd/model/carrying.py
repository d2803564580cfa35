"""By which of its segments a host carries a network: by the first that it can, and by that one alone."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from quantumd.model.network import TUNNEL_TYPES, Segment


@frozen
class Reach:
    """What leaves a host: tunnels of these types, and these physical networks; None: it does not say which."""

    tunnel_types: frozenset[str] = frozenset()
    physical_networks: frozenset[str] | None = None

    def carries(self, segment: Segment) -> bool:
        """Whether ports of the host can be on a segment."""
        if segment.network_type in TUNNEL_TYPES:
            return segment.network_type in self.tunnel_types
        name = segment.physical_network
        return name is None or self.physical_networks is None or name in self.physical_networks


NOWHERE = Reach()
"""That of a host of which nothing is known."""


def carried_segment(segments: Sequence[Segment], reach: Reach) -> Segment | None:
    """Return the segment by which a host carries a network that has these, None when it cannot."""
    return next((each for each in segments if reach.carries(each)), None)


def segment_on(segments: Sequence[Segment], reach: Reach) -> Segment:
    """Return what a host is told of a network that has these: who cannot carry it is told of the first, and says so."""
    return carried_segment(segments, reach) or segments[0]

"""Where copies of what ports send and get go, and where they come from: by taps and mirrors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from attrs import define, field

from quantumd.converge.records import Records
from quantumd.l2.drivers.ovs.desired import Copies, Mirrored, Taps
from quantumd.l2.drivers.ovs.mirrors import MirrorIndex, kind_of
from quantumd.l2.drivers.ovs.pipeline import port_number
from quantumd.l2.drivers.ovs.taps import TapIndex
from quantumd.model.records import PortRecord
from quantumd.model.tap_mirror_records import TapMirrorRecord
from quantumd.model.tap_records import TapRecord
from quantumd.model.taps import IN, OUT

T = TypeVar("T")


@define(eq=False)
class Copying:
    """Numbers are those of tunnels that are open, by their types and kinds: the view's own, as they are when asked."""

    _records: Records
    _tunnel_ofports: Mapping[str, int]
    _mirror_ofports: Mapping[str, int]
    _ofport_of: Callable[[str], int | None]
    """Returns the OpenFlow number of a port that is plugged here."""
    taps: TapIndex = field(init=False)
    mirrors: MirrorIndex = field(init=False)

    @taps.default
    def _make_taps(self) -> TapIndex:
        return TapIndex(self._records)

    @mirrors.default
    def _make_mirrors(self) -> MirrorIndex:
        return MirrorIndex(self._records)

    def ports(self) -> frozenset[str]:
        """Return every port of which something is copied, or to which."""
        return self.taps.ports() | self.mirrors.ports()

    def of(self, port_id: str) -> Taps:
        """Return what is copied of a port, and what it gets of others."""
        records, mirrors = self.taps.of(port_id), self.mirrors.of(port_id)
        if not (records or mirrors):
            return Taps()
        tapped = [(record.direction, self._copies_to(record)) for record in records if record.source_id == port_id]
        sent = [*(to for direction, to in tapped if direction != IN), *self._mirrored(mirrors, OUT)]
        got = [*(to for direction, to in tapped if direction != OUT), *self._mirrored(mirrors, IN)]
        arriving = [self._copies_from(record) for record in records if record.target_id == port_id]
        return Taps(_different(sent), _different(got), _different(arriving))

    def _mirrored(self, mirrors: Iterable[TapMirrorRecord], direction: str) -> Iterator[Mirrored]:
        """Yield where the copies go of what a port sends or gets, as far as they can leave."""
        for mirror in mirrors:
            ofport = self._mirror_ofports.get(kind_of(mirror))
            tunnel_id = mirror.out_id if direction == OUT else mirror.in_id
            if ofport is not None and tunnel_id:
                yield Mirrored(ofport, tunnel_id, mirror.remote_ip)

    def _copies_to(self, tap: TapRecord) -> Copies | None:
        """Return where the copies of a tap go; None while they cannot get there."""
        target, ofport = self._records.get(PortRecord.kind, tap.target_id), self._ofport_of(tap.target_id)
        if isinstance(target, PortRecord):
            if ofport is None or not target.admin_state_up:
                return None
            return Copies(ofport, port_number(ofport, target.segmentation_id))
        tunnel = self._tunnel_ofports.get(tap.tunnel_type)
        return Copies(tunnel, tap.number, tap.target_end) if tunnel is not None and tap.target_end else None

    def _copies_from(self, tap: TapRecord) -> Copies | None:
        """Return out of which tunnels the copies of a tap come, None of one whose source is here."""
        tunnel = self._tunnel_ofports.get(tap.tunnel_type)
        return Copies(tunnel, tap.number, tap.source_end) if tunnel is not None and tap.source_end else None


def _different(copies: Iterable[T | None]) -> tuple[T, ...]:
    # Two taps of a port may go to the same service.
    return tuple(dict.fromkeys(each for each in copies if each is not None))

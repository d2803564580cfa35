"""Which ports of this host are tapped, and which get copies: an index of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, field

from quantumd.converge.records import Records
from quantumd.model.records import RecordKey
from quantumd.model.tap_records import TapRecord


@define
class TapIndex:
    """Kept up to date with records; looks nothing up outside."""

    _records: Records
    _ends: dict[str, tuple[str, str]] = field(factory=dict, init=False)
    """tap → the port whose frames are copied, and the port that gets them."""
    _taps: dict[str, set[str]] = field(factory=dict, init=False)
    """port → taps that it is an end of."""

    def note(self, changed: Iterable[RecordKey]) -> frozenset[str]:
        """Bring the index up to date; return the ports whose flows may differ now."""
        touched: set[str] = set()
        for kind, record_id in changed:
            if kind == TapRecord.kind:
                touched.update(self._note(record_id))
        return frozenset(touched)

    def of(self, port_id: str) -> tuple[TapRecord, ...]:
        """Return the taps that a port is an end of, in order."""
        found = (self._records.get(TapRecord.kind, each) for each in sorted(self._taps.get(port_id, ())))
        return tuple(record for record in found if isinstance(record, TapRecord))

    def tapped_by(self, port_id: str) -> Iterator[str]:
        """Yield the ports whose frames are copied to a port."""
        for tap_id in self._taps.get(port_id, ()):
            source, target = self._ends[tap_id]
            if target == port_id:
                yield source

    def ports(self) -> frozenset[str]:
        """Return every port that is an end of a tap."""
        return frozenset(self._taps)

    def _note(self, tap_id: str) -> Iterator[str]:
        record = self._records.get(TapRecord.kind, tap_id)
        for port_id in self._ends.pop(tap_id, ()):
            yield port_id
            self._taps[port_id].discard(tap_id)
            if not self._taps[port_id]:
                del self._taps[port_id]
        if isinstance(record, TapRecord) and record.source_id != record.target_id:
            self._ends[tap_id] = (record.source_id, record.target_id)
            for port_id in self._ends[tap_id]:
                self._taps.setdefault(port_id, set()).add(tap_id)
                yield port_id

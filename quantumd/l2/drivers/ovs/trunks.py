"""Which ports of this host are sub-ports, and of which: an index of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, field

from quantumd.model.records import PortRecord, RecordKey


@define
class TrunkIndex:
    """Kept up to date with records; looks nothing up outside."""

    _parents: dict[str, str] = field(factory=dict, init=False)
    _sub_ports: dict[str, set[str]] = field(factory=dict, init=False)

    def note(self, port_id: str, record: PortRecord | None) -> None:
        """Note what a port's record says of its parent; None when the record is gone."""
        old = self._parents.pop(port_id, None)
        if old is not None:
            self._sub_ports[old].discard(port_id)
            if not self._sub_ports[old]:
                del self._sub_ports[old]
        if record is not None and record.parent_id:
            self._parents[port_id] = record.parent_id
            self._sub_ports.setdefault(record.parent_id, set()).add(port_id)

    def parents_in(self, changed: Iterable[RecordKey]) -> Iterator[str]:
        """Yield the parents of those of the records that are sub-ports, as far as was noted."""
        for kind, record_id in changed:
            if kind == PortRecord.kind and record_id in self._parents:
                yield self._parents[record_id]

    def parent_of(self, port_id: str) -> str | None:
        """Return the port on whose device the port's frames travel; None when it has one of its own."""
        return self._parents.get(port_id)

    def sub_ports_of(self, port_id: str) -> frozenset[str]:
        """Return the ports whose frames travel on this one's device."""
        return frozenset(self._sub_ports.get(port_id, ()))

    def has_sub_ports(self, port_id: str) -> bool:
        """Whether the port is the parent of some."""
        return port_id in self._sub_ports

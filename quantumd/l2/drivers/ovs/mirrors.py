"""Which ports of this host are mirrored to addresses outside, and which tunnel ports that takes: they are made for it.

A tunnel port is of one kind, as Open vSwitch names them: GRE or ERSPAN, over IPv4 or IPv6.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, ip_address
from typing import Final

from attrs import define, field

from quantumd.converge.records import Records
from quantumd.edge.ovsdb.interfaces import InterfaceRow, Operation, PutTunnelPort, RemovePort
from quantumd.l2.drivers.ovs.bridges import OWNED, is_open, named
from quantumd.model.records import RecordKey
from quantumd.model.tap_mirror_records import TapMirrorRecord
from quantumd.model.tap_mirrors import ERSPAN, GRE

_OVER_IPV4: Final = {GRE: "gre", ERSPAN: "erspan"}
KINDS: Final = tuple(f"{over}{name}" for name in _OVER_IPV4.values() for over in ("", "ip6"))
_MIRROR_KEY: Final = "quantumd-mirror"
"""Under this key a tunnel port of mirrors remembers its kind."""


def kind_of(mirror: TapMirrorRecord) -> str:
    """Return the kind of tunnel ports by which the copies of a mirror leave."""
    name = _OVER_IPV4[mirror.mirror_type]
    return name if isinstance(ip_address(mirror.remote_ip), IPv4Address) else f"ip6{name}"


def port_name(kind: str) -> str:
    """Return the name of the one tunnel port of a kind."""
    return f"mir-{kind}"


def operations_for(bridge: str, kinds: Collection[str], interfaces: Mapping[str, InterfaceRow]) -> Iterator[Operation]:
    """Yield what makes tunnel ports of these kinds, and no others; nothing when it is so."""
    wanted = {port_name(kind): kind for kind in sorted(kinds)}
    for name, row in sorted(interfaces.items()):
        if _MIRROR_KEY in row.external_ids and name not in wanted:
            yield RemovePort(bridge, name)
    for name, kind in wanted.items():
        if name not in interfaces or interfaces[name].external_ids.get(_MIRROR_KEY) != kind:
            # Copies come from the address that the host's routes choose.
            yield PutTunnelPort(bridge, name, kind, "", {**OWNED, _MIRROR_KEY: kind})


def broken(kinds: Collection[str], interfaces: Mapping[str, InterfaceRow]) -> dict[str, str]:
    """Return which of the kinds Open vSwitch does not open, and why. One that it was not told of yet is not broken."""
    rows = {kind: interfaces.get(port_name(kind)) for kind in kinds}
    return {
        kind: f"copies do not leave by {kind}: Open vSwitch does not open {named(port_name(kind), row)}"
        for kind, row in sorted(rows.items())
        if row is not None and row.ofport is not None and not is_open(row)
    }


@define
class MirrorIndex:
    """Kept up to date with records; looks nothing up outside."""

    _records: Records
    _port_of: dict[str, str] = field(factory=dict, init=False)
    _of_port: dict[str, set[str]] = field(factory=dict, init=False)
    """port → its mirrors."""

    def note(self, changed: Iterable[RecordKey]) -> frozenset[str]:
        """Bring the index up to date; return the ports whose flows may differ now."""
        touched: set[str] = set()
        for kind, record_id in changed:
            if kind == TapMirrorRecord.kind:
                touched.update(self._note(record_id))
        return frozenset(touched)

    def of(self, port_id: str) -> tuple[TapMirrorRecord, ...]:
        """Return the mirrors of a port, in order, but for those of types that a newer server knows."""
        found = (self._records.get(TapMirrorRecord.kind, each) for each in sorted(self._of_port.get(port_id, ())))
        return tuple(each for each in found if isinstance(each, TapMirrorRecord) and each.mirror_type in _OVER_IPV4)

    def ports(self) -> frozenset[str]:
        """Return every port that is mirrored."""
        return frozenset(self._of_port)

    def kinds(self) -> frozenset[str]:
        """Return the kinds of tunnel ports that the mirrors need."""
        return frozenset(kind_of(record) for port_id in self._of_port for record in self.of(port_id))

    def _note(self, mirror_id: str) -> Iterator[str]:
        record, old = self._records.get(TapMirrorRecord.kind, mirror_id), self._port_of.pop(mirror_id, None)
        if old is not None:
            yield old
            self._of_port[old].discard(mirror_id)
            if not self._of_port[old]:
                del self._of_port[old]
        if isinstance(record, TapMirrorRecord):
            self._port_of[mirror_id] = record.port_id
            self._of_port.setdefault(record.port_id, set()).add(mirror_id)
            yield record.port_id

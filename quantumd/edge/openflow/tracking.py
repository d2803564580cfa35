"""Connections that a bridge in memory remembers, as Open vSwitch's userspace datapath tracks them.

Not followed: time (an entry stays), the windows of TCP, and fragments before they are whole.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve, field, frozen

from quantumd.edge.openflow.oxm import CT_STATE_BITS, ETH_IPV4, ETH_IPV6, IP_ICMP, IP_ICMPV6, IP_SCTP, IP_TCP, IP_UDP

_NEW, _EST, _RPL, _INV, _TRK = (CT_STATE_BITS[name] for name in ("new", "est", "rpl", "inv", "trk"))
_PORTS = {IP_TCP: ("tcp_src", "tcp_dst"), IP_UDP: ("udp_src", "udp_dst"), IP_SCTP: ("sctp_src", "sctp_dst")}
_ICMP = {IP_ICMP: ("icmp_type", "icmp_code"), IP_ICMPV6: ("icmpv6_type", "icmpv6_code")}
_ANSWERED = {8: 0, 0: 8, 128: 129, 129: 128}
"""Echo requests and their answers, of both protocols."""

_Get = Callable[[str], int]


@frozen
class Tuple:
    """The ends of one direction. Of ICMP the ports are type and code; the identifier is not looked at."""

    kind: int
    protocol: int
    source: int
    target: int
    source_port: int = 0
    target_port: int = 0

    def reversed(self) -> Tuple:
        """Return the ends of the other direction."""
        ports = (self.target_port, self.source_port)
        if self.protocol in _ICMP:
            ports = (_ANSWERED.get(self.source_port, self.source_port), self.target_port)
        return Tuple(self.kind, self.protocol, self.target, self.source, *ports)


@frozen
class Entry:
    """A connection: the direction of its first packet, and what it is marked with."""

    zone: int
    original: Tuple
    mark: int = 0


@define
class Connections:
    """All connections of a switch."""

    _entries: dict[tuple[int, Tuple], Entry] = field(factory=dict)
    limits: dict[int, int] = field(factory=dict)
    """How many there may be in a zone; 0, or no limit: as many as there are."""

    def copy(self) -> Connections:
        """Return others that begin the same."""
        return Connections(dict(self._entries), dict(self.limits))

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(tuple({id(entry): entry for entry in self._entries.values()}.values()))

    def look(self, zone: int, get: _Get) -> tuple[int, int]:
        """Return the state and mark of the packet whose fields ``get`` gives."""
        ends = tuple_of(get)
        if ends is None:
            return _TRK | _INV, 0
        entry = self._entries.get((zone, ends))
        if entry is None:
            return _TRK | _NEW, 0
        return _TRK | _EST | (0 if entry.original == ends else _RPL), entry.mark

    def commit(self, zone: int, get: _Get, mark: int | None) -> None:
        """Remember the packet's connection; with ``mark`` mark it, known or not."""
        ends = tuple_of(get)
        if ends is None:
            return
        entry = self._entries.get((zone, ends)) or Entry(zone, ends)
        most = self.limits.get(zone, 0)
        if most and (zone, ends) not in self._entries and sum(each.zone == zone for each in self) >= most:
            return
        entry = entry if mark is None else evolve(entry, mark=mark)
        self._entries[zone, entry.original] = self._entries[zone, entry.original.reversed()] = entry

    def end(self, entry: Entry) -> None:
        """Forget a connection."""
        self._entries.pop((entry.zone, entry.original), None)
        self._entries.pop((entry.zone, entry.original.reversed()), None)


def tuple_of(get: _Get) -> Tuple | None:
    """Return the ends of a packet; None of what is not IP."""
    kind, protocol = get("eth_type"), get("ip_proto")
    if kind not in (ETH_IPV4, ETH_IPV6):
        return None
    version = 4 if kind == ETH_IPV4 else 6
    names = _PORTS.get(protocol) or _ICMP.get(protocol)
    ports = tuple(get(name) for name in names) if names else (0, 0)
    return Tuple(kind, protocol, get(f"ipv{version}_src"), get(f"ipv{version}_dst"), *ports)

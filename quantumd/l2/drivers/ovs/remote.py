"""What other hosts have of the networks of this one: an index of records, and which keys their changes touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, field

from quantumd.converge.plan import Key
from quantumd.converge.records import Records
from quantumd.model.records import PeerRecord, RecordKey, RemotePortRecord

PEER = "peer"
REMOTE_PORT = "remote_port"


@define
class Elsewhere:
    """Ports that are bound to other hosts, by network and host. Keys: ("peer", host), ("remote_port", port id)."""

    _records: Records
    _place_of: dict[str, tuple[str, str]] = field(factory=dict, init=False)
    _on: dict[str, dict[str, set[str]]] = field(factory=dict, init=False)
    """network → host → ports"""
    _of_host: dict[str, set[str]] = field(factory=dict, init=False)
    """host → networks"""

    def note(self, changed: Iterable[RecordKey]) -> frozenset[Key]:
        """Bring the index up to date; return the keys that these changes touch."""
        keys: set[Key] = set()
        for kind, record_id in changed:
            if kind == RemotePortRecord.kind:
                keys.add((REMOTE_PORT, record_id))
                keys.update(self._note_port(record_id))
            elif kind == PeerRecord.kind:
                keys.update(self._keys_of_host(record_id))
        return frozenset(keys)

    def peers_on(self, network_id: str) -> tuple[str, ...]:
        """Return where the tunnels to the hosts end that carry a network, in order."""
        ends = (self.end_of(host) for host in self._on.get(network_id, ()))
        return tuple(sorted({end for end in ends if end is not None}))

    def end_of(self, host: str) -> str | None:
        """Return where tunnels to a host end, None for one that is no peer."""
        record = self._records.get(PeerRecord.kind, host)
        return record.tunnel_ip if isinstance(record, PeerRecord) else None

    def networks_of(self, host: str) -> frozenset[str]:
        """Return the networks that a host carries, as far as it concerns this one."""
        return frozenset(self._of_host.get(host, ()))

    def addresses_on(self, network_id: str) -> frozenset[str]:
        """Return the addresses of all ports that other hosts have of a network."""
        ports = (port_id for of_host in self._on.get(network_id, {}).values() for port_id in of_host)
        found = (self._records.get(RemotePortRecord.kind, port_id) for port_id in ports)
        return frozenset(
            fixed_ip.ip_address
            for record in found
            if isinstance(record, RemotePortRecord)
            for fixed_ip in record.fixed_ips
        )

    def keys_on(self, network_id: str) -> Iterator[Key]:
        """Yield the keys of what other hosts have of a network, and of those hosts."""
        for host, port_ids in self._on.get(network_id, {}).items():
            yield (PEER, host)
            for port_id in port_ids:
                yield (REMOTE_PORT, port_id)

    def every_peer(self) -> Iterator[Key]:
        """Yield the keys of all hosts that this one was told of."""
        for record in self._records.of_kind(PeerRecord.kind):
            yield (PEER, record.id)

    def every_key(self) -> Iterator[Key]:
        """Yield the keys of everything that is known of other hosts."""
        yield from self.every_peer()
        for record in self._records.of_kind(RemotePortRecord.kind):
            yield (REMOTE_PORT, record.id)

    def _note_port(self, port_id: str) -> Iterator[Key]:
        record = self._records.get(RemotePortRecord.kind, port_id)
        old = self._place_of.pop(port_id, None)
        new = (record.network_id, record.host) if isinstance(record, RemotePortRecord) else None
        if new is not None:
            self._place_of[port_id] = new
        if old == new:
            return
        if old is not None:
            yield from self._leave(*old, port_id)
        if new is not None:
            yield from self._arrive(*new, port_id)

    def _arrive(self, network_id: str, host: str, port_id: str) -> Iterator[Key]:
        ports = self._on.setdefault(network_id, {}).setdefault(host, set())
        if not ports:
            self._of_host.setdefault(host, set()).add(network_id)
            yield from ((PEER, host), ("network", network_id))
        ports.add(port_id)

    def _leave(self, network_id: str, host: str, port_id: str) -> Iterator[Key]:
        hosts = self._on[network_id]
        hosts[host].discard(port_id)
        if hosts[host]:
            return
        del hosts[host]
        if not hosts:
            del self._on[network_id]
        self._of_host[host].discard(network_id)
        if not self._of_host[host]:
            del self._of_host[host]
        yield from ((PEER, host), ("network", network_id))

    def _keys_of_host(self, host: str) -> Iterator[Key]:
        yield (PEER, host)
        for network_id in self._of_host.get(host, ()):
            yield ("network", network_id)
            yield from ((REMOTE_PORT, port_id) for port_id in self._on[network_id][host])

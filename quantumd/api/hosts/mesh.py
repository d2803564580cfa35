"""What hosts that carry the same tunnelled network must know of each other. Runs on the store's threads.

A host is told of others only while it has ports of a network that they have ports of too, and carry by the same
segment, and only if tunnels end at it: one of an older version, which would not understand, says of none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

from attrs import define, field, frozen
from sqlalchemy import Connection

from quantumd.api.hosts.outbox import Outbox
from quantumd.compile.l2 import peer_record, remote_port_record
from quantumd.model.carrying import NOWHERE, Reach, segment_on
from quantumd.model.messages import Gone
from quantumd.model.network import TUNNEL_TYPES, Segment
from quantumd.model.nouns import Port, TunnelEnd
from quantumd.model.records import PeerRecord, Record, RemotePortRecord
from quantumd.store import nouns, segment_nouns
from quantumd.store.journal import last_position

ROLE = "l2"

Place = tuple[str, str]
"""A host, and a network that it has ports of."""


@define
class Moves:
    """Which ports came to a host, or left it, in a stretch of the journal, and at which position first."""

    arrived: dict[Place, int] = field(factory=dict)
    left: set[Place] = field(factory=set)
    touched: dict[str, str] = field(factory=dict)
    """The network of every port that was bound to a host, is, or changed while it is."""

    def note(self, port_id: str, network_id: str, old_host: str | None, new_host: str | None, position: int) -> None:
        """Note one change of a port; '' and None are no host."""
        if old_host or new_host:
            self.touched[port_id] = network_id
        if old_host and old_host != new_host:
            self.left.add((old_host, network_id))
        if new_host and old_host != new_host:
            self.arrived.setdefault((new_host, network_id), position)


@frozen
class _Mesh:
    """Who carries which of the tunnelled networks, by which segment, and where their tunnels end.

    ``several`` are the segments of networks that have more than one; of all others they have one, in tunnels.
    """

    carriers: Mapping[str, frozenset[str]]
    ends: Mapping[str, TunnelEnd]
    several: Mapping[str, tuple[Segment, ...]] = {}
    reaches: Mapping[str, Reach] = {}

    def everyone(self, network_id: str) -> Iterator[str]:
        """Yield the hosts with tunnels that carry a network, by whatever segment."""
        return (each for each in self.carriers.get(network_id, ()) if each in self.ends)

    def others(self, network_id: str, host: str) -> Iterator[str]:
        """Yield the hosts with tunnels that carry a network by the same segment, but for one."""
        return (each for each in self.everyone(network_id) if each != host and self.meet(network_id, host, each))

    def meet(self, network_id: str, one: str, other: str) -> bool:
        """Whether two hosts carry a network by the same segment, and that in tunnels."""
        segments = self.several.get(network_id)
        if segments is None:
            return True
        ours, theirs = (segment_on(segments, self.reaches.get(each, NOWHERE)) for each in (one, other))
        return ours == theirs and ours.network_type in TUNNEL_TYPES

    def peers_of(self, host: str) -> frozenset[str]:
        """Return the hosts with tunnels that carry any of the networks, but for one."""
        return frozenset(other for network_id in self.carriers for other in self.others(network_id, host))


def _mesh(connection: Connection, networks: Iterable[str], hosts: Iterable[str] = ()) -> _Mesh:
    wanted = sorted(networks)
    carriers = nouns.hosts_of_network(connection, wanted)
    every = {*hosts, *frozenset().union(*carriers.values())}
    several = segment_nouns.segments_of(connection, wanted)
    reaches = segment_nouns.reaches(connection, every) if several else {}
    return _Mesh(carriers, nouns.tunnel_ends(connection, every), several, reaches)


def tell_of_moves(connection: Connection, moves: Moves, deleted: Mapping[str, int], outbox: Outbox) -> None:
    """Put into the outbox what hosts must know of each other after these changes.

    :param deleted: ports that are gone, and the position at which they went.
    """
    networks = nouns.tunnelled(connection, sorted(set(moves.touched.values())))
    if not networks:
        return
    mesh = _mesh(connection, networks, (host for host, _ in moves.left))
    touched = {port_id: network for port_id, network in moves.touched.items() if network in networks}
    ports = nouns.ports(connection, sorted(touched))
    for port_id, network_id in touched.items():
        port = ports.get(port_id)
        if port is None or not port.host_id:
            version = deleted.get(port_id) if port is None else port.record_version
            _take_back(mesh.everyone(network_id), port_id, version, outbox, is_deleted=port is None)
            continue
        _tell_of_port(mesh, port, outbox)
        if (port.host_id, network_id) in moves.arrived and port.host_id in mesh.ends:
            _take_back((port.host_id,), port_id, port.record_version, outbox)
    for (host, network_id), position in moves.arrived.items():
        is_first = network_id in networks and not nouns.had_ports_on(connection, host, network_id, position)
        if is_first and host in mesh.carriers.get(network_id, ()):
            _introduce(connection, mesh, host, network_id, outbox)
    for host, network_id in sorted(moves.left):
        if network_id in networks and host in mesh.ends and host not in mesh.carriers.get(network_id, ()):
            also = {each for each, network in moves.left if network == network_id}
            _part(connection, mesh, host, network_id, also, outbox)


def _tell_of_port(mesh: _Mesh, port: Port, outbox: Outbox) -> None:
    """Tell of a port where it can be reached; who carries its network by other segments may have reached it before."""
    others = frozenset(mesh.others(port.network_id, port.host_id))
    for other in others:
        _put(outbox, other, remote_port_record(port))
    strangers = frozenset(mesh.everyone(port.network_id)) - others - {port.host_id}
    _take_back(sorted(strangers), port.id, port.record_version, outbox)


def _take_back(
    hosts: Iterable[str], port_id: str, version: int | None, outbox: Outbox, is_deleted: bool = False
) -> None:
    """Tell hosts that a port is bound to no other host: to none at all, or to them."""
    if version is not None:
        for host in hosts:
            outbox.gone[host, ROLE].append(Gone(RemotePortRecord.kind, port_id, version, is_deleted))


def _introduce(connection: Connection, mesh: _Mesh, host: str, network_id: str, outbox: Outbox) -> None:
    """Tell a host that is new on a network of the others there, and them of it."""
    end = mesh.ends.get(host)
    if end is None:
        return
    for other in mesh.others(network_id, host):
        _put(outbox, host, peer_record(mesh.ends[other]))
        _put(outbox, other, peer_record(end))
    for port in nouns.ports_bound_on(connection, (network_id,)).values():
        if port.host_id != host and mesh.meet(network_id, host, port.host_id):
            _put(outbox, host, remote_port_record(port))


def _part(connection: Connection, mesh: _Mesh, host: str, network_id: str, also: Iterable[str], outbox: Outbox) -> None:
    """Tell a host that has no port of a network any more that the others there are gone, and them that it is.

    :param also: hosts that may have lost their last port of it at the same time.
    """
    for port in nouns.ports_bound_on(connection, (network_id,)).values():
        _take_back((host,), port.id, port.record_version, outbox)
    others = {*mesh.others(network_id, host), *(each for each in also if each in mesh.ends)}
    for other in others - _peers_of(connection, host) - {host}:
        for told, gone in ((host, other), (other, host)):
            outbox.gone[told, ROLE].append(Gone(PeerRecord.kind, gone, mesh.ends[gone].version))


def _peers_of(connection: Connection, host: str) -> frozenset[str]:
    return _mesh(connection, nouns.tunnelled_networks_of(connection, host), (host,)).peers_of(host)


def tell_of_segments(connection: Connection, networks: Iterable[str], outbox: Outbox) -> None:
    """Put into the outbox what follows of networks that hosts may carry by other segments now."""
    mesh = _mesh(connection, nouns.tunnelled(connection, sorted(networks)))
    for network_id in mesh.several:
        hosts = frozenset(mesh.everyone(network_id))
        peers = {host: _peers_of(connection, host) for host in hosts}
        for port in nouns.ports_bound_on(connection, (network_id,)).values():
            _tell_of_port(mesh, port, outbox)
        for one, other in permutations(sorted(hosts), 2):
            _tell_of_peer(mesh, one, other, other in peers[one], outbox)


def _tell_of_peer(mesh: _Mesh, told: str, host: str, is_peer: bool, outbox: Outbox) -> None:
    """Tell a host that another one is its peer now, or is not."""
    if is_peer:
        _put(outbox, told, peer_record(mesh.ends[host]))
    else:
        outbox.gone[told, ROLE].append(Gone(PeerRecord.kind, host, mesh.ends[host].version))


def _tell_of_reach(connection: Connection, mesh: _Mesh, host: str, outbox: Outbox) -> None:
    """Tell a host, and others of it, of networks of several segments that it may carry by other ones now."""
    peers = mesh.peers_of(host)
    for port in nouns.ports_bound_on(connection, sorted(mesh.several)).values():
        if port.host_id == host:
            _tell_of_port(mesh, port, outbox)
        elif host in mesh.ends and not mesh.meet(port.network_id, host, port.host_id):
            _take_back((host,), port.id, port.record_version, outbox)
    if host in mesh.ends:
        for other in sorted({each for network_id in mesh.several for each in mesh.everyone(network_id)} - {host}):
            _tell_of_peer(mesh, other, host, other in peers, outbox)
            _tell_of_peer(mesh, host, other, other in peers, outbox)


def tell_of_end(connection: Connection, host: str, outbox: Outbox) -> None:
    """Put into the outbox what follows when tunnels to a host end elsewhere now, or begin, or cease to.

    So when it carries networks by other segments now.
    """
    mesh = _mesh(connection, nouns.tunnelled_networks_of(connection, host), (host,))
    end, position = mesh.ends.get(host), last_position(connection)
    for other in mesh.peers_of(host):
        if end is None:
            outbox.gone[other, ROLE].append(Gone(PeerRecord.kind, host, position))
        else:
            _put(outbox, other, peer_record(end))
    _tell_of_reach(connection, mesh, host, outbox)
    for record in records_of(connection, host):
        _put(outbox, host, record)


def records_of(connection: Connection, host: str) -> Iterator[Record]:
    """Yield what a host must know of others."""
    if not nouns.tunnel_ends(connection, (host,)):
        return
    mesh = _mesh(connection, nouns.tunnelled_networks_of(connection, host))
    yield from (peer_record(mesh.ends[other]) for other in sorted(mesh.peers_of(host)))
    for port in nouns.ports_bound_on(connection, sorted(mesh.carriers)).values():
        if port.host_id != host and mesh.meet(port.network_id, host, port.host_id):
            yield remote_port_record(port)


def _put(outbox: Outbox, host: str, record: Record) -> None:
    outbox.put[host, ROLE][record.kind, record.id] = record

"""Journal → updates for hosts: what was committed is compiled and sent to the (host, role) that must know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, cast

import orjson
from attrs import define, field
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.api.hosts.compiled import network_nouns, reaches_for
from quantumd.api.hosts.ended import Ended, ended_port, tell_of_ended
from quantumd.api.hosts.instances import TouchedInstances, tell_of_instances
from quantumd.api.hosts.logged import TouchedLogs, tell_of_logs
from quantumd.api.hosts.mesh import Moves, tell_of_moves, tell_of_segments
from quantumd.api.hosts.mirrors import TouchedMirrors, tell_of_mirrors
from quantumd.api.hosts.names import TouchedNames, tell_of_names
from quantumd.api.hosts.outbox import Outbox
from quantumd.api.hosts.qos import TouchedQos, policies_to_tell
from quantumd.api.hosts.routers import TouchedRouters, tell_of_routers
from quantumd.api.hosts.taps import TouchedTaps, tell_of_taps
from quantumd.api.hosts.touched_guards import TouchedGuards, guards_to_tell
from quantumd.compile.snapshot import GUARDING_ROLE, KINDS, ROLES, NetworkNouns, network_record_for, port_record_for
from quantumd.converge.client import address_of
from quantumd.interfaces import IBus, IStore
from quantumd.model.carrying import NOWHERE, Reach
from quantumd.model.messages import Gone, Update
from quantumd.model.nouns import DHCP_OWNER, Port
from quantumd.store import nouns
from quantumd.store.journal import JournalRow

CURSOR = "hosts"
"""The name of this consumer's cursor in the journal."""

AT_ONCE = 200
"""How many messages to hosts may be on their way to the broker."""

log = Logger()

_HOST = "binding:host_id"
_SEGMENTS = "segments"

_NONE_TO_HOSTS = frozenset({"name", "description", "tags", "revision_number", "updated_at"})
"""Attributes of ports that hosts never hear of."""


class TouchedOthers(Protocol):
    """What a stretch of the journal touched of one kind of things that hosts know beside ports and networks."""

    @property
    def is_nothing(self) -> bool:
        """Whether no host has to hear of any of it."""

    def note(self, resource: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note a row of the journal."""


@define
class Touched:
    """What a stretch of the journal touched: rows to be read anew, and what hosts are rid of."""

    ports: set[str] = field(factory=set)
    networks: set[str] = field(factory=set)
    left: dict[str, set[str]] = field(factory=lambda: defaultdict(set))
    deleted_ports: dict[str, int] = field(factory=dict)
    ended: dict[str, Ended] = field(factory=dict)
    moves: Moves = field(factory=Moves)
    guards: TouchedGuards = field(factory=TouchedGuards)
    logs: TouchedLogs = field(factory=TouchedLogs)
    qos: TouchedQos = field(factory=TouchedQos)
    taps: TouchedTaps = field(factory=TouchedTaps)
    resegmented: set[str] = field(factory=set)
    """Networks that some hosts may carry by other segments now."""
    mirrors: TouchedMirrors = field(factory=TouchedMirrors)
    routers: TouchedRouters = field(factory=TouchedRouters)
    instances: TouchedInstances = field(factory=TouchedInstances)
    names: TouchedNames = field(factory=TouchedNames)
    first_position: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether no host has to hear of any of it."""
        return not (self.ports or self.networks or self.left) and all(each.is_nothing for each in self._others())

    def _others(self) -> tuple[TouchedOthers, ...]:
        return (self.guards, self.logs, self.qos, self.taps, self.mirrors, self.routers, self.instances, self.names)

    def note(self, row: JournalRow) -> None:
        """Note one row of the journal."""
        before, after = _body(row.before), _body(row.after)
        for each in self._others():
            each.note(row.resource, row.resource_id, before, after)
        if row.resource == "port":
            self._note_port(row, before, after)
        elif row.resource == "subnet":
            self._note_subnet(after or before)
        elif row.resource == "network":
            self.networks.add(row.resource_id)
            if after and before and before.get(_SEGMENTS) != after.get(_SEGMENTS):
                self.resegmented.add(row.resource_id)

    def _note_subnet(self, subnet: Mapping[str, Any]) -> None:
        self.networks.add(subnet["network_id"])
        if subnet.get("segment_id"):
            self.resegmented.add(subnet["network_id"])

    def _note_port(self, row: JournalRow, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        if before and after and _is_none_to_hosts({name for name in after if before.get(name) != after[name]}):
            return
        old_host, new_host = before.get(_HOST), after.get(_HOST)
        network_id = (after or before)["network_id"]
        self.moves.note(row.resource_id, network_id, old_host, new_host, row.position)
        if new_host:
            self.ports.add(row.resource_id)
        if old_host and old_host != new_host:
            self.left[old_host].add(row.resource_id)
        if row.operation == "delete":
            self.deleted_ports[row.resource_id] = row.position
            if old_host:
                self.ended[row.resource_id] = ended_port(before, old_host, row.position)
        if (after or before).get("device_owner") == DHCP_OWNER:
            self.networks.add(network_id)


@define(eq=False)
class Announcer:
    """Handles stretches of the journal for the consumer that reads it."""

    _bus: IBus
    _store: IStore

    def handle(self, rows: Sequence[JournalRow]) -> Deferred[Any] | None:
        """Send what hosts must know of these rows; fires when it has left."""
        touched = touched_by(rows)
        if touched.is_nothing:
            return None
        request_id = rows[-1].request_id
        compiled: Deferred[Any] = self._store.read(lambda connection: _compile(connection, touched, request_id))
        return compiled.addCallback(lambda updates: Deferred.fromCoroutine(tell_all(self._bus, updates)))


def _is_none_to_hosts(changed: set[str]) -> bool:
    # A change of nothing says that the record has a new version, as when its network is enabled again.
    return bool(changed) and changed <= _NONE_TO_HOSTS


def touched_by(rows: Sequence[JournalRow]) -> Touched:
    """Return what a stretch of the journal touched."""
    touched = Touched(first_position=rows[0].position)
    for row in rows:
        if row.operation != "status":
            touched.note(row)
    return touched


async def tell_all(bus: IBus, updates: Iterable[Update]) -> None:
    """Send updates to their hosts, a few at a time: of too many at once the bus refuses some. EdgeError.

    What fails is told again, all of it: hosts know what they have already by its version.
    """
    waiting = iter(updates)
    while some := tuple(islice(waiting, AT_ONCE)):
        for update in some:
            log.info(
                "told {role} of {host}",
                role=update.role,
                host=update.host,
                put=len(update.put),
                gone=len(update.gone),
                request_id=update.request_id,
            )
        sent = [bus.publish(address_of(update.host, update.role), update) for update in some]
        await gatherResults(sent, consumeErrors=True).addErrback(_first_error)


def _first_error(failure: Failure) -> Failure:
    failure.trap(FirstError)
    first: Failure = cast("FirstError", failure.value).subFailure
    return first


def updates_for(connection: Connection, rows: Sequence[JournalRow]) -> list[Update]:
    """Return what hosts must know of a stretch of the journal, as things are now."""
    return _compile(connection, touched_by(rows), rows[-1].request_id) if rows else []


def _compile(connection: Connection, touched: Touched, request_id: str) -> list[Update]:
    outbox = Outbox()
    ports = nouns.ports(connection, sorted(touched.ports | set().union(*touched.left.values())))
    bound = [port for port in ports.values() if port.host_id]
    hosts = nouns.hosts_of_network(connection, sorted(touched.networks)) if touched.networks else {}
    networks = network_nouns(connection, touched.networks | {port.network_id for port in bound})
    concerned = {port.host_id for port in bound}.union(*hosts.values())
    reaches = reaches_for(connection, networks.values(), concerned)
    for role in ROLES:
        for port in bound:
            _put_port(outbox, role, port, networks, reaches)
        for network_id in touched.networks & networks.keys():
            for host in hosts.get(network_id, frozenset()):
                _put_network(outbox, role, host, networks[network_id], reaches)
        for host, port_ids in touched.left.items():
            outbox.gone[host, role] += _left(role, host, port_ids, ports, touched)
    tell_of_moves(connection, touched.moves, touched.deleted_ports, outbox)
    tell_of_segments(connection, touched.resegmented, outbox)
    tell_of_ended(connection, touched.ended, outbox)
    tell_of_taps(connection, touched.taps, outbox)
    tell_of_mirrors(connection, touched.mirrors, outbox)
    tell_of_routers(connection, touched.routers, outbox)
    tell_of_instances(connection, touched.instances, outbox)
    tell_of_names(connection, touched.names, outbox)
    for host, record in guards_to_tell(connection, touched.guards, bound, touched.first_position):
        outbox.put[host, GUARDING_ROLE][record.kind, record.id] = record
    for host, policy in policies_to_tell(connection, touched.qos, _with_policies(outbox, bound, networks)):
        outbox.put[host, GUARDING_ROLE][policy.kind, policy.id] = policy
    tell_of_logs(connection, touched.logs, bound, touched.left, outbox)
    return outbox.updates(request_id)


def _put_port(
    outbox: Outbox, role: str, port: Port, networks: Mapping[str, NetworkNouns], reaches: Mapping[str, Reach]
) -> None:
    record = port_record_for(role, port)
    if record is None or port.network_id not in networks:
        return
    # The network may be new to the host; if it is not, its version says that nothing changed.
    _put_network(outbox, role, port.host_id, networks[port.network_id], reaches)
    outbox.put[port.host_id, role][record.kind, record.id] = record


def _put_network(outbox: Outbox, role: str, host: str, network: NetworkNouns, reaches: Mapping[str, Reach]) -> None:
    kind, network_id = KINDS[role]["network"], network.network.id
    if (host, role, network_id) in outbox.networks:
        return
    outbox.networks.add((host, role, network_id))
    record = network_record_for(role, network, reaches.get(host, NOWHERE))
    if record is None:
        outbox.gone[host, role].append(Gone(kind, network_id, network.network.record_version))
    else:
        outbox.put[host, role][kind, network_id] = record


def _with_policies(
    outbox: Outbox, bound: Iterable[Port], networks: Mapping[str, NetworkNouns]
) -> Iterator[tuple[str, str | None]]:
    """Yield hosts with the policies of the ports and networks that they are told of."""
    yield from ((port.host_id, port.qos_policy) for port in bound)
    for host, role, network_id in outbox.networks:
        if role == GUARDING_ROLE:
            yield host, networks[network_id].network.qos_policy


def _left(role: str, host: str, port_ids: set[str], ports: Mapping[str, Port], touched: Touched) -> Iterable[Gone]:
    kind = KINDS[role]["port"]
    for port_id in sorted(port_ids):
        port = ports.get(port_id)
        if port_id in touched.deleted_ports:
            yield Gone(kind, port_id, touched.deleted_ports[port_id], is_deleted=True)
        elif port is not None and port.host_id != host:
            yield Gone(kind, port_id, port.record_version)


def _body(text: str | None) -> dict[str, Any]:
    return orjson.loads(text) if text else {}

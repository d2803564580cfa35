"""The DHCP role's way from records to the table that frames are answered from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from quantumd.converge.plan import NOTHING, Key, Plan, Step
from quantumd.dhcp.desired import SomeRecords, desire, find_network, ids_of, keys_of, network_key, port_key
from quantumd.dhcp.plan import plan_table
from quantumd.dhcp.steps import PutNetworks, PutPorts, RemoveNetworks, RemovePorts
from quantumd.dhcp.table import DhcpTable
from quantumd.edge.frames.interfaces import IFrames
from quantumd.errors import EdgeUnavailable
from quantumd.interfaces import IConverger
from quantumd.model.messages import HostReport, PortReport
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, RecordKey

CONNECT_SECONDS = 10.0
"""How long an observation waits for frames to flow."""


@implementer(IConverger)
@define(eq=False)
class DhcpConverger:
    """Keeps the table as the records ask. The world of this role is its own table and whether frames can flow."""

    role = "dhcp"
    _host: str
    _version: str
    _records: SomeRecords
    _table: DhcpTable
    _frames: IFrames
    _clock: IReactorTime
    _listeners: list[Callable[[frozenset[Key] | None], None]] = field(factory=list, init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._frames.on_connected(self._connected)

    def on_change(self, listener: Callable[[frozenset[Key] | None], None]) -> None:
        """Call ``listener(None)`` when frames flow again."""
        self._listeners.append(listener)

    def observe(self) -> Deferred[None]:
        """Wait until frames can flow; the table itself is always known. EdgeUnavailable when they do not in time."""
        if self._frames.is_connected:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting.addTimeout(CONNECT_SECONDS, self._clock, self._gave_up).addBoth(self._done_waiting, waiting)

    def _gave_up(self, _: object, seconds: float) -> None:
        raise EdgeUnavailable(f"no frames can flow: the switch did not connect within {seconds:g} s")

    def _done_waiting(self, result: object, waiting: Deferred[None]) -> object:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        return result

    def _connected(self) -> None:
        if waiting := tuple(self._waiting):
            for observation in waiting:
                observation.callback(None)
            return
        for listener in self._listeners:
            listener(None)

    def keys_of(self, changed: frozenset[RecordKey]) -> frozenset[Key]:
        """Return the work keys of changed records; a port's plan looks after its network too."""
        return keys_of(changed)

    def every_key(self) -> frozenset[Key]:
        """Return the keys of all ports and networks that have a record or an entry."""
        ports = {record.id for record in self._records.of_kind(DhcpPortRecord.kind)} | self._table.port_ids()
        networks = {record.id for record in self._records.of_kind(DhcpNetworkRecord.kind)} | self._table.network_ids()
        return frozenset(map(port_key, ports)) | frozenset(map(network_key, networks))

    def plan(self, keys: frozenset[Key]) -> Plan:
        """Return what makes the table as the records ask."""
        return plan_table(desire(self._records, keys), self._table)

    def sweep(self) -> Plan:
        """Return nothing: every entry of the table has a key."""
        return NOTHING

    def execute(self, step: Step) -> Deferred[None]:
        """Change the table."""
        match step:
            case PutNetworks():
                _each(self._table.put_network, step.networks)
            case PutPorts():
                _each(self._table.put_port, step.ports)
            case RemovePorts():
                _each(self._table.remove_port, step.port_ids)
            case RemoveNetworks():
                _each(self._table.remove_network, step.network_ids)
            case _:
                raise TypeError(f"the dhcp role knows no step {type(step).__name__}")
        return succeed(None)

    def realised_ports(self, keys: Iterable[Key]) -> Mapping[str, int]:
        """Return the version in force of each port among the keys that is answered as its network's record asks.

        A port is answered when it has an entry, and its network has one or no record: then there is nothing to serve.
        """
        entries = (self._table.port(port_id) for port_id in ids_of("port", keys))
        return {entry.id: entry.version for entry in entries if entry is not None and self._is_served(entry)}

    def _is_served(self, entry: DhcpPortRecord) -> bool:
        network_id = entry.network_id
        return self._table.network(network_id) is not None or find_network(self._records, network_id) is None

    def conclude(self, keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        """Return a report of each port among the keys that has a record or an entry."""
        realised = self.realised_ports(keys)
        return tuple(
            PortReport(port_id, realised.get(port_id, 0), True, faults.get(port_key(port_id)))
            for port_id in ids_of("port", keys)
            if port_id in realised or self._is_known(port_id)
        )

    def _is_known(self, port_id: str) -> bool:
        is_recorded = self._records.get(DhcpPortRecord.kind, port_id) is not None
        return is_recorded or self._table.port(port_id) is not None

    def describe(self) -> HostReport:
        """Return who this is."""
        return HostReport(self._host, self.role, self._version)


def _each(change: Callable[..., None], things: Iterable[object]) -> None:
    for thing in things:
        change(thing)

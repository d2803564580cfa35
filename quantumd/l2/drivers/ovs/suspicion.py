"""Which connections may have lost what let them pass, and when that can be looked at: after packets obey the change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from attrs import define, field

from quantumd.converge.plan import Key
from quantumd.l2.drivers.guarded import GuardedPorts
from quantumd.model.records import PortRecord, RecordKey, RemotePortRecord
from quantumd.model.security_records import AddressSetRecord, SecurityGroupRecord, SecurityRule, set_of

Suspected: TypeAlias = tuple[set[str], set[tuple[str, str]]]
"""Networks, and networks with addresses of ports that were deleted."""


@define
class Suspicion:
    """Connections of networks to be judged, and of ports that were deleted, all of their network and address.

    It waits until its keys were planned, and then until they were concluded.
    """

    networks: set[str]
    deleted: set[tuple[str, str]]
    unplanned: set[Key]
    planned: set[Key] = field(factory=set)

    def note_planned(self, keys: Iterable[Key]) -> None:
        """Note that what was planned for these keys comes from records as they are now."""
        moved = self.unplanned.intersection(keys)
        self.unplanned -= moved
        self.planned |= moved

    def note_concluded(self, keys: Iterable[Key], faults: Mapping[Key, str]) -> None:
        """Note that packets obey these keys, but for those that failed."""
        for key in self.planned.intersection(keys):
            self.planned.discard(key)
            if key in faults:
                self.unplanned.add(key)

    @property
    def is_ripe(self) -> bool:
        """Whether packets obey all of its keys."""
        return not (self.unplanned or self.planned)


@define
class Suspicions:
    """Those that wait. ``look`` is told of records that changed before the view is."""

    _view: GuardedPorts
    _waiting: list[Suspicion] = field(factory=list, init=False)
    _ports: dict[str, PortRecord] = field(factory=dict, init=False)
    _remote: dict[str, RemotePortRecord] = field(factory=dict, init=False)
    _rules: dict[str, frozenset[SecurityRule]] = field(factory=dict, init=False)
    _addresses: dict[str, frozenset[str]] = field(factory=dict, init=False)

    def look(self, changed: Iterable[RecordKey]) -> Suspected:
        """Return the networks whose connections may have lost something, and the addresses of deleted ports."""
        networks: set[str] = set()
        deleted: set[tuple[str, str]] = set()
        for kind, record_id in changed:
            if kind == PortRecord.kind:
                self._look_at_port(record_id, networks, deleted)
            elif kind == RemotePortRecord.kind:
                deleted |= self._deleted_elsewhere(record_id)
            elif kind == SecurityGroupRecord.kind and self._has_lost_rules(record_id):
                networks |= self._networks_of(self._view.policies.ports_with(record_id))
            elif kind == AddressSetRecord.kind and self._has_lost_addresses(record_id):
                networks |= self._networks_of(self._view.policies.ports_about(set_of(record_id)))
        return networks, deleted

    def add(self, suspected: Suspected, keys: Iterable[Key]) -> None:
        """Wait with what is suspected until packets obey these keys."""
        networks, deleted = suspected
        if networks or deleted:
            self._waiting.append(Suspicion(networks, deleted, set(keys)))

    def planned(self, keys: Iterable[Key]) -> None:
        """Note that keys were planned."""
        for each in self._waiting:
            each.note_planned(keys)

    def concluded(self, keys: Iterable[Key], faults: Mapping[Key, str]) -> tuple[Suspicion, ...]:
        """Note that keys were concluded; return what waits no longer."""
        for each in self._waiting:
            each.note_concluded(keys, faults)
        ripe = tuple(each for each in self._waiting if each.is_ripe)
        self._waiting = [each for each in self._waiting if not each.is_ripe]
        return ripe

    def clear(self) -> None:
        """Wait for nothing: everything will be looked at."""
        self._waiting.clear()

    def _look_at_port(self, port_id: str, networks: set[str], deleted: set[tuple[str, str]]) -> None:
        old, new = self._ports.pop(port_id, None), self._view.records.get(PortRecord.kind, port_id)
        if isinstance(new, PortRecord):
            self._ports[port_id] = new
        ended = self._view.records.take_ended(PortRecord.kind, port_id)
        if ended is not None:
            deleted.update((ended.network_id, address) for address in ended.addresses)
        if old is None:
            return
        if not isinstance(new, PortRecord):
            networks.add(old.network_id)
            if self._view.records.was_deleted(PortRecord.kind, port_id):
                deleted.update((old.network_id, fixed_ip.ip_address) for fixed_ip in old.fixed_ips)
        elif _guards(old) != _guards(new):
            networks.add(old.network_id)

    def _deleted_elsewhere(self, port_id: str) -> set[tuple[str, str]]:
        """Return the addresses of a port of another host, if it was deleted; one that moved keeps its connections."""
        old, new = self._remote.pop(port_id, None), self._view.records.get(RemotePortRecord.kind, port_id)
        if isinstance(new, RemotePortRecord):
            self._remote[port_id] = new
        if old is None or new is not None or not self._view.records.was_deleted(RemotePortRecord.kind, port_id):
            return set()
        return {(old.network_id, fixed_ip.ip_address) for fixed_ip in old.fixed_ips}

    def _has_lost_rules(self, group_id: str) -> bool:
        old, record = self._rules.pop(group_id, frozenset()), self._view.records.get(SecurityGroupRecord.kind, group_id)
        if isinstance(record, SecurityGroupRecord):
            self._rules[group_id] = frozenset(record.rules)
        return not old <= self._rules.get(group_id, frozenset())

    def _has_lost_addresses(self, record_id: str) -> bool:
        old, record = (
            self._addresses.pop(record_id, frozenset()),
            self._view.records.get(AddressSetRecord.kind, record_id),
        )
        if isinstance(record, AddressSetRecord):
            self._addresses[record_id] = frozenset(record.addresses)
        return not old <= self._addresses.get(record_id, frozenset())

    def _networks_of(self, port_ids: Iterable[str]) -> set[str]:
        found = (self._view.network_of(port_id) for port_id in port_ids)
        return {network_id for network_id in found if network_id is not None}


def _guards(port: PortRecord) -> tuple[object, ...]:
    return (port.port_security, port.security_groups, port.fixed_ips, port.allowed_address_pairs, port.network_id)

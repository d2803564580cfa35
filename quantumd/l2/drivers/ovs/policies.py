"""Which security groups guard the ports of this host, and which sets of addresses their rules name.

A policy is the set of groups that a port has: ports with the same groups have the same one. Its name is the ids of the
groups with commas between them, '' of ports without any.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from attrs import define, field

from quantumd.converge.plan import Key
from quantumd.converge.records import Records
from quantumd.l2.drivers.ovs.desired import PolicyView, RemoteView, SetView
from quantumd.l2.drivers.ovs.policy_numbers import PolicyNumbers
from quantumd.model.records import PortRecord, RecordKey
from quantumd.model.security import DIRECTIONS
from quantumd.model.security_records import AddressSetRecord, SecurityGroupRecord, SecurityRule, set_of
from quantumd.model.verdict import prefix

POLICY, SET, REMOTE = "policy", "set", "remote"
"""Nouns of keys: by the name of a policy, the id of a set, a prefix."""

_Named = frozenset[tuple[str, str]]
"""Directions with the sets that rules of that direction name."""


@define
class Policies:
    """Kept up to date with records; looks nothing up outside."""

    _records: Records
    _numbers: PolicyNumbers = field(factory=PolicyNumbers)
    _policy_of: dict[str, str] = field(factory=dict, init=False)
    _ports_of: defaultdict[str, set[str]] = field(factory=lambda: defaultdict(set), init=False)
    _policies_with: defaultdict[str, set[str]] = field(factory=lambda: defaultdict(set), init=False)
    _stateful: dict[str, bool] = field(factory=dict, init=False)
    _named_by: dict[str, _Named] = field(factory=dict, init=False)
    _users: Counter[tuple[str, str]] = field(factory=Counter, init=False)
    """How many policies name a set in a direction."""
    _pieces: dict[str, frozenset[str]] = field(factory=dict, init=False)
    _addresses: defaultdict[str, Counter[str]] = field(factory=lambda: defaultdict(Counter), init=False)
    """set → prefix → in how many pieces it is."""
    _wide: defaultdict[str, set[str]] = field(factory=lambda: defaultdict(set), init=False)
    """set → those of its prefixes that are more than an address: few, as a rule."""
    _sets_with: defaultdict[str, set[str]] = field(factory=lambda: defaultdict(set), init=False)

    def note_records(self, changed: Iterable[RecordKey]) -> frozenset[Key]:
        """Bring what is known up to date; return the keys whose flows may differ now."""
        keys: set[Key] = set()
        for kind, record_id in changed:
            if kind == PortRecord.kind:
                keys.update(self._note_port(record_id))
            elif kind == SecurityGroupRecord.kind:
                keys.update(self._note_group(record_id))
            elif kind == AddressSetRecord.kind:
                keys.update(self._note_piece(record_id))
        return frozenset(keys)

    def every_key(self) -> Iterator[Key]:
        """Yield the keys of all that guards something."""
        yield from ((POLICY, name) for name in self._ports_of)
        yield from ((SET, set_id) for _, set_id in self._users)
        for _, set_id in self._users:
            yield from self._remotes_of(set_id)

    def number_of(self, port: PortRecord) -> int:
        """Return the number of a port's policy."""
        return self._numbers.number_of(f"{POLICY} {policy_name(port)}")

    def is_stateful(self, port: PortRecord) -> bool:
        """Whether connections of a port are tracked: unless its groups say otherwise."""
        return self._is_stateful(policy_name(port))

    def is_stateful_policy(self, name: str) -> bool:
        """Whether connections of ports with a policy are tracked."""
        return self._is_stateful(name)

    def rules_of(self, port: PortRecord) -> tuple[SecurityRule, ...]:
        """Return what all groups of a port let pass."""
        return tuple(rule for group in self._groups(policy_name(port)) for rule in group.rules)

    def is_in(self, set_id: str, address: str) -> bool:
        """Whether an address is in a set."""
        held = self._addresses.get(set_id)
        if not held:
            return False
        if f"{address}/{128 if ':' in address else 32}" in held:
            return True
        wide = self._wide.get(set_id)
        if not wide:
            return False
        number = ip_address(address)
        return any(number in prefix(cidr) for cidr in wide)

    def ports_about(self, set_id: str) -> frozenset[str]:
        """Return the ports whose rules name a set."""
        names = (name for name, named in self._named_by.items() if any(each == set_id for _, each in named))
        return frozenset(port_id for name in names for port_id in self._ports_of[name])

    def ports_with(self, group_id: str) -> frozenset[str]:
        """Return the ports that have a group."""
        names = self._policies_with.get(group_id, ())
        return frozenset(port_id for name in names for port_id in self._ports_of[name])

    def addresses_in(self, set_id: str) -> Iterable[str]:
        """Return the prefixes in a set."""
        return self._addresses[set_id].keys() if set_id in self._addresses else ()

    def policy(self, name: str) -> PolicyView | None:
        """Return what guards all ports with these groups; None when there is no such port."""
        if name not in self._ports_of:
            return None
        rules = tuple(rule for group in self._groups(name) for rule in group.rules)
        sets = {rule.remote_set for rule in rules if rule.remote_set is not None}
        numbers = {set_id: self._set_number(set_id) for set_id in sets}
        return PolicyView(self._numbers.number_of(f"{POLICY} {name}"), rules, numbers)

    def set(self, set_id: str) -> SetView | None:
        """Return a set that rules name; None when none does."""
        directions = tuple(each for each in DIRECTIONS if (each, set_id) in self._users)
        return SetView(self._set_number(set_id), directions) if directions else None

    def remote(self, cidr: str) -> RemoteView | None:
        """Return a prefix that is in sets which rules name; None when it is in no such set."""
        numbers = {
            direction: tuple(
                self._set_number(set_id)
                for set_id in sorted(self._sets_with.get(cidr, ()))
                if (direction, set_id) in self._users
            )
            for direction in DIRECTIONS
        }
        found = {direction: of_direction for direction, of_direction in numbers.items() if of_direction}
        return RemoteView(cidr, found) if found else None

    def forget(self, key: Key) -> None:
        """Note that nothing of a key is left on the switch."""
        self._numbers.forget(f"{key[0]} {key[1]}")

    def _set_number(self, set_id: str) -> int:
        return self._numbers.number_of(f"{SET} {set_id}")

    def _is_stateful(self, name: str) -> bool:
        return all(group.is_stateful for group in self._groups(name))

    def _groups(self, name: str) -> Iterator[SecurityGroupRecord]:
        for group_id in name.split(",") if name else ():
            record = self._records.get(SecurityGroupRecord.kind, group_id)
            if isinstance(record, SecurityGroupRecord):
                yield record

    def _note_port(self, port_id: str) -> Iterator[Key]:
        record = self._records.get(PortRecord.kind, port_id)
        new = policy_name(record) if isinstance(record, PortRecord) and record.port_security else None
        old = self._policy_of.pop(port_id, None)
        if new is not None:
            self._policy_of[port_id] = new
        if new == old:
            return
        if old is not None:
            self._ports_of[old].discard(port_id)
            if not self._ports_of[old]:
                yield from self._end(old)
        if new is not None:
            is_first = new not in self._ports_of
            self._ports_of[new].add(port_id)
            if is_first:
                yield from self._begin(new)

    def _begin(self, name: str) -> Iterator[Key]:
        for group_id in name.split(","):
            self._policies_with[group_id].add(name)
        self._stateful[name] = self._is_stateful(name)
        yield (POLICY, name)
        yield from self._note_named(name)

    def _end(self, name: str) -> Iterator[Key]:
        del self._ports_of[name], self._stateful[name]
        for group_id in name.split(","):
            self._policies_with[group_id].discard(name)
            if not self._policies_with[group_id]:
                del self._policies_with[group_id]
        yield (POLICY, name)
        yield from self._note_named(name)

    def _note_named(self, name: str) -> Iterator[Key]:
        """Note which sets a policy names now; yield the keys of those that nobody named, or nobody names any more."""
        new: _Named = frozenset()
        if name in self._ports_of:
            rules = (rule for group in self._groups(name) for rule in group.rules)
            new = frozenset((rule.direction, rule.remote_set) for rule in rules if rule.remote_set is not None)
        old = self._named_by.pop(name, frozenset())
        if new:
            self._named_by[name] = new
        before = self._users.copy()
        self._users.update(new - old)
        self._users.subtract(old - new)
        for named in old ^ new:
            if (self._users[named] > 0) != (before[named] > 0):
                yield (SET, named[1])
                yield from self._remotes_of(named[1])
            if not self._users[named]:
                del self._users[named]

    def _note_group(self, group_id: str) -> Iterator[Key]:
        for name in tuple(self._policies_with.get(group_id, ())):
            yield (POLICY, name)
            yield from self._note_named(name)
            was_stateful = self._stateful[name]
            self._stateful[name] = self._is_stateful(name)
            if self._stateful[name] != was_stateful:
                # That is said of ports.
                yield from (("port", port_id) for port_id in self._ports_of[name])

    def _note_piece(self, record_id: str) -> Iterator[Key]:
        record, set_id = self._records.get(AddressSetRecord.kind, record_id), set_of(record_id)
        new = frozenset(record.addresses if isinstance(record, AddressSetRecord) else ())
        old = self._pieces.pop(record_id, frozenset())
        if new:
            self._pieces[record_id] = new
        held = self._addresses[set_id]
        held.update(new - old)
        held.subtract(old - new)
        is_named = self._is_named(set_id)
        for cidr in old ^ new:
            is_in = held[cidr] > 0
            if not is_in:
                del held[cidr]
            if is_in != (set_id in self._sets_with[cidr]):
                (self._sets_with[cidr].add if is_in else self._sets_with[cidr].discard)(set_id)
                if not cidr.endswith(("/32", "/128")):
                    (self._wide[set_id].add if is_in else self._wide[set_id].discard)(cidr)
                if is_named:
                    yield (REMOTE, cidr)
            if not self._sets_with[cidr]:
                del self._sets_with[cidr]
        if not held:
            del self._addresses[set_id]
            self._wide.pop(set_id, None)

    def _is_named(self, set_id: str) -> bool:
        return any((direction, set_id) in self._users for direction in DIRECTIONS)

    def _remotes_of(self, set_id: str) -> Iterator[Key]:
        yield from ((REMOTE, cidr) for cidr in self.addresses_in(set_id))


def policy_name(port: PortRecord) -> str:
    """Return the name of a port's policy."""
    return ",".join(sorted(port.security_groups))

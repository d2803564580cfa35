"""What uses the ports of hosts, as records, and which hosts must hear of it. Runs on the store's threads.

Only hosts that answer their ports themselves understand such records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field
from sqlalchemy import Connection

from quantumd.api.hosts.outbox import Outbox
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.messages import Gone
from quantumd.model.port import TRUSTED_OWNER_PREFIX
from quantumd.store import instance_nouns, nouns
from quantumd.store.journal import last_position

ROLE = "l2"
_HOST = "binding:host_id"
_TOLD = ("device_id", "device_owner", "project_id", "name", "dns_name", "tags", _HOST)


@define
class TouchedInstances:
    """Ports that are used by something else now, or are called otherwise, and those that left a host."""

    ports: set[str] = field(factory=set)
    left: dict[str, set[str]] = field(factory=lambda: defaultdict(set))

    @property
    def is_nothing(self) -> bool:
        """Whether no host has to hear of any of it."""
        return not (self.ports or self.left)

    def note(self, resource: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note a row of the journal."""
        # What a row does not name, as the tags of most, did not change.
        if resource != "port" or (
            after and all(before.get(name) == after.get(name, before.get(name)) for name in _TOLD)
        ):
            return
        if after.get(_HOST):
            self.ports.add(resource_id)
        if before.get(_HOST) and before[_HOST] != after.get(_HOST):
            self.left[before[_HOST]].add(resource_id)


def tell_of_instances(connection: Connection, touched: TouchedInstances, outbox: Outbox) -> None:
    """Put into the outbox what hosts must know of those that use their ports, and of which they are rid."""
    if touched.is_nothing or not nouns.is_understood(connection, InstanceRecord.kind):
        return
    # The position is read first: what commits in between is in the records and also comes as an update.
    position = last_position(connection)
    found = [each for each in instance_nouns.instances(connection, touched.ports) if _may_ask(each)]
    hosts = {each.host_id for each in found} | touched.left.keys()
    understood = nouns.hosts_that_understand(connection, InstanceRecord.kind, hosts) if hosts else frozenset()
    for each in found:
        if each.host_id in understood:
            outbox.put[each.host_id, ROLE][InstanceRecord.kind, each.port_id] = _record(each, position)
    bound = {each.port_id: each.host_id for each in found}
    for host in touched.left.keys() & understood:
        gone = (Gone(InstanceRecord.kind, each, position) for each in touched.left[host] if bound.get(each) != host)
        outbox.gone[host, ROLE] += gone


def records_of_instances(connection: Connection, host: str, port_ids: Iterable[str]) -> Iterator[InstanceRecord]:
    """Yield what uses those ports of a host, if it understands that."""
    if nouns.hosts_that_understand(connection, InstanceRecord.kind, (host,)):
        position = last_position(connection)
        for each in instance_nouns.instances(connection, port_ids):
            if each.host_id == host and _may_ask(each):
                yield _record(each, position)


def _may_ask(instance: instance_nouns.Instance) -> bool:
    return not instance.device_owner.startswith(TRUSTED_OWNER_PREFIX)


def _record(instance: instance_nouns.Instance, position: int) -> InstanceRecord:
    return InstanceRecord(
        instance.port_id, position, instance.device_id, instance.project_id, instance.name, instance.dns_name,
        instance.tags,
    )  # fmt: skip

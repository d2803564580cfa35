"""What is to be logged of which ports, as records, and which hosts must hear of it. Runs on the store's threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from attrs import define, field
from sqlalchemy import Connection

from quantumd.api.hosts.outbox import Outbox
from quantumd.compile.packet_logging import port_logs_record
from quantumd.compile.snapshot import GUARDING_ROLE
from quantumd.model.logging_records import PortLogsRecord
from quantumd.model.messages import Gone
from quantumd.model.nouns import Port
from quantumd.store import logging_nouns, nouns
from quantumd.store.journal import last_position

_OF_LOG = ("resource_id", "target_id", "project_id", "event", "enabled")


@define
class TouchedLogs:
    """What logs that changed are about, and ports whose groups changed."""

    targets: set[str] = field(factory=set)
    groups: set[str] = field(factory=set)
    projects: set[str] = field(factory=set)
    regrouped: set[str] = field(factory=set)

    @property
    def is_nothing(self) -> bool:
        """Whether no log changed; ports that did are told of anyway."""
        return not (self.targets or self.groups or self.projects)

    def note(self, resource: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note a row of the journal."""
        if resource == "log" and any(before.get(name) != after.get(name) for name in _OF_LOG):
            self._note_log(after or before)
        elif resource == "port" and before.get("security_groups") != after.get("security_groups"):
            self.regrouped.add(resource_id)

    def _note_log(self, log: Mapping[str, Any]) -> None:
        # What a log is about never changes.
        if log["target_id"]:
            self.targets.add(log["target_id"])
        elif log["resource_id"]:
            self.groups.add(log["resource_id"])
        else:
            self.projects.add(log["project_id"])


def tell_of_logs(
    connection: Connection, touched: TouchedLogs, bound: Iterable[Port], left: Mapping[str, Set[str]], outbox: Outbox
) -> None:
    """Put into the outbox what hosts must hear: of logs that changed, and of those of ports that did.

    :param bound: ports that changed and have a host.
    :param left: ports that changed and went, by the host that they went from.
    """
    if touched.is_nothing and not logging_nouns.has_logs(connection):
        return
    # The position is read first: what commits in between is in the records and also comes as an update.
    position = last_position(connection)
    hosts = {port.id: port.host_id for port in bound}
    asked = logging_nouns.bound_ports(connection, touched.targets, touched.groups, touched.projects)
    logs = logging_nouns.logs_of_ports(connection, hosts.keys() | asked.keys())
    understood = nouns.hosts_that_understand(connection, PortLogsRecord.kind, {*hosts.values(), *asked.values(), *left})
    for port_id, host in {**hosts, **asked}.items():
        if host not in understood:
            continue
        if port_id in logs:
            record = port_logs_record(port_id, logs[port_id], position)
            outbox.put[host, GUARDING_ROLE][record.kind, port_id] = record
        elif port_id in asked or port_id in touched.regrouped:
            outbox.gone[host, GUARDING_ROLE].append(Gone(PortLogsRecord.kind, port_id, position))
    for host in left.keys() & understood:
        gone = (Gone(PortLogsRecord.kind, port_id, position) for port_id in left[host] if hosts.get(port_id) != host)
        outbox.gone[host, GUARDING_ROLE] += gone


def records_of_logs(connection: Connection, host: str, port_ids: Iterable[str]) -> Iterator[PortLogsRecord]:
    """Yield what is to be logged of those ports, for their host if it understands that."""
    if not logging_nouns.has_logs(connection):
        return
    if nouns.hosts_that_understand(connection, PortLogsRecord.kind, (host,)):
        position = last_position(connection)
        for port_id, logs in sorted(logging_nouns.logs_of_ports(connection, port_ids).items()):
            yield port_logs_record(port_id, logs, position)

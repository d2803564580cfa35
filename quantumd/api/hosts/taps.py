"""What hosts must know of taps. Runs on the store's threads.

A host is told of a tap flow while one of its ports is bound to it, and only if it understands such records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field
from sqlalchemy import Connection

from quantumd.api.hosts.outbox import Outbox
from quantumd.compile.taps import tap_record
from quantumd.model.messages import Gone
from quantumd.model.nouns import Tap
from quantumd.model.tap_records import TapRecord
from quantumd.store import nouns, tap_nouns
from quantumd.store.journal import last_position

ROLE = "l2"
_HOST = "binding:host_id"


@define
class TouchedTaps:
    """Tap flows that changed in a stretch of the journal, ports that came to a host or left it, and the hosts left."""

    flows: set[str] = field(factory=set)
    services: set[str] = field(factory=set)
    """Those of the flows."""
    ports: set[str] = field(factory=set)
    left: set[str] = field(factory=set)

    @property
    def is_nothing(self) -> bool:
        """Whether no host has to hear of any of it."""
        return not (self.flows or self.ports)

    def note(self, resource: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note a row of the journal."""
        if resource == "tap_flow":
            self.flows.add(resource_id)
            self.ports.add((after or before)["source_port"])
            self.services.add((after or before)["tap_service_id"])
        elif resource == "tap_service":
            self.ports.add((after or before)["port_id"])
        elif resource == "port" and before.get(_HOST, "") != after.get(_HOST, ""):
            self.ports.add(resource_id)
            self.left.update({before.get(_HOST) or ""} - {""})


def tell_of_taps(connection: Connection, touched: TouchedTaps, outbox: Outbox) -> None:
    """Put into the outbox what hosts must know of taps after these changes, and of which they are rid."""
    ports = touched.ports | tap_nouns.ports_of_services(connection, touched.services)
    found = tap_nouns.taps_of_ports(connection, touched.ports) | tap_nouns.taps(connection, touched.flows)
    gone = touched.flows - found.keys()
    if not (found or gone):
        return
    hosts = {host for tap in found.values() for host in _hosts_of(tap)} | touched.left
    hosts |= {port.host_id for port in nouns.ports(connection, sorted(ports)).values()} - {""}
    understanding = nouns.hosts_that_understand(connection, TapRecord.kind, hosts)
    position = last_position(connection)
    for record, tap in _records(connection, found.values()):
        for host in understanding:
            if host in _hosts_of(tap):
                outbox.put[host, ROLE][record.kind, record.id] = record
            elif host in touched.left:
                outbox.gone[host, ROLE].append(Gone(TapRecord.kind, tap.id, position))
    for host in understanding:
        outbox.gone[host, ROLE].extend(Gone(TapRecord.kind, flow_id, position) for flow_id in sorted(gone))


def tell_of_end(connection: Connection, host: str, outbox: Outbox) -> None:
    """Put into the outbox what follows for taps when tunnels to a host end elsewhere now, or begin, or cease to."""
    found = tap_nouns.taps_of_host(connection, host)
    hosts = {each for tap in found.values() for each in _hosts_of(tap)}
    understanding = nouns.hosts_that_understand(connection, TapRecord.kind, hosts)
    for record, tap in _records(connection, found.values()):
        for each in _hosts_of(tap) & understanding:
            outbox.put[each, ROLE][record.kind, record.id] = record


def records_of(connection: Connection, host: str) -> Iterator[TapRecord]:
    """Yield what a host must know of taps."""
    if nouns.hosts_that_understand(connection, TapRecord.kind, (host,)):
        for record, _ in _records(connection, tap_nouns.taps_of_host(connection, host).values()):
            yield record


def _records(connection: Connection, taps: Iterable[Tap]) -> Iterator[tuple[TapRecord, Tap]]:
    # The position is read first: what commits in between is in the records and also comes as an update.
    position, every = last_position(connection), tuple(taps)
    ends = nouns.tunnel_ends(connection, {host for tap in every for host in _hosts_of(tap)})
    yield from ((tap_record(tap, ends, position), tap) for tap in every)


def _hosts_of(tap: Tap) -> frozenset[str]:
    return frozenset((tap.source_host, tap.target_host)) - {""}

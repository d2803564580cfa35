"""What hosts must know of tap mirrors. Runs on the store's threads.

A host is told of a mirror while its port is bound to it, and only if it understands such records. No host is told of
one whose copies would go to where tunnels of networks end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field
from sqlalchemy import Connection

from quantumd.api.hosts.outbox import Outbox
from quantumd.compile.tap_mirrors import mirror_record
from quantumd.model.messages import Gone
from quantumd.model.nouns import TapMirror
from quantumd.model.tap_mirror_records import TapMirrorRecord
from quantumd.store import nouns, tap_mirror_nouns
from quantumd.store.journal import last_position

ROLE = "l2"
_HOST = "binding:host_id"


@define
class TouchedMirrors:
    """Mirrors that changed in a stretch of the journal, ports that came to a host or left it, and the hosts left."""

    mirrors: set[str] = field(factory=set)
    ports: set[str] = field(factory=set)
    left: set[str] = field(factory=set)

    @property
    def is_nothing(self) -> bool:
        """Whether no host has to hear of any of it."""
        return not (self.mirrors or self.ports)

    def note(self, resource: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note a row of the journal."""
        if resource == "tap_mirror":
            self.mirrors.add(resource_id)
            self.ports.add((after or before)["port_id"])
        elif resource == "port" and before.get(_HOST, "") != after.get(_HOST, ""):
            self.ports.add(resource_id)
            self.left.update({before.get(_HOST) or ""} - {""})


def tell_of_mirrors(connection: Connection, touched: TouchedMirrors, outbox: Outbox) -> None:
    """Put into the outbox what hosts must know of mirrors after these changes, and of which they are rid."""
    found = tap_mirror_nouns.mirrors_of_ports(connection, touched.ports)
    gone = touched.mirrors - found.keys()
    if not (found or gone):
        return
    of_ports = {port.host_id for port in nouns.ports(connection, sorted(touched.ports)).values()}
    hosts = nouns.hosts_that_understand(connection, TapMirrorRecord.kind, (touched.left | of_ports) - {""})
    position = _put(connection, found.values(), hosts, outbox)
    for host in hosts:
        elsewhere = (each.id for each in found.values() if each.host != host and host in touched.left)
        away = sorted({*gone, *elsewhere})
        outbox.gone[host, ROLE].extend(Gone(TapMirrorRecord.kind, mirror_id, position) for mirror_id in away)


def tell_of_end(connection: Connection, outbox: Outbox) -> None:
    """Put into the outbox what follows for mirrors when tunnels of networks end elsewhere now: there are few."""
    found = tap_mirror_nouns.every_bound_mirror(connection)
    hosts = nouns.hosts_that_understand(connection, TapMirrorRecord.kind, {each.host for each in found.values()})
    _put(connection, found.values(), hosts, outbox)


def records_of(connection: Connection, host: str) -> Iterator[TapMirrorRecord]:
    """Yield what a host must know of mirrors."""
    if nouns.hosts_that_understand(connection, TapMirrorRecord.kind, (host,)):
        outbox = Outbox()
        _put(connection, tap_mirror_nouns.mirrors_of_host(connection, host).values(), {host}, outbox)
        yield from (each for each in outbox.put[host, ROLE].values() if isinstance(each, TapMirrorRecord))


def _put(connection: Connection, found: Iterable[TapMirror], hosts: Collection[str], outbox: Outbox) -> int:
    """Put what its host, if it is one of these, must know of each; return the position of the journal."""
    # The position is read first: what commits in between is in the records and also comes as an update.
    position, ends = last_position(connection), tap_mirror_nouns.every_end(connection)
    for mirror in found:
        if mirror.host not in hosts:
            continue
        record = mirror_record(mirror, ends, position)
        if record is not None:
            outbox.put[mirror.host, ROLE][record.kind, record.id] = record
        else:
            outbox.gone[mirror.host, ROLE].append(Gone(TapMirrorRecord.kind, mirror.id, position))
    return position

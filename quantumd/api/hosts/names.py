"""What is called how on the networks of hosts, as records, and which hosts must hear of it.

Runs on the store's threads. Only hosts that answer for DNS servers understand such records, and they are told of the
networks that they have ports of: of all ports there, wherever these are bound, or bound nowhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field
from sqlalchemy import Connection

from quantumd.api.hosts.outbox import Outbox
from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord
from quantumd.model.messages import Gone
from quantumd.model.records import Record
from quantumd.store import dns_nouns, nouns
from quantumd.store.journal import last_position

ROLE = "l2"
_HOST = "binding:host_id"
_OF_PORTS = ("dns_name", "dns_domain", "fixed_ips")


@define
class TouchedNames:
    """Ports that are called otherwise now or are gone, and networks of which hosts may know other things."""

    ports: dict[str, str] = field(factory=dict)
    """Port → its network."""
    networks: set[str] = field(factory=set)
    """Whose domain or prefixes may be others now."""
    arrived: set[tuple[str, str]] = field(factory=set)
    """Hosts that got a port of a network."""
    left: set[tuple[str, str]] = field(factory=set)

    @property
    def is_nothing(self) -> bool:
        """Whether no host has to hear of any of it."""
        return not (self.ports or self.networks or self.arrived or self.left)

    def note(self, resource: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note a row of the journal."""
        if resource == "port":
            self._note_port(resource_id, before, after)
        elif resource == "subnet":
            self.networks.add((after or before)["network_id"])
        elif resource == "network" and before and before.get("dns_domain") != after.get("dns_domain"):
            self.networks.add(resource_id)

    def _note_port(self, port_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        network_id = (after or before)["network_id"]
        # What a row does not name did not change.
        if not (before and after) or any(before.get(name) != after.get(name, before.get(name)) for name in _OF_PORTS):
            self.ports[port_id] = network_id
        old, new = before.get(_HOST), after.get(_HOST)
        if old != new:
            self.arrived.update({(new, network_id)} if new else ())
            self.left.update({(old, network_id)} if old else ())


def tell_of_names(connection: Connection, touched: TouchedNames, outbox: Outbox) -> None:
    """Put into the outbox what hosts must know of names, and of which they are rid."""
    if touched.is_nothing or not nouns.is_understood(connection, DnsNameRecord.kind):
        return
    # The position is read first: what commits in between is in the records and also comes as an update.
    position = last_position(connection)
    moved = {network for _, network in touched.arrived | touched.left}
    carriers = nouns.hosts_of_network(connection, sorted({*touched.ports.values(), *touched.networks, *moved}))
    hosts = {host for host, _ in touched.left}.union(*carriers.values())
    understood = nouns.hosts_that_understand(connection, DnsNameRecord.kind, hosts) if hosts else frozenset()
    if not understood:
        return
    told = {network: carrying & understood for network, carrying in carriers.items()}
    _tell_of_ports(connection, touched, told, position, outbox)
    _tell_of_networks(connection, touched.networks & told.keys(), told, position, outbox)
    arrived = [(host, network) for host, network in touched.arrived if host in told.get(network, ())]
    _introduce(connection, arrived, position, outbox)
    for host, network in sorted(touched.left):
        if host in understood and host not in told.get(network, ()):
            _part(connection, touched, host, network, position, outbox)


def _tell_of_ports(
    connection: Connection,
    touched: TouchedNames,
    told: Mapping[str, frozenset[str]],
    position: int,
    outbox: Outbox,
) -> None:
    concerned = {port_id for port_id, network in touched.ports.items() if told.get(network)}
    found = {each.port_id: _name_record(each, position) for each in dns_nouns.named(connection, concerned)}
    for port_id in concerned:
        for host in told[touched.ports[port_id]]:
            if port_id in found:
                outbox.put[host, ROLE][DnsNameRecord.kind, port_id] = found[port_id]
            else:
                outbox.gone[host, ROLE].append(Gone(DnsNameRecord.kind, port_id, position))


def _tell_of_networks(
    connection: Connection,
    networks: Iterable[str],
    told: Mapping[str, frozenset[str]],
    position: int,
    outbox: Outbox,
) -> None:
    for domain in dns_nouns.domains(connection, networks):
        for host in told[domain.network_id]:
            outbox.put[host, ROLE][DnsZoneRecord.kind, domain.network_id] = _zone_record(domain, position)


def _introduce(connection: Connection, arrived: Iterable[tuple[str, str]], position: int, outbox: Outbox) -> None:
    """Tell hosts of networks that may be new to them; of those that are not, they know it already."""
    hosts: defaultdict[str, list[str]] = defaultdict(list)
    for host, network in arrived:
        hosts[network].append(host)
    records: list[Record] = [_zone_record(each, position) for each in dns_nouns.domains(connection, hosts)]
    of_network = {each.id: each.id for each in records}
    for each in dns_nouns.named(connection, dns_nouns.ports_on(connection, hosts)):
        records.append(_name_record(each, position))
        of_network[each.port_id] = each.network_id
    for record in records:
        for host in hosts[of_network[record.id]]:
            outbox.put[host, ROLE][record.kind, record.id] = record


def _part(
    connection: Connection, touched: TouchedNames, host: str, network: str, position: int, outbox: Outbox
) -> None:
    """Rid a host of the names of a network that it has no port of any more."""
    ports = {port_id for port_id, of in touched.ports.items() if of == network}
    ports.update(dns_nouns.ports_on(connection, (network,)))
    gone = [Gone(DnsZoneRecord.kind, network, position)]
    gone += (Gone(DnsNameRecord.kind, port_id, position) for port_id in sorted(ports))
    outbox.gone[host, ROLE] += gone


def records_of(connection: Connection, host: str, is_wanted: Callable[[str, str], bool]) -> Iterator[Record]:
    """Yield what a host must know of names, as far as (kind, id) is wanted."""
    if not nouns.hosts_that_understand(connection, DnsNameRecord.kind, (host,)):
        return
    position, networks = last_position(connection), dns_nouns.networks_of(connection, host)
    zones = [network for network in networks if is_wanted(DnsZoneRecord.kind, network)]
    for domain in dns_nouns.domains(connection, zones):
        yield _zone_record(domain, position)
    ports = [port_id for port_id in dns_nouns.ports_on(connection, networks) if is_wanted(DnsNameRecord.kind, port_id)]
    for each in dns_nouns.named(connection, ports):
        yield _name_record(each, position)


def _name_record(named: dns_nouns.Named, position: int) -> DnsNameRecord:
    return DnsNameRecord(
        named.port_id, position, named.network_id, named.name, named.domain, named.addresses, named.is_own
    )


def _zone_record(domain: dns_nouns.Domain, position: int) -> DnsZoneRecord:
    return DnsZoneRecord(domain.network_id, position, domain.domain, domain.cidrs)

"""What the records ask of the address service, for some work keys or for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, cast

from attrs import frozen

from quantumd.converge.plan import Key
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, Record, RecordKey


class SomeRecords(Protocol):
    """The records that the role's client keeps."""

    def get(self, kind: str, record_id: str) -> Record | None:
        """Return the record of that kind and id, or None."""

    def of_kind(self, kind: str) -> Iterable[Record]:
        """Return every record of a kind."""


@frozen
class Desired:
    """Records by id, as far as the keys go; None where there shall be no entry."""

    ports: Mapping[str, DhcpPortRecord | None]
    networks: Mapping[str, DhcpNetworkRecord | None]


def port_key(port_id: str) -> Key:
    """Return the work key of a port."""
    return ("port", port_id)


def network_key(network_id: str) -> Key:
    """Return the work key of a network."""
    return ("network", network_id)


def ids_of(noun: str, keys: Iterable[Key]) -> tuple[str, ...]:
    """Return the ids of the ports or networks among work keys."""
    return tuple(key[1] for key in keys if key[0] == noun)


def keys_of(changed: Iterable[RecordKey]) -> frozenset[Key]:
    """Return the work keys of the record keys that are of this role."""
    nouns = {DhcpPortRecord.kind: "port", DhcpNetworkRecord.kind: "network"}
    return frozenset((nouns[kind], record_id) for kind, record_id in changed if kind in nouns)


def find_port(records: SomeRecords, port_id: str) -> DhcpPortRecord | None:
    """Return a port's record."""
    return cast("DhcpPortRecord | None", records.get(DhcpPortRecord.kind, port_id))


def find_network(records: SomeRecords, network_id: str) -> DhcpNetworkRecord | None:
    """Return a network's record."""
    return cast("DhcpNetworkRecord | None", records.get(DhcpNetworkRecord.kind, network_id))


def desire(records: SomeRecords, keys: Iterable[Key]) -> Desired:
    """Return what shall be in the table under these keys.

    A port is of use only with its network, so the network of each port that has a record is desired with it.
    """
    keys = tuple(keys)
    ports = {port_id: find_port(records, port_id) for port_id in ids_of("port", keys)}
    networks = {network_id: find_network(records, network_id) for network_id in ids_of("network", keys)}
    for port in ports.values():
        if port is not None and port.network_id not in networks:
            network = find_network(records, port.network_id)
            if network is not None:
                networks[port.network_id] = network
    return Desired(ports, networks)

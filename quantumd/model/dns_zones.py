"""Names and addresses of the networks of a host, each network's by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from attrs import define, field, frozen

from quantumd.model.dns_names import assignments, host_of
from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord

Prefix: TypeAlias = IPv4Network | IPv6Network


Table: TypeAlias = dict[str, dict[str, tuple[str, ...]]]
"""Names → ports → addresses."""


@define(eq=False)
class _Names:
    """``relative`` names are in the domains of the network, ``full`` ones in any.

    ``claimed`` are full names of those whose network it is not: they count in the domains of the network only.
    """

    relative: Table = field(factory=dict)
    full: Table = field(factory=dict)
    claimed: Table = field(factory=dict)
    owners: dict[str, str] = field(factory=dict)
    """Address → the port that has it."""
    domain: str = ""
    prefixes: tuple[Prefix, ...] = ()


@frozen
class Zone:
    """What is known of one network. Names are in lower case and without their final dots."""

    _names: _Names
    _port: Callable[[str], DnsNameRecord | None]
    _default_domain: str

    def addresses_of(self, name: str) -> tuple[str, ...] | None:
        """Return the addresses that a name has, of both IP versions; None when nobody has it."""
        found = self._names.full.get(name)
        if found is None and self._is_within(name):
            found = self._names.claimed.get(name)
        if found is None:
            found = self._names.relative.get(self._relative(name))
        return None if found is None else tuple(each for addresses in found.values() for each in addresses)

    def _relative(self, name: str) -> str:
        for domain in self._domains():
            if domain and name.endswith("." + domain):
                return name[: -len(domain) - 1]
        return name if "." not in name else ""

    def is_ours(self, name: str) -> bool:
        """Whether nobody else can know a name: it is one label, or in a domain that is one."""
        _, _, rest = name.partition(".")
        return bool(name) and (
            not rest or any(name.endswith("." + each) for each in self._domains() if _is_label(each))
        )

    def name_of(self, address: str) -> str | None:
        """Return the full name of a port's address; '' where no port of the network has it, None outside."""
        port = self._port(self._names.owners.get(address, ""))
        if port is not None:
            return self._full_name(port, address)
        number = ip_address(address)
        return "" if any(number in prefix for prefix in self._names.prefixes) else None

    def _full_name(self, port: DnsNameRecord, address: str) -> str:
        own = self._names.domain or self._default_domain
        name = _called(address, port.name, port.domain or own)
        if port.is_own or self._is_within(name):
            return name
        return _called(address, "" if port.name.endswith(".") else port.name, own)

    def _is_within(self, name: str) -> bool:
        return any(domain and name.endswith("." + domain) for domain in self._domains())

    def _domains(self) -> tuple[str, str]:
        return (self._names.domain, self._default_domain)


@define(eq=False)
class Zones:
    """The zones of all networks, kept up to date record by record."""

    _ports: dict[str, DnsNameRecord] = field(factory=dict, init=False)
    _of_networks: dict[str, _Names] = field(factory=dict, init=False)

    def of(self, network_id: str, domain: str) -> Zone:
        """Return what is known of a network. ``domain`` (no final dot) is that of networks without one of their own."""
        return Zone(self._of_networks.get(network_id) or _Names(), self._ports.get, domain)

    def put_zone(self, network_id: str, record: DnsZoneRecord | None) -> None:
        """Note a network's domain and prefixes; None when they are not known any more."""
        names = self._of_networks.setdefault(network_id, _Names())
        names.domain = record.domain if record is not None else ""
        names.prefixes = tuple(ip_network(cidr, strict=False) for cidr in record.cidrs) if record is not None else ()
        self._drop_empty(network_id)

    def put_name(self, port_id: str, record: DnsNameRecord | None) -> None:
        """Note what a port is called now; None of one that is gone."""
        old = self._ports.pop(port_id, None)
        if old is not None:
            self._forget(old)
        if record is not None:
            self._ports[port_id] = record
            self._note(record)

    def _note(self, record: DnsNameRecord) -> None:
        names = self._of_networks.setdefault(record.network_id, _Names())
        for table, name, addresses in _entries(names, record):
            table.setdefault(name, {})[record.id] = addresses
        for address in record.addresses:
            names.owners[address] = record.id

    def _forget(self, record: DnsNameRecord) -> None:
        names = self._of_networks[record.network_id]
        for table, name, _ in _entries(names, record):
            table[name].pop(record.id)
            if not table[name]:
                del table[name]
        for address in record.addresses:
            # Another port may have the address already.
            if names.owners.get(address) == record.id:
                del names.owners[address]
        self._drop_empty(record.network_id)

    def _drop_empty(self, network_id: str) -> None:
        names = self._of_networks[network_id]
        if not (names.relative or names.full or names.claimed or names.prefixes or names.domain):
            del self._of_networks[network_id]


def _called(address: str, name: str, domain: str) -> str:
    (named,) = assignments([address], name, domain)
    return named["fqdn"].removesuffix(".")


def _is_label(domain: str) -> bool:
    return bool(domain) and "." not in domain


def _entries(names: _Names, record: DnsNameRecord) -> Iterator[tuple[Table, str, tuple[str, ...]]]:
    """Yield names, each once, with the table that they belong to and the addresses that have them."""
    full = names.full if record.is_own else names.claimed
    if record.name:
        named = [(record.name, record.addresses)]
    else:
        named = [(host_of(address), (address,)) for address in record.addresses]
    for name, addresses in named:
        if name.endswith("."):
            yield full, name.removesuffix("."), addresses
        else:
            yield names.relative, name, addresses
            if record.domain:
                yield full, f"{name}.{record.domain}", addresses

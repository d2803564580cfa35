"""Rows → the names that networks know. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson
from attrs import frozen
from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from quantumd.model.delegation import is_provisional
from quantumd.model.dns_records import DnsNameRecord
from quantumd.model.nouns import DHCP_OWNER
from quantumd.model.port import dhcp_device_id
from quantumd.model.services import dns_servers
from quantumd.store.nouns import CHUNK, is_understood
from quantumd.store.tables import ip_allocations, networks, ports, subnets
from quantumd.store.tables.routers import floating_ips

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_FLOATING = floating_ips.c
_OF_PORTS = (
    select(
        ports.c.id,
        ports.c.network_id,
        ports.c.details,
        ports.c.project_id,
        networks.c.project_id.label("network_project_id"),
        _FLOATING.project_id.label("floating_project_id"),
        _FLOATING.dns_name.label("floating_name"),
        _FLOATING.dns_domain.label("floating_domain"),
    )
    .join(networks, networks.c.id == ports.c.network_id)
    .outerjoin(floating_ips, _FLOATING.floating_port_id == ports.c.id)
    .where(ports.c.id.in_(_IDS))
)
_IDS_ON = select(ports.c.id).where(ports.c.network_id.in_(_IDS))
_ADDRESSES = (
    select(ip_allocations.c.port_id, ip_allocations.c.ip_address)
    .where(ip_allocations.c.port_id.in_(_IDS))
    .order_by(ip_allocations.c.port_id, ip_allocations.c.ordinal)
)
_SERVERS = (
    select(ports.c.network_id, ip_allocations.c.subnet_id, ip_allocations.c.ip_address)
    .join(ip_allocations, ip_allocations.c.port_id == ports.c.id)
    .where(ports.c.device_id.in_(_IDS), ports.c.device_owner == DHCP_OWNER)
)
_DOMAINS = select(networks.c.id, networks.c.dns_domain).where(networks.c.id.in_(_IDS))
_CIDRS = select(subnets.c.network_id, subnets.c.cidr).where(subnets.c.network_id.in_(_IDS)).order_by(subnets.c.cidr)
_NETWORKS_OF_HOST = select(ports.c.network_id).where(ports.c.host_id == bindparam("host")).distinct()
_NAME: Final = "dns_name"
_DOMAIN: Final = "dns_domain"


@frozen
class Named:
    """A port, what it is called and where, '' for nothing, and its addresses.

    ``is_own``: whether its project, or that of the floating IP that it holds, is the network's.
    """

    port_id: str
    network_id: str
    name: str
    domain: str
    addresses: tuple[str, ...]
    is_own: bool


@frozen
class Domain:
    """A network's domain, '' for none, and the prefixes of its subnets."""

    network_id: str
    domain: str
    cidrs: tuple[str, ...]


def named(connection: Connection, port_ids: Iterable[str]) -> Iterator[Named]:
    """Yield what ports are called, of those that have addresses."""
    wanted = sorted(set(port_ids))
    addresses: defaultdict[str, list[str]] = defaultdict(list)
    for row in _rows(connection, _ADDRESSES, wanted):
        if not is_provisional(row.ip_address):
            addresses[row.port_id].append(row.ip_address)
    for row in _rows(connection, _OF_PORTS, wanted):
        if row.id in addresses:
            name, domain = _said(row)
            project = row.project_id if row.floating_project_id is None else row.floating_project_id
            is_own = project == row.network_project_id
            yield Named(row.id, row.network_id, name, domain.rstrip("."), tuple(addresses[row.id]), is_own)


def ports_on(connection: Connection, network_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the ports of networks."""
    return tuple(row.id for row in _rows(connection, _IDS_ON, sorted(set(network_ids))))


def domains(connection: Connection, network_ids: Iterable[str]) -> Iterator[Domain]:
    """Yield the domains and prefixes of networks."""
    wanted = sorted(set(network_ids))
    cidrs: defaultdict[str, list[str]] = defaultdict(list)
    for row in _rows(connection, _CIDRS, wanted):
        if not is_provisional(row.cidr):
            cidrs[row.network_id].append(row.cidr)
    for row in _rows(connection, _DOMAINS, wanted):
        yield Domain(row.id, row.dns_domain.rstrip("."), tuple(cidrs[row.id]))


def servers6(connection: Connection, network_ids: Iterable[str]) -> dict[str, str]:
    """Return the addresses of IPv6 at which networks have DNS servers, by their subnets; none while no host answers."""
    devices = sorted(map(dhcp_device_id, set(network_ids)))
    if not devices or not is_understood(connection, DnsNameRecord.kind):
        return {}
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in _rows(connection, _SERVERS, devices):
        if ":" in row.ip_address and not is_provisional(row.ip_address):
            found[row.network_id][row.subnet_id] = row.ip_address
    return {
        subnet_id: address
        for of_network in found.values()
        for subnet_id, address in of_network.items()
        if address in dns_servers(of_network.values())
    }


def networks_of(connection: Connection, host: str) -> tuple[str, ...]:
    """Return the networks that have ports bound to a host."""
    return tuple(sorted(connection.execute(_NETWORKS_OF_HOST, {"host": host}).scalars()))


def _said(row: Any) -> tuple[str, str]:
    """Return name and domain; a floating IP is called nothing but its full name."""
    if row.floating_name:
        return f"{row.floating_name}.{row.floating_domain}", ""
    if row.details is None or '"dns_' not in row.details:
        return "", ""
    known = orjson.loads(row.details)
    return str(known.get(_NAME) or ""), str(known.get(_DOMAIN) or "")


def _rows(connection: Connection, statement: Select[Any], wanted: list[str]) -> Iterator[Any]:
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(statement, {"ids": wanted[start : start + CHUNK]})

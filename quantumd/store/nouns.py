"""Rows → quantumd.model.nouns, for the code that compiles and decides. Runs on the store's threads.

Ids that nobody knows are left out of every answer. Ids are asked for in chunks, because SQLite takes a limited number
of parameters in one statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any, Final

import orjson
from sqlalchemy import BindParameter, Connection, Select, bindparam, exists, or_, select

from quantumd.model.delegation import is_provisional
from quantumd.model.network import TUNNEL_TYPES
from quantumd.model.nouns import Network, Port, Subnet, TunnelEnd
from quantumd.model.port import dhcp_device_id, is_dhcp_port
from quantumd.model.records import ExtraOption, FixedIp, HostRoute
from quantumd.model.security_records import AddressPair
from quantumd.model.status import L2
from quantumd.store import tables as t
from quantumd.store.tables.ports import sub_ports, trunks
from quantumd.store.tables.security import port_security_groups
from quantumd.store.tables.services import network_qos, port_qos

CHUNK = 500
"""How many ids one statement asks for."""

_PAIRS: Final = "allowed_address_pairs"
_OPTIONS: Final = "extra_dhcp_opts"

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)

_NETWORKS = (
    select(
        t.networks.c.id,
        t.networks.c.project_id,
        t.networks.c.admin_state_up,
        t.networks.c.mtu,
        t.networks.c.network_type,
        t.networks.c.physical_network,
        t.networks.c.segmentation_id,
        t.networks.c.record_version,
        network_qos.c.policy_id,
        t.networks.c.vlan_transparent,
    )
    .select_from(t.networks.outerjoin(network_qos, network_qos.c.network_id == t.networks.c.id))
    .where(t.networks.c.id.in_(_IDS))
)

_SUBNETS = (
    select(
        t.subnets.c.id,
        t.subnets.c.network_id,
        t.subnets.c.ip_version,
        t.subnets.c.cidr,
        t.subnets.c.gateway_ip,
        t.subnets.c.enable_dhcp,
        t.subnets.c.dns_nameservers,
        t.subnets.c.host_routes,
        t.subnets.c.ipv6_ra_mode,
        t.subnets.c.ipv6_address_mode,
    )
    .where(t.subnets.c.network_id.in_(_IDS))
    .order_by(t.subnets.c.created_at, t.subnets.c.id)
)

_PORT = select(
    t.ports.c.id,
    t.ports.c.network_id,
    t.ports.c.mac_address,
    t.ports.c.admin_state_up,
    t.ports.c.status,
    t.ports.c.device_owner,
    t.ports.c.host_id,
    t.ports.c.record_version,
    t.ports.c.port_security_enabled,
    t.ports.c.details,
    port_qos.c.policy_id,
    trunks.c.port_id.label("parent_id"),
    sub_ports.c.segmentation_id,
).select_from(
    t.ports.outerjoin(port_qos, port_qos.c.port_id == t.ports.c.id)
    .outerjoin(sub_ports, sub_ports.c.port_id == t.ports.c.id)
    .outerjoin(trunks, trunks.c.id == sub_ports.c.trunk_id)
)
_PORTS = _PORT.where(t.ports.c.id.in_(_IDS))
# Who owns it is looked at afterwards: of two indexes the database might take the one that finds every DHCP port.
_PORTS_OF_DEVICES = _PORT.where(t.ports.c.device_id.in_(_IDS))
_FIXED_IPS = (
    select(t.ip_allocations.c.port_id, t.ip_allocations.c.subnet_id, t.ip_allocations.c.ip_address)
    .where(t.ip_allocations.c.port_id.in_(_IDS))
    .order_by(t.ip_allocations.c.port_id, t.ip_allocations.c.ordinal)
)

_GROUPS = (
    select(port_security_groups.c.port_id, port_security_groups.c.security_group_id)
    .where(port_security_groups.c.port_id.in_(_IDS))
    .order_by(port_security_groups.c.port_id, port_security_groups.c.security_group_id)
)

_HOSTS = (
    select(t.ports.c.network_id, t.ports.c.host_id)
    .where(t.ports.c.network_id.in_(_IDS), t.ports.c.host_id != "")
    .distinct()
)

_TUNNEL_ENDS = select(t.hosts.c.host, t.hosts.c.tunnel_ip, t.hosts.c.tunnel_version, t.hosts.c.tunnel_types).where(
    t.hosts.c.host.in_(_IDS), t.hosts.c.role == "l2", t.hosts.c.tunnel_ip.is_not(None)
)
_KINDS_OF_HOSTS = select(t.hosts.c.host, t.hosts.c.record_kinds).where(
    t.hosts.c.host.in_(_IDS), t.hosts.c.role == bindparam("as_role"), t.hosts.c.record_kinds.is_not(None)
)
_ANYBODY = (
    select(t.hosts.c.host)
    .where(t.hosts.c.role == bindparam("as_role"), t.hosts.c.record_kinds.like(bindparam("kind")))
    .limit(1)
)
_IS_TUNNELLED = or_(
    t.networks.c.network_type.in_(TUNNEL_TYPES),
    exists().where(t.segments.c.network_id == t.networks.c.id, t.segments.c.network_type.in_(TUNNEL_TYPES)),
)
_ON_PHYSICAL = select(t.networks.c.id).where(
    t.networks.c.id.in_(_IDS),
    or_(
        t.networks.c.physical_network.is_not(None),
        exists().where(t.segments.c.network_id == t.networks.c.id, t.segments.c.physical_network != ""),
    ),
)
_TUNNELLED = select(t.networks.c.id).where(t.networks.c.id.in_(_IDS), _IS_TUNNELLED)
_NETWORKS_OF_HOST = (
    select(t.networks.c.id)
    .where(
        _IS_TUNNELLED,
        t.networks.c.id.in_(select(t.ports.c.network_id).where(t.ports.c.host_id == bindparam("host"))),
    )
    .order_by(t.networks.c.id)
)
_BOUND_ON = _PORT.where(t.ports.c.network_id.in_(_IDS), t.ports.c.host_id != "")
_BOUND_BEFORE = (
    select(t.ports.c.id)
    .where(
        t.ports.c.network_id == bindparam("network"),
        t.ports.c.host_id == bindparam("host"),
        t.ports.c.record_version < bindparam("position"),
    )
    .limit(1)
)


def networks(connection: Connection, ids: Iterable[str]) -> dict[str, Network]:
    """Return networks by id."""
    return {row.id: Network(*row) for row in _rows(connection, _NETWORKS, ids)}


def subnets_of(connection: Connection, network_ids: Iterable[str]) -> dict[str, tuple[Subnet, ...]]:
    """Return the subnets of networks by network id, oldest first; a network without subnets is not named."""
    found: defaultdict[str, list[Subnet]] = defaultdict(list)
    for row in _rows(connection, _SUBNETS, network_ids):
        found[row.network_id].append(_subnet(row))
    return {network_id: tuple(subnets) for network_id, subnets in found.items()}


def ports(connection: Connection, ids: Iterable[str]) -> dict[str, Port]:
    """Return ports by id, their addresses in the port's order."""
    return {port.id: port for port in _ports(connection, list(_rows(connection, _PORTS, ids)))}


def dhcp_ports_of(connection: Connection, network_ids: Iterable[str]) -> dict[str, Port]:
    """Return the distributed DHCP port of networks by network id; a network that has none is not named."""
    devices = [dhcp_device_id(network_id) for network_id in network_ids]
    rows = [row for row in _rows(connection, _PORTS_OF_DEVICES, devices) if is_dhcp_port(row.device_owner)]
    return {port.network_id: port for port in _ports(connection, rows)}


def hosts_of_network(connection: Connection, network_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return the hosts that ports of networks are bound to, by network id; a network on no host is not named."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in _rows(connection, _HOSTS, network_ids):
        found[row.network_id].add(row.host_id)
    return {network_id: frozenset(hosts) for network_id, hosts in found.items()}


def tunnelled(connection: Connection, network_ids: Iterable[str]) -> frozenset[str]:
    """Return those of the networks that hosts carry, or some of them, between them in tunnels."""
    return frozenset(row.id for row in _rows(connection, _TUNNELLED, network_ids))


def on_physical_networks(connection: Connection, network_ids: Iterable[str]) -> frozenset[str]:
    """Return those of the networks that hosts carry, or some of them, by physical networks."""
    return frozenset(row.id for row in _rows(connection, _ON_PHYSICAL, network_ids))


def tunnelled_networks_of(connection: Connection, host: str) -> tuple[str, ...]:
    """Return the tunnelled networks that have ports bound to a host, in order."""
    return tuple(connection.execute(_NETWORKS_OF_HOST, {"host": host}).scalars())


def tunnel_ends(connection: Connection, hosts: Iterable[str]) -> dict[str, TunnelEnd]:
    """Return where tunnels to hosts end, by host; a host without tunnels is not named."""
    return {
        row.host: TunnelEnd(row.host, row.tunnel_ip, row.tunnel_version, tuple((row.tunnel_types or "").split(",")))
        for row in _rows(connection, _TUNNEL_ENDS, sorted(set(hosts)))
    }


def hosts_that_understand(connection: Connection, kind: str, wanted: Iterable[str], role: str = L2) -> frozenset[str]:
    """Return those of the hosts whose role understands records of a kind, by what it said; others refuse them."""
    rows = _rows(connection, _KINDS_OF_HOSTS, sorted(set(wanted)), as_role=role)
    return frozenset(row.host for row in rows if kind in row.record_kinds.split(","))


def is_understood(connection: Connection, kind: str, role: str = L2) -> bool:
    """Whether any host's role understands records of a kind, whose name is no part of that of another kind."""
    asked = {"as_role": role, "kind": f"%{kind}%"}
    return connection.execute(_ANYBODY, asked).first() is not None


def ports_bound_on(connection: Connection, network_ids: Iterable[str]) -> dict[str, Port]:
    """Return the ports of networks that are bound to a host, by id."""
    return {port.id: port for port in _ports(connection, list(_rows(connection, _BOUND_ON, network_ids)))}


def had_ports_on(connection: Connection, host: str, network_id: str, position: int) -> bool:
    """Whether a host has a port of a network that is as it was before a position of the journal."""
    asked = {"host": host, "network": network_id, "position": position}
    return connection.execute(_BOUND_BEFORE, asked).first() is not None


def _rows(connection: Connection, statement: Select[Any], ids: Iterable[str], **more: str) -> Iterator[Any]:
    wanted = list(ids)
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(statement, {"ids": wanted[start : start + CHUNK], **more})


def _ports(connection: Connection, rows: Sequence[Any]) -> Iterator[Port]:
    fixed_ips: defaultdict[str, list[FixedIp]] = defaultdict(list)
    for row in _rows(connection, _FIXED_IPS, [row.id for row in rows]):
        if not is_provisional(row.ip_address):
            fixed_ips[row.port_id].append(FixedIp(row.subnet_id, row.ip_address))
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for row in _rows(connection, _GROUPS, [row.id for row in rows]):
        groups[row.port_id].append(row.security_group_id)
    for row in rows:
        yield Port(
            id=row.id,
            network_id=row.network_id,
            mac_address=row.mac_address,
            admin_state_up=row.admin_state_up,
            status=row.status,
            device_owner=row.device_owner,
            host_id=row.host_id,
            fixed_ips=tuple(fixed_ips[row.id]),
            record_version=row.record_version,
            port_security_enabled=row.port_security_enabled,
            security_groups=tuple(groups[row.id]),
            allowed_address_pairs=address_pairs(row.details),
            extra_options=extra_options(row.details),
            qos_policy=row.policy_id,
            parent_id=row.parent_id or "",
            segmentation_id=row.segmentation_id or 0,
        )


def address_pairs(details: str | None) -> tuple[AddressPair, ...]:
    """Return the allowed address pairs among the details of a port's row; an address as its prefix."""
    if details is None or _PAIRS not in details:
        return ()
    pairs = orjson.loads(details)[_PAIRS]
    return tuple(AddressPair(pair["mac_address"], str(ip_network(pair["ip_address"], strict=False))) for pair in pairs)


def extra_options(details: str | None) -> tuple[ExtraOption, ...]:
    """Return the DHCP options of its own among the details of a port's row."""
    if details is None or _OPTIONS not in details:
        return ()
    options = orjson.loads(details)[_OPTIONS]
    return tuple(ExtraOption(each["ip_version"], each["opt_name"], each["opt_value"]) for each in options)


def _subnet(row: Any) -> Subnet:
    routes = orjson.loads(row.host_routes)
    return Subnet(
        id=row.id,
        network_id=row.network_id,
        ip_version=row.ip_version,
        cidr=row.cidr,
        gateway_ip=row.gateway_ip,
        enable_dhcp=row.enable_dhcp,
        dns_nameservers=tuple(orjson.loads(row.dns_nameservers)),
        host_routes=tuple(HostRoute(route["destination"], route["nexthop"]) for route in routes),
        ipv6_ra_mode=row.ipv6_ra_mode,
        ipv6_address_mode=row.ipv6_address_mode,
    )

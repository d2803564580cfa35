"""Rows → routers, and which of them stand in networks. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import BindParameter, Connection, Select, bindparam, exists, or_, select

from quantumd.model.delegation import PREFIX_DELEGATION
from quantumd.model.nouns import Router, RouterAddress, RouterPort
from quantumd.model.router import GATEWAY
from quantumd.model.router_records import FloatingAddress, ForwardedPorts, HelpedPort, RouterRoute
from quantumd.store.dns_nouns import servers6
from quantumd.store.meter_nouns import meters_of
from quantumd.store.nouns import CHUNK
from quantumd.store.router_limits import limits_of
from quantumd.store.tables import ip_allocations, networks, ports, subnets
from quantumd.store.tables.routers import (
    conntrack_helpers,
    floating_ips,
    ndp_proxies,
    port_forwardings,
    router_ports,
    routers,
)
from quantumd.store.tables.subnets import subnetpools

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_HELD = subnets.alias("held")
_ROUTERS = select(
    routers.c.id,
    routers.c.host,
    routers.c.admin_state_up,
    routers.c.enable_snat,
    routers.c.routes,
    routers.c.enable_ndp_proxy,
    routers.c.enable_default_route_ecmp,
).where(routers.c.id.in_(_IDS))
_OF_HOST = select(routers.c.id).where(routers.c.host == bindparam("host")).order_by(routers.c.id)
_PORTS = (
    select(
        router_ports.c.router_id,
        router_ports.c.port_id,
        router_ports.c.kind,
        router_ports.c.ordinal,
        router_ports.c.number,
        ports.c.network_id,
        ports.c.mac_address,
        ports.c.admin_state_up,
        networks.c.mtu,
        networks.c.admin_state_up.label("is_network_up"),
    )
    .join(ports, ports.c.id == router_ports.c.port_id)
    .join(networks, networks.c.id == ports.c.network_id)
    .where(router_ports.c.router_id.in_(_IDS))
    .order_by(router_ports.c.port_id)
)
_ADDRESSES = (
    select(
        ip_allocations.c.port_id,
        ip_allocations.c.ip_address,
        subnets.c.cidr,
        subnets.c.gateway_ip,
        subnets.c.ipv6_ra_mode,
        subnets.c.dns_nameservers,
        subnetpools.c.address_scope_id,
        subnets.c.id.label("subnet_id"),
        subnets.c.network_id,
        subnets.c.subnetpool_id,
    )
    .join(router_ports, router_ports.c.port_id == ip_allocations.c.port_id)
    .join(subnets, subnets.c.id == ip_allocations.c.subnet_id)
    .outerjoin(subnetpools, subnetpools.c.id == subnets.c.subnetpool_id)
    .where(router_ports.c.router_id.in_(_IDS))
    .order_by(ip_allocations.c.port_id, ip_allocations.c.ordinal)
)
# Of a network with segments those of the gateway's own.
_BESIDE = (
    select(router_ports.c.port_id, subnets.c.cidr)
    .join(ports, ports.c.id == router_ports.c.port_id)
    .join(subnets, subnets.c.network_id == ports.c.network_id)
    .where(
        router_ports.c.router_id.in_(_IDS),
        router_ports.c.kind == GATEWAY,
        ~exists().where(ip_allocations.c.port_id == router_ports.c.port_id, ip_allocations.c.subnet_id == subnets.c.id),
        or_(
            subnets.c.segment_id.is_(None),
            exists().where(
                ip_allocations.c.port_id == router_ports.c.port_id,
                ip_allocations.c.subnet_id == _HELD.c.id,
                _HELD.c.segment_id == subnets.c.segment_id,
            ),
        ),
    )
    .order_by(router_ports.c.port_id, subnets.c.cidr)
)
_FLOATING = (
    select(
        floating_ips.c.router_id,
        floating_ips.c.id,
        floating_ips.c.floating_ip_address,
        floating_ips.c.fixed_ip_address,
    )
    .where(floating_ips.c.router_id.in_(_IDS), floating_ips.c.fixed_ip_address.is_not(None))
    .order_by(floating_ips.c.floating_ip_address, floating_ips.c.id)
)
_OUTSIDE = select(
    floating_ips.c.router_id, floating_ips.c.floating_ip_address, floating_ips.c.floating_network_id
).where(floating_ips.c.router_id.in_(_IDS))
_FORWARDED = (
    select(
        floating_ips.c.router_id,
        floating_ips.c.floating_ip_address,
        port_forwardings.c.protocol,
        port_forwardings.c.external_first,
        port_forwardings.c.external_last,
        port_forwardings.c.internal_ip_address,
        port_forwardings.c.internal_first,
        port_forwardings.c.internal_last,
    )
    .join(floating_ips, floating_ips.c.id == port_forwardings.c.floatingip_id)
    .where(floating_ips.c.router_id.in_(_IDS))
    .order_by(floating_ips.c.floating_ip_address, port_forwardings.c.protocol, port_forwardings.c.external_first)
)
_PROXIED = (
    select(ndp_proxies.c.router_id, ndp_proxies.c.ip_address)
    .where(ndp_proxies.c.router_id.in_(_IDS))
    .order_by(ndp_proxies.c.ip_address)
)
_HELPED = (
    select(
        conntrack_helpers.c.router_id,
        conntrack_helpers.c.protocol,
        conntrack_helpers.c.port,
        conntrack_helpers.c.helper,
    )
    .where(conntrack_helpers.c.router_id.in_(_IDS))
    .order_by(conntrack_helpers.c.protocol, conntrack_helpers.c.port, conntrack_helpers.c.helper)
)
_STANDING = (
    select(router_ports.c.router_id)
    .join(ports, ports.c.id == router_ports.c.port_id)
    .where(ports.c.network_id.in_(_IDS))
)
_EXTERNAL = select(networks.c.id).where(networks.c.id.in_(_IDS), networks.c.is_external.is_(True))
_LEADING = _STANDING.where(router_ports.c.kind == GATEWAY)

_IN_POOLS = (
    select(router_ports.c.router_id)
    .join(ip_allocations, ip_allocations.c.port_id == router_ports.c.port_id)
    .join(subnets, subnets.c.id == ip_allocations.c.subnet_id)
    .where(subnets.c.subnetpool_id.in_(_IDS))
)

_Addresses = Mapping[str, list[RouterAddress]]


def routers_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Router]:
    """Return routers by id; unknown ids are left out."""
    wanted = sorted(set(ids))
    used, led, forwarded = _ports(connection, wanted), _led(connection, wanted), _forwarded(connection, wanted)
    proxied, limits = _proxied(connection, wanted), limits_of(connection, wanted)
    meters = meters_of(connection, wanted)
    outside, helped = _outside(connection, wanted), _helped(connection, wanted)
    return {
        row.id: Router(
            id=row.id,
            host=row.host,
            admin_state_up=row.admin_state_up,
            enable_snat=row.enable_snat,
            routes=tuple(RouterRoute(each["destination"], each["nexthop"]) for each in orjson.loads(row.routes)),
            ports=tuple(used[row.id]),
            floating_ips=tuple(led[row.id]),
            forwarded=tuple(forwarded[row.id]),
            helped=tuple(helped[row.id]),
            enable_ndp_proxy=row.enable_ndp_proxy,
            proxied=tuple(proxied[row.id]),
            limits=tuple(limits.get(row.id, ())),
            meters=tuple(meters.get(row.id, ())),
            outside=outside[row.id],
            enable_default_route_ecmp=row.enable_default_route_ecmp,
        )
        for row in _rows(connection, _ROUTERS, wanted)
    }


def routers_of_host(connection: Connection, host: str) -> list[str]:
    """Return the ids of the routers that a host carries, in order."""
    return list(connection.execute(_OF_HOST, {"host": host}).scalars())


def routers_in(connection: Connection, network_ids: Iterable[str]) -> set[str]:
    """Return the ids of the routers that use ports of networks."""
    return {row.router_id for row in _rows(connection, _STANDING, sorted(set(network_ids)))}


def routers_into(connection: Connection, network_ids: Iterable[str]) -> set[str]:
    """Return the ids of the routers that have gateways in networks; only of external ones anything is asked."""
    outside = [row.id for row in _rows(connection, _EXTERNAL, sorted(set(network_ids)))]
    return {row.router_id for row in _rows(connection, _LEADING, outside)}


def routers_of_pools(connection: Connection, pool_ids: Iterable[str]) -> set[str]:
    """Return the ids of the routers that use ports with addresses of subnet pools."""
    return {row.router_id for row in _rows(connection, _IN_POOLS, sorted(set(pool_ids)))}


def _ports(connection: Connection, router_ids: list[str]) -> Mapping[str, list[RouterPort]]:
    addresses: defaultdict[str, list[RouterAddress]] = defaultdict(list)
    rows = tuple(_rows(connection, _ADDRESSES, router_ids))
    own_servers = servers6(connection, (row.network_id for row in rows if row.ipv6_ra_mode is not None))
    for row in rows:
        said = (row.ip_address, row.cidr, row.gateway_ip, row.ipv6_ra_mode)
        is_delegated = row.subnetpool_id == PREFIX_DELEGATION and row.ip_address == row.gateway_ip
        delegated_to = row.subnet_id if is_delegated else ""
        servers = tuple(orjson.loads(row.dns_nameservers)) or tuple(filter(None, (own_servers.get(row.subnet_id),)))
        addresses[row.port_id].append(RouterAddress(*said, servers, row.address_scope_id or "", delegated_to))
    beside: defaultdict[str, list[str]] = defaultdict(list)
    for port_id, cidr in _rows(connection, _BESIDE, router_ids):
        beside[port_id].append(cidr)
    found: defaultdict[str, list[RouterPort]] = defaultdict(list)
    for row in _rows(connection, _PORTS, router_ids):
        found[row.router_id].append(_port(row, addresses, tuple(beside[row.port_id])))
    return found


def _port(row: Any, addresses: _Addresses, beside: tuple[str, ...]) -> RouterPort:
    return RouterPort(
        id=row.port_id,
        is_gateway=row.kind == GATEWAY,
        network_id=row.network_id,
        mac_address=row.mac_address,
        mtu_bytes=row.mtu,
        is_enabled=row.admin_state_up and row.is_network_up,
        addresses=tuple(addresses[row.port_id]),
        ordinal=row.ordinal,
        number=row.number,
        beside=beside,
    )


def _led(connection: Connection, router_ids: list[str]) -> Mapping[str, list[FloatingAddress]]:
    found: defaultdict[str, list[FloatingAddress]] = defaultdict(list)
    for router_id, *floating in _rows(connection, _FLOATING, router_ids):
        found[router_id].append(FloatingAddress(*floating))
    return found


def _outside(connection: Connection, router_ids: list[str]) -> Mapping[str, dict[str, str]]:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for router_id, address, network_id in _rows(connection, _OUTSIDE, router_ids):
        found[router_id][address] = network_id
    return found


def _forwarded(connection: Connection, router_ids: list[str]) -> Mapping[str, list[ForwardedPorts]]:
    found: defaultdict[str, list[ForwardedPorts]] = defaultdict(list)
    for router_id, *ports_led in _rows(connection, _FORWARDED, router_ids):
        found[router_id].append(ForwardedPorts(*ports_led))
    return found


def _proxied(connection: Connection, router_ids: list[str]) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for router_id, address in _rows(connection, _PROXIED, router_ids):
        found[router_id].append(address)
    return found


def _helped(connection: Connection, router_ids: list[str]) -> Mapping[str, list[HelpedPort]]:
    found: defaultdict[str, list[HelpedPort]] = defaultdict(list)
    for router_id, *said in _rows(connection, _HELPED, router_ids):
        found[router_id].append(HelpedPort(*said))
    return found


def _rows(connection: Connection, statement: Select[Any], wanted: list[str]) -> Iterator[Any]:
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(statement, {"ids": wanted[start : start + CHUNK]})

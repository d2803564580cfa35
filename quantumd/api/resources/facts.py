"""What port and subnet changes need to know of a network, read once a commit and kept in the transaction's cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from attrs import frozen
from sqlalchemy import and_, bindparam, exists, literal_column, select

from quantumd.api.resources.prepared import Prepared
from quantumd.model.addresses import Pool, ip_key_of
from quantumd.model.context import OWN, Scope
from quantumd.model.network import LOCAL, Segment
from quantumd.model.subnet import is_auto_address, is_served
from quantumd.store.scope import EVERYBODY, actions_of
from quantumd.store.segment_nouns import segments_of
from quantumd.store.tables import networks, rbac_entries, segments, subnets
from quantumd.store.transaction import Transaction


@frozen
class SubnetFacts:
    """A subnet, with its pools as numbers."""

    id: str
    ip_version: int
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    pools: tuple[Pool, ...]
    is_auto_address: bool = False
    """Whether ports compute their address on it from their MAC (SLAAC, stateless DHCPv6)."""
    service_types: tuple[str, ...] = ()
    segment_id: str | None = None
    is_served: bool = False
    """Whether DHCP answers clients on it, and the network's DHCP port has an address there."""


@frozen
class NetworkFacts:
    """A network with its subnets, oldest first. ``users`` are RBAC entries: (action, project, * is all)."""

    id: str
    project_id: str
    admin_state_up: bool
    mtu_bytes: int
    is_external: bool
    users: frozenset[tuple[str, str]]
    subnets: tuple[SubnetFacts, ...]
    port_security_enabled: bool = True
    dns_domain: str = ""
    segments: tuple[Segment, ...] = (Segment(LOCAL),)
    """In the order in which hosts try to carry the network by them."""

    def is_visible(self, scope: Scope) -> bool:
        """Whether the scope holds the network: the same rule as ``visible_networks``, for a row that is cached."""
        if scope.is_everything or (OWN in scope.grants and self.project_id == scope.project_id):
            return True
        whom = (EVERYBODY, scope.project_id)
        return any((action, project_id) in self.users for action in actions_of(scope) for project_id in whom)

    def subnet(self, subnet_id: str) -> SubnetFacts | None:
        """Return the network's subnet of that id."""
        return next((subnet for subnet in self.subnets if subnet.id == subnet_id), None)


# With who else may use it, a row each, or one row when nobody may: a second statement would cost more than the join.
# Every RBAC entry of a network, whatever its action, lets a project see it.
_NETWORK = Prepared(
    select(
        networks.c.id,
        networks.c.project_id,
        networks.c.admin_state_up,
        networks.c.mtu,
        networks.c.is_external,
        networks.c.port_security_enabled,
        networks.c.dns_domain,
        networks.c.network_type,
        networks.c.physical_network,
        networks.c.segmentation_id,
        exists()
        .where(segments.c.network_id == networks.c.id, segments.c.segment_index > literal_column("0"))
        .label("has_had_more"),
        rbac_entries.c.action,
        rbac_entries.c.target_project,
    )
    .outerjoin(
        rbac_entries,
        and_(
            rbac_entries.c.object_id == networks.c.id,
            rbac_entries.c.object_type == bindparam("object_type"),
        ),
    )
    .where(networks.c.id == bindparam("wanted"))
)
_SUBNETS = Prepared(
    select(
        subnets.c.id,
        subnets.c.ip_version,
        subnets.c.cidr,
        subnets.c.gateway_ip,
        subnets.c.enable_dhcp,
        subnets.c.allocation_pools,
        subnets.c.ipv6_ra_mode,
        subnets.c.ipv6_address_mode,
        subnets.c.service_types,
        subnets.c.segment_id,
    )
    .where(subnets.c.network_id == bindparam("wanted"))
    .order_by(subnets.c.created_at, subnets.c.id)
)


def network_facts(tx: Transaction, network_id: str) -> NetworkFacts | None:
    """Return the network with its subnets, None when there is none; read at most once a commit."""
    key = ("network", network_id)
    if key in tx.cache:
        found: NetworkFacts | None = tx.cache[key]
        return found
    wanted = {"wanted": network_id}
    found_rows = _NETWORK.rows(tx, {**wanted, "object_type": "network"})
    facts = None
    if found_rows:
        of_subnets = tuple(_subnet_facts(each) for each in _SUBNETS.rows(tx, wanted))
        facts = _network_facts(found_rows, of_subnets, _segments(tx, found_rows[0]))
    tx.cache[key] = facts
    return facts


def _segments(tx: Transaction, row: Sequence[Any]) -> tuple[Segment, ...]:
    """Return the segments of the network that a row is of; nearly every one has only that in its row."""
    several = segments_of(tx.connection, (row[0],)) if row[-3] else {}
    return several.get(row[0]) or (Segment(*row[-6:-3]),)


def _network_facts(
    rows: Sequence[Any], of_subnets: tuple[SubnetFacts, ...], of_segments: tuple[Segment, ...]
) -> NetworkFacts:
    network_id, project_id, admin_state_up, mtu, is_external, port_security_enabled, dns_domain, *_ = rows[0]
    users = frozenset((row[-2], row[-1]) for row in rows if row[-1] is not None)
    return NetworkFacts(
        network_id,
        project_id,
        bool(admin_state_up),
        mtu,
        bool(is_external),
        users,
        of_subnets,
        bool(port_security_enabled),
        dns_domain,
        of_segments,
    )


def _subnet_facts(row: Sequence[Any]) -> SubnetFacts:
    (
        subnet_id,
        ip_version,
        cidr,
        gateway_ip,
        enable_dhcp,
        pools,
        ipv6_ra_mode,
        ipv6_address_mode,
        service_types,
        segment_id,
    ) = row
    return SubnetFacts(
        subnet_id,
        ip_version,
        cidr,
        gateway_ip,
        bool(enable_dhcp),
        pools_of(ip_version, orjson.loads(pools)),
        is_auto_address(ipv6_ra_mode, ipv6_address_mode),
        tuple(orjson.loads(service_types)) if service_types else (),
        segment_id,
        is_served(ip_version, bool(enable_dhcp), ipv6_ra_mode, ipv6_address_mode),
    )


def pools_of(ip_version: int, shown: Iterable[Mapping[str, str]]) -> tuple[Pool, ...]:
    """Return pools, as the API shows them, as numbers."""
    return tuple(Pool(ip_version, int(ip_key_of(pool["start"]), 16), int(ip_key_of(pool["end"]), 16)) for pool in shown)


def forget_network(tx: Transaction, network_id: str) -> None:
    """Drop what is cached of a network; called by whoever writes it or its subnets."""
    tx.cache.pop(("network", network_id), None)

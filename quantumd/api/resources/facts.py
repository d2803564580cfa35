"""What port and subnet changes need to know of a network, read once a commit and kept in the transaction's cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from attrs import frozen
from sqlalchemy import bindparam, select

from quantumd.model.addresses import Pool, ip_key_of
from quantumd.model.binding import Binding, HostVif, bind
from quantumd.model.context import Scope
from quantumd.model.subnet import is_auto_address, is_served
from quantumd.store.tables import hosts, networks, subnets
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

    @property
    def is_served(self) -> bool:
        """Whether the network's DHCP port has an address on it."""
        return is_served(self.ip_version, self.enable_dhcp)


@frozen
class NetworkFacts:
    """A network with its subnets, oldest first."""

    id: str
    project_id: str
    shared: bool
    admin_state_up: bool
    subnets: tuple[SubnetFacts, ...]
    port_security_enabled: bool = True
    dns_domain: str = ""

    def is_visible(self, scope: Scope) -> bool:
        """Whether the scope holds the network: the same rule as ``visible_networks``, for a row that is cached."""
        return scope.is_everything or self.shared or self.project_id == scope.project_id

    def subnet(self, subnet_id: str) -> SubnetFacts | None:
        """Return the network's subnet of that id."""
        return next((subnet for subnet in self.subnets if subnet.id == subnet_id), None)


_NETWORK = select(networks.c.id, networks.c.project_id, networks.c.shared, networks.c.admin_state_up).where(
    networks.c.id == bindparam("wanted")
)
_SUBNETS = (
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
_HOST_VIF = select(hosts.c.vif_type, hosts.c.vif_details).where(
    hosts.c.host == bindparam("wanted"), hosts.c.role == "l2", hosts.c.vif_type.is_not(None)
)


def network_facts(tx: Transaction, network_id: str) -> NetworkFacts | None:
    """Return the network with its subnets, None when there is none; read at most once a commit."""
    key = ("network", network_id)
    if key in tx.cache:
        found: NetworkFacts | None = tx.cache[key]
        return found
    wanted = {"wanted": network_id}
    row = tx.connection.execute(_NETWORK, wanted).first()
    facts = None
    if row is not None:
        rows = tx.connection.execute(_SUBNETS, wanted)
        facts = NetworkFacts(*row, subnets=tuple(_subnet_facts(each) for each in rows))
    tx.cache[key] = facts
    return facts


def _subnet_facts(row: Any) -> SubnetFacts:
    return SubnetFacts(
        row.id,
        row.ip_version,
        row.cidr,
        row.gateway_ip,
        row.enable_dhcp,
        pools_of(row.ip_version, orjson.loads(row.allocation_pools)),
        is_auto_address(row.ipv6_ra_mode, row.ipv6_address_mode),
        tuple(orjson.loads(row.service_types)) if row.service_types else (),
        row.segment_id,
    )


def pools_of(ip_version: int, shown: Iterable[Mapping[str, str]]) -> tuple[Pool, ...]:
    """Return pools, as the API shows them, as numbers."""
    return tuple(Pool(ip_version, int(ip_key_of(pool["start"]), 16), int(ip_key_of(pool["end"]), 16)) for pool in shown)


def forget_network(tx: Transaction, network_id: str) -> None:
    """Drop what is cached of a network; called by whoever writes it or its subnets."""
    tx.cache.pop(("network", network_id), None)


def binding_for(tx: Transaction, host_id: str, vnic_type: str) -> Binding:
    """Return what a port of this vnic_type answers when it is bound to the host ('' is none)."""
    if not host_id:
        return bind("", vnic_type, None)
    row = tx.connection.execute(_HOST_VIF, {"wanted": host_id}).first()
    return bind(host_id, vnic_type, None if row is None else HostVif(row.vif_type, row.vif_details))

"""What becomes of ports when the subnets of their network come and go.

On a subnet with automatic addresses (SLAAC, stateless DHCPv6) a port has the address that it computes from its MAC,
from the moment that the subnet is there until it goes. On other subnets ports keep the subnet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, bindparam, select

from quantumd.api.resources.allocation import Address, addresses_of
from quantumd.api.resources.errors import SubnetInUse
from quantumd.api.resources.facts import SubnetFacts
from quantumd.api.resources.port_rows import change_port
from quantumd.api.resources.port_views import port_views
from quantumd.api.resources.views import View, in_batches
from quantumd.model.addresses import eui64_number
from quantumd.model.nouns import DHCP_OWNER
from quantumd.model.port import ROUTER_INTERFACE_OWNERS, computes_addresses
from quantumd.store.tables import ip_allocations, ports
from quantumd.store.transaction import Transaction

_OF_NETWORK = (
    select(ports.c.id)
    .where(ports.c.network_id == bindparam("wanted"), ports.c.device_owner != DHCP_OWNER)
    .order_by(ports.c.created_at, ports.c.id)
)
_OF_SUBNET = (
    select(ports.c.id)
    .join(ip_allocations, ip_allocations.c.port_id == ports.c.id)
    .where(ip_allocations.c.subnet_id == bindparam("wanted"), ports.c.device_owner != DHCP_OWNER)
    .distinct()
)
_OF_ROUTERS = _OF_SUBNET.where(ports.c.device_owner.in_(sorted(ROUTER_INTERFACE_OWNERS))).limit(1)


def give_auto_addresses(tx: Transaction, request_id: str, network_id: str, subnet: SubnetFacts) -> None:
    """Give every port of the network, routers' and its DHCP port excepted, its address on a new subnet."""
    if not subnet.is_auto_address:
        return
    for port in _ports(tx, _OF_NETWORK, network_id):
        if not computes_addresses(port["device_owner"]):
            continue
        address = Address(subnet.id, subnet.ip_version, eui64_number(subnet.cidr, port["mac_address"]))
        change_port(tx, request_id, port, {}, (*addresses_of(tx, port["id"]), address))


def take_addresses(tx: Transaction, request_id: str, subnet: SubnetFacts) -> None:
    """Take the addresses of a subnet that goes from the ports that have automatic ones on it.

    :raises SubnetInUse: a router has a port on it, or any port that does not compute its address.
    """
    wanted = {"wanted": subnet.id}
    keeping = _OF_ROUTERS if subnet.is_auto_address else _OF_SUBNET.limit(1)
    if tx.connection.execute(keeping, wanted).first() is not None:
        raise SubnetInUse(subnet.id)
    if not subnet.is_auto_address:
        return
    for port in _ports(tx, _OF_SUBNET, subnet.id):
        others = tuple(each for each in addresses_of(tx, port["id"]) if each.subnet_id != subnet.id)
        change_port(tx, request_id, port, {}, others)


def _ports(tx: Transaction, statement: Select[Any], wanted: str) -> Iterable[View]:
    ids = tx.connection.execute(statement, {"wanted": wanted}).scalars().all()
    for batch in in_batches(ids):
        yield from port_views(tx.connection, batch)

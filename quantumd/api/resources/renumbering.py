"""What becomes of a subnet, and of the addresses on it, when its prefix is another: who is which stays as it was."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from quantumd.api.resources.allocation import Address, addresses_of
from quantumd.api.resources.network_rows import record_changed
from quantumd.api.resources.port_rows import change_port
from quantumd.api.resources.port_views import port_views
from quantumd.api.resources.subnet_rows import change_subnet, subnet_views
from quantumd.api.resources.subnet_rules import shown_pools
from quantumd.api.resources.views import in_batches
from quantumd.model.addresses import address_text, automatic_pools, ip_key_of, prefix_of
from quantumd.model.context import Context
from quantumd.store.tables import ip_allocations
from quantumd.store.transaction import Transaction

_PORTS = select(ip_allocations.c.port_id).where(ip_allocations.c.subnet_id == bindparam("wanted")).distinct()


def renumber(tx: Transaction, context: Context, subnet_id: str, cidr: str) -> None:
    """Let a subnet have another prefix of the same length: gateway, pools and addresses follow.

    What tells one of them from the others of the subnet stays; ports compute that from their MACs, as VMs do.
    """
    before = subnet_views(tx.connection, (subnet_id,))[subnet_id]
    if before["cidr"] == cidr:
        return
    gateway_ip = None if before["gateway_ip"] is None else _moved_text(before["gateway_ip"], cidr)
    pools = shown_pools(automatic_pools(cidr, gateway_ip))
    changed = {"cidr": cidr, "gateway_ip": gateway_ip, "allocation_pools": pools}
    _, position = change_subnet(tx, context, before, changed)
    ids = tx.connection.execute(_PORTS, {"wanted": subnet_id}).scalars().all()
    for batch in in_batches(sorted(ids)):
        for port in port_views(tx.connection, batch):
            addresses = tuple(_moved(each, subnet_id, cidr) for each in addresses_of(tx, port["id"]))
            change_port(tx, context.request_id, port, {}, addresses)
    record_changed(tx, before["network_id"], position)


def _moved(address: Address, subnet_id: str, cidr: str) -> Address:
    if address.subnet_id != subnet_id:
        return address
    return Address(subnet_id, 6, _moved_number(address.number, cidr))


def _moved_number(number: int, cidr: str) -> int:
    prefix = prefix_of(cidr)
    return int(prefix.network_address) | number & int(prefix.hostmask)


def _moved_text(address: str, cidr: str) -> str:
    return address_text(6, _moved_number(int(ip_key_of(address), 16), cidr))

"""Rows for tests: whole ones, of which a test names only what matters to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from quantumd.store import tables
from quantumd.store.transaction import Transaction

_STANDARD: dict[str, Any] = {
    "project_id": "p1",
    "name": "",
    "description": "",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "revision_number": 0,
}


def add_network(transaction: Transaction, network_id: str, **columns: Any) -> None:
    """Write a network."""
    row = {"admin_state_up": True, "status": "ACTIVE", "mtu": 1500, "network_type": "local"}
    row |= {"physical_network": None, "segmentation_id": None, "record_version": 1}
    transaction.connection.execute(insert(tables.networks), {**_STANDARD, **row, "id": network_id, **columns})


def add_subnet(transaction: Transaction, subnet_id: str, network_id: str, **columns: Any) -> None:
    """Write a subnet."""
    row = {"ip_version": 4, "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1", "enable_dhcp": True}
    row |= {"allocation_pools": "[]", "dns_nameservers": "[]", "host_routes": "[]", "network_id": network_id}
    transaction.connection.execute(insert(tables.subnets), {**_STANDARD, **row, "id": subnet_id, **columns})


def add_port(transaction: Transaction, port_id: str, network_id: str, **columns: Any) -> None:
    """Write a port."""
    row = {"mac_address": f"mac-{port_id}", "admin_state_up": True, "status": "DOWN", "device_id": "", "host_id": ""}
    row |= {"device_owner": "", "vnic_type": "normal", "vif_type": "unbound", "vif_details": "{}", "profile": "{}"}
    row |= {"record_version": 1, "network_id": network_id}
    transaction.connection.execute(insert(tables.ports), {**_STANDARD, **row, "id": port_id, **columns})


def add_address(transaction: Transaction, port_id: str, subnet_id: str, ip_address: str, ordinal: int = 0) -> None:
    """Write an address of a port."""
    row = {"port_id": port_id, "subnet_id": subnet_id, "ip_address": ip_address, "ordinal": ordinal}
    transaction.connection.execute(insert(tables.ip_allocations), {**row, "ip_key": ip_address})


def add_grant(transaction: Transaction, network_id: str, action: str, target: str = "*") -> None:
    """Let a project see a network; everybody by default."""
    row = {"id": f"{network_id}-{action}-{target}", "project_id": "p1", "object_type": "network", "action": action}
    row |= {"object_id": network_id, "target_project": target, "created_at": "2026-01-01T00:00:00Z"}
    transaction.connection.execute(insert(tables.rbac_entries), row)

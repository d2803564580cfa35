"""Rows of subnets: what the API shows of them, and writing them with their journal rows. No rules here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from quantumd.api.resources.facts import SubnetFacts, pools_of
from quantumd.api.resources.tags import forget_tags, tags_of
from quantumd.api.resources.views import IDS, View, json_text
from quantumd.model.context import Context
from quantumd.model.subnet import is_auto_address, is_served
from quantumd.store.tables import subnets
from quantumd.store.transaction import Transaction

_JSON = frozenset({"allocation_pools", "host_routes", "dns_nameservers", "service_types"})
_COLUMNS = frozenset(subnets.c.keys())

_OF_IDS = select(subnets).where(subnets.c.id.in_(IDS))
_INSERT = insert(subnets)
_UPDATE = update(subnets).where(subnets.c.id == bindparam("wanted"))
_DELETE = delete(subnets).where(subnets.c.id == bindparam("wanted"))


def _list(text: str | None) -> Any:
    return [] if text is None or text == "[]" else orjson.loads(text)


def subnet_view(row: Any, tags: list[str]) -> View:
    """Return what the API shows of a subnet's row."""
    return {
        "id": row.id,
        "name": row.name,
        "project_id": row.project_id,
        "network_id": row.network_id,
        "ip_version": row.ip_version,
        "subnetpool_id": row.subnetpool_id,
        "enable_dhcp": row.enable_dhcp,
        "ipv6_ra_mode": row.ipv6_ra_mode,
        "ipv6_address_mode": row.ipv6_address_mode,
        "gateway_ip": row.gateway_ip,
        "cidr": row.cidr,
        "allocation_pools": _list(row.allocation_pools),
        "host_routes": _list(row.host_routes),
        "dns_nameservers": _list(row.dns_nameservers),
        "service_types": _list(row.service_types),
        "segment_id": row.segment_id,
        "dns_publish_fixed_ip": row.dns_publish_fixed_ip,
        "tags": tags,
        "description": row.description,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "revision_number": row.revision_number,
    }


def subnet_views(connection: Connection, ids: Sequence[str]) -> dict[str, View]:
    """Return the views of the subnets by id, in the order of the ids; those that are gone are left out."""
    rows = {row.id: row for row in connection.execute(_OF_IDS, {"ids": ids}).all()}
    tags = tags_of(connection, ids)
    return {key: subnet_view(rows[key], tags[key]) for key in ids if key in rows}


def facts_of(view: Mapping[str, Any]) -> SubnetFacts:
    """Return the subnet as port and subnet changes need to know it."""
    return SubnetFacts(
        id=view["id"],
        ip_version=view["ip_version"],
        cidr=view["cidr"],
        gateway_ip=view["gateway_ip"],
        enable_dhcp=view["enable_dhcp"],
        pools=pools_of(view["ip_version"], view["allocation_pools"]),
        is_auto_address=is_auto_address(view["ipv6_ra_mode"], view["ipv6_address_mode"]),
        service_types=tuple(view["service_types"]),
        segment_id=view["segment_id"],
        is_served=is_served(view["ip_version"], view["enable_dhcp"], view["ipv6_ra_mode"], view["ipv6_address_mode"]),
    )


def insert_subnet(tx: Transaction, context: Context, view: View) -> int:
    """Write a new subnet and return its journal position."""
    position = _journal(tx, context, "create", view, after=view)
    tx.connection.execute(_INSERT, _columns(view))
    return position


def change_subnet(tx: Transaction, context: Context, before: View, changed: Mapping[str, Any]) -> tuple[View, int]:
    """Write what changed of a subnet, as a revision of it; return the new view and the journal position."""
    changed = {**changed, "revision_number": before["revision_number"] + 1, "updated_at": tx.now}
    after = {**before, **changed}
    position = _journal(tx, context, "update", after, before=before, after=after)
    tx.connection.execute(_UPDATE.values(_columns(changed)), {"wanted": before["id"]})
    return after, position


def journal_deletion(tx: Transaction, context: Context, view: View) -> int:
    """Write the journal row of a subnet that goes, before what hangs on it changes; return its position."""
    return _journal(tx, context, "delete", view, before=view)


def drop_subnet(tx: Transaction, subnet_id: str) -> None:
    """Delete the row of a subnet that no port has an address on, with its tags."""
    forget_tags(tx, subnet_id)
    tx.connection.execute(_DELETE, {"wanted": subnet_id})


def remove_subnet(tx: Transaction, context: Context, subnet_id: str) -> None:
    """Delete a subnet that no port has an address on, without any question asked."""
    for view in subnet_views(tx.connection, (subnet_id,)).values():
        journal_deletion(tx, context, view)
    drop_subnet(tx, subnet_id)


def _columns(view: Mapping[str, Any]) -> dict[str, Any]:
    return {name: json_text(value) if name in _JSON else value for name, value in view.items() if name in _COLUMNS}


def _journal(
    tx: Transaction,
    context: Context,
    operation: str,
    subnet: View,
    before: View | None = None,
    after: View | None = None,
) -> int:
    return tx.journal(
        resource="subnet",
        resource_id=subnet["id"],
        project_id=subnet["project_id"],
        request_id=context.request_id,
        operation=operation,
        before=before,
        after=after,
    )

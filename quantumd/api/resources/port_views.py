"""From rows of ports to what the API shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.views import View, json_text, object_of
from quantumd.store.tables import ip_allocations, ports, tags

PORT_KEYS: Mapping[str, str] = {
    "id": "id",
    "name": "name",
    "network_id": "network_id",
    "project_id": "project_id",
    "mac_address": "mac_address",
    "admin_state_up": "admin_state_up",
    "status": "status",
    "device_id": "device_id",
    "device_owner": "device_owner",
    "description": "description",
    "binding:vnic_type": "vnic_type",
    "binding:profile": "profile",
    "binding:host_id": "host_id",
    "binding:vif_type": "vif_type",
    "binding:vif_details": "vif_details",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "revision_number": "revision_number",
    "ip_allocation": "ip_allocation",
    "port_security_enabled": "port_security_enabled",
    "details": "details",
}
"""What of a port's view is read from its row: the key, and the column."""

PORT_COLUMNS: Mapping[str, str] = {key: column for key, column in PORT_KEYS.items() if key != column}
"""Attributes of ports whose column has another name."""

PORT_ROW = select(*(ports.c[column] for column in PORT_KEYS.values()))
"""The columns of a port in the order in which ``port_view`` takes them."""

PORT_DETAILS: Mapping[str, Any] = {
    "allowed_address_pairs": [],
    "extra_dhcp_opts": [],
    "dns_name": "",
    "dns_domain": "",
    "data_plane_status": None,
    "propagate_uplink_status": True,
    "device_profile": None,
    "numa_affinity_policy": None,
    "hints": None,
    "trusted": None,
    "hardware_offload_type": None,
    "resource_request": None,
}
"""Attributes kept together in the column ``details``, with what most ports have. The values are never changed."""

REQUEST = "resource_request"
"""The one of them that is kept nowhere: it follows from the port's QoS policy."""

_NO_LIST: list[Any] = []
"""The lists of a port that has none; never changed."""


def port_view(row: Sequence[Any], fixed_ips: list[dict[str, str]], tagged: list[str] | None = None) -> View:
    """Return what the API shows of a port; ``row`` is one of PORT_ROW. What aspects keep elsewhere is not there."""
    # Written out: lists have many ports, and this is the fastest way to make a dict.
    view = {
        "id": row[0],
        "name": row[1],
        "network_id": row[2],
        "project_id": row[3],
        "mac_address": row[4],
        "admin_state_up": bool(row[5]),
        "status": row[6],
        "device_id": row[7],
        "device_owner": row[8],
        "description": row[9],
        "binding:vnic_type": row[10],
        "binding:profile": object_of(row[11]),
        "binding:host_id": row[12],
        "binding:vif_type": row[13],
        "binding:vif_details": object_of(row[14]),
        "created_at": row[15],
        "updated_at": row[16],
        "revision_number": row[17],
        "ip_allocation": row[18],
        "port_security_enabled": bool(row[19]),
        "fixed_ips": fixed_ips,
        "tags": tagged or _NO_LIST,
        "allowed_address_pairs": _NO_LIST,
        "extra_dhcp_opts": _NO_LIST,
        "dns_name": "",
        "dns_domain": "",
        "data_plane_status": None,
        "propagate_uplink_status": True,
        "device_profile": None,
        "numa_affinity_policy": None,
        "hints": None,
        "trusted": None,
        "hardware_offload_type": None,
        "resource_request": None,
    }
    if row[20] is not None:
        view |= orjson.loads(row[20])
    return view


def port_columns(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a port's row that hold what its view shows."""
    row = {column: view[key] for key, column in PORT_KEYS.items() if column != "details"}
    row["profile"] = json_text(row["profile"])
    row["vif_details"] = json_text(row["vif_details"])
    details = {name: view[name] for name, usual in PORT_DETAILS.items() if view[name] != usual and name != REQUEST}
    row["details"] = json_text(details) if details else None
    return row


def journalled_port(view: Mapping[str, Any]) -> View:
    """Return a port's view as the journal keeps it: with the host under a name of its own, so that moves are seen."""
    return {**view, "host_id": view["binding:host_id"]}


_PORTS = PreparedIds(PORT_ROW, ports.c.id)
_FIXED_IPS = PreparedIds(
    select(ip_allocations.c.port_id, ip_allocations.c.subnet_id, ip_allocations.c.ip_address).order_by(
        ip_allocations.c.ordinal
    ),
    ip_allocations.c.port_id,
)
_TAGS = PreparedIds(select(tags.c.resource_id, tags.c.tag).order_by(tags.c.tag), tags.c.resource_id)


def fixed_ips_of(connection: Connection, port_ids: Sequence[str]) -> Mapping[str, list[dict[str, str]]]:
    """Return the ports' fixed IPs as the API shows them; a port without any is an empty list."""
    found: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for port_id, subnet_id, ip_address in _FIXED_IPS.rows(connection, port_ids):
        found[port_id].append({"subnet_id": subnet_id, "ip_address": ip_address})
    return found


def tags_of_ports(connection: Connection, port_ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the tags of the ports that have any, in alphabetical order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for port_id, tag in _TAGS.rows(connection, port_ids):
        found[port_id].append(tag)
    return found


def port_views(
    connection: Connection, ids: Sequence[str], with_fixed_ips: bool = True, with_tags: bool = True
) -> list[View]:
    """Return the views of the ports, in the order of the ids; those that are gone are left out."""
    rows = {row[0]: row for row in _PORTS.rows(connection, ids)}
    fixed_ips = fixed_ips_of(connection, ids) if with_fixed_ips else defaultdict(list)
    tagged = tags_of_ports(connection, ids) if with_tags else {}
    return [port_view(rows[key], fixed_ips[key], tagged.get(key)) for key in ids if key in rows]

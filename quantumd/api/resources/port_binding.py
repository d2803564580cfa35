"""Binding ports to hosts: what a port answers of its host, and what of the port follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select

from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.views import View, object_of
from quantumd.model.binding import Binding, HostVif, bind
from quantumd.model.port import is_dhcp_port
from quantumd.model.status import DOWN, L2
from quantumd.store.tables import hosts
from quantumd.store.transaction import Transaction

_HOST_VIF = Prepared(
    select(hosts.c.vif_type, hosts.c.vif_details).where(
        hosts.c.host == bindparam("wanted"), hosts.c.role == bindparam("as_role"), hosts.c.vif_type.is_not(None)
    )
)


def binding_for(tx: Transaction, host_id: str, vnic_type: str) -> Binding:
    """Return what a port of this vnic_type answers when it is bound to the host ('' is none)."""
    if not host_id:
        return bind("", vnic_type, None)
    rows = _HOST_VIF.rows(tx, {"wanted": host_id, "as_role": L2})
    return bind(host_id, vnic_type, HostVif(*rows[0]) if rows else None)


def bound(tx: Transaction, host_id: str, vnic_type: str) -> dict[str, Any]:
    """Return the binding attributes of a port that is bound to the host."""
    binding = binding_for(tx, host_id, vnic_type)
    return {
        "binding:host_id": host_id,
        "binding:vnic_type": vnic_type,
        "binding:vif_type": binding.vif_type,
        "binding:vif_details": object_of(binding.vif_details),
    }


def rebound(tx: Transaction, before: View, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that binding the port anew makes; a port that moves is DOWN until its new host has it.

    DHCP ports are on every host and never bound.
    """
    if is_dhcp_port(before["device_owner"]):
        return {}
    host_id = changes.get("binding:host_id", before["binding:host_id"])
    anew = bound(tx, host_id, changes.get("binding:vnic_type", before["binding:vnic_type"]))
    return {**anew, "status": DOWN} if host_id != before["binding:host_id"] else anew

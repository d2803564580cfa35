"""Binding ports to hosts: what a port answers of its host, and what of the port follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from quantumd.api.resources.facts import network_facts
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.views import View, object_of
from quantumd.model.binding import BINDING_FAILED, UNBOUND, Binding, HostVif, bind
from quantumd.model.host_life import HostLife
from quantumd.model.network import LOCAL, Segment
from quantumd.model.port import is_dhcp_port
from quantumd.model.status import DOWN, L2
from quantumd.store.segment_nouns import reach_of
from quantumd.store.tables import hosts
from quantumd.store.transaction import Transaction

_HOST_VIF = Prepared(
    select(
        hosts.c.vif_type, hosts.c.vif_details, hosts.c.reported_at, hosts.c.tunnel_types, hosts.c.physical_networks
    ).where(hosts.c.host == bindparam("wanted"), hosts.c.role == bindparam("as_role"), hosts.c.vif_type.is_not(None))
)
_HOST_VIFS = "host vifs"
"""What the cache of a transaction holds rows under, by host."""


def binding_for(
    tx: Transaction, host_id: str, vnic_type: str, life: HostLife | None, of_network: Sequence[Segment]
) -> Binding:
    """Return what a port of this vnic_type answers when it is bound to the host ('' is none).

    :param of_network: the segments of the port's network; not every host carries all.
    :param life: which hosts are alive, as a new binding needs one that is; None: any that ever reported will do.
    """
    if not host_id:
        return bind("", vnic_type, None)
    for vif_type, vif_details, reported_at, *reach in _host_vif(tx, host_id):
        if life is None or life.is_alive(host_id, _time(reported_at), _time(tx.now)):
            return bind(host_id, vnic_type, HostVif(vif_type, vif_details, reach_of(*reach)), of_network)
    return bind(host_id, vnic_type, None)


def _host_vif(tx: Transaction, host_id: str) -> Sequence[Any]:
    """Return the row in which the host says how it plugs, if there is one; read at most once a commit."""
    known: dict[str, Sequence[Any]] = tx.cache.setdefault(_HOST_VIFS, {})
    if host_id not in known:
        known[host_id] = _HOST_VIF.rows(tx, {"wanted": host_id, "as_role": L2})
    return known[host_id]


def forget_hosts(tx: Transaction) -> None:
    """Drop what is cached of hosts; called by whoever writes any of them."""
    tx.cache.pop(_HOST_VIFS, None)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def bound(
    tx: Transaction, host_id: str, vnic_type: str, life: HostLife | None, of_network: Sequence[Segment]
) -> dict[str, Any]:
    """Return the binding attributes of a port that is bound to the host. See binding_for."""
    binding = binding_for(tx, host_id, vnic_type, life, of_network)
    return {
        "binding:host_id": host_id,
        "binding:vnic_type": vnic_type,
        "binding:vif_type": binding.vif_type,
        "binding:vif_details": object_of(binding.vif_details),
    }


def rebound(tx: Transaction, before: View, changes: Mapping[str, Any], life: HostLife | None) -> dict[str, Any]:
    """Return the changes that binding the port anew makes; a port that moves is DOWN until its new host has it.

    DHCP ports are on every host and never bound. What is bound to a host stays bound while that is silent.
    """
    if is_dhcp_port(before["device_owner"]):
        return {}
    host_id = changes.get("binding:host_id", before["binding:host_id"])
    vnic_type = changes.get("binding:vnic_type", before["binding:vnic_type"])
    of_network = segments_of_network(tx, before["network_id"])
    if host_id != before["binding:host_id"]:
        return {**bound(tx, host_id, vnic_type, life, of_network), "status": DOWN}
    return bound(tx, host_id, vnic_type, None if is_bound(before["binding:vif_type"]) else life, of_network)


def segments_of_network(tx: Transaction, network_id: str) -> tuple[Segment, ...]:
    """Return the segments of a network in the order in which hosts try them; a port's own network cannot be gone."""
    network = network_facts(tx, network_id)
    return (Segment(LOCAL),) if network is None else network.segments


def is_bound(vif_type: str) -> bool:
    """Return whether a port with this vif_type has a host that plugs it."""
    return vif_type not in (UNBOUND, BINDING_FAILED)

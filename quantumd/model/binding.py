"""Bindings: what a port answers about the host that it is bound to."""

from __future__ import annotations

from attrs import frozen

UNBOUND = "unbound"
BINDING_FAILED = "binding_failed"
DISTRIBUTED = "distributed"

NORMAL = "normal"
VNIC_TYPES = (
    "normal",
    "direct",
    "macvtap",
    "baremetal",
    "direct-physical",
    "virtio-forwarder",
    "smart-nic",
    "vdpa",
    "accelerator-direct",
    "accelerator-direct-physical",
    "remote-managed",
)
"""Every vnic_type the API knows; ports of others than ``normal`` are stored and cannot be bound."""


@frozen
class HostVif:
    """How VIFs are plugged on a host, as its l2 role reports it. ``vif_details`` is JSON text of an object."""

    vif_type: str
    vif_details: str


@frozen
class Binding:
    """What a port answers: ``vif_type`` and ``vif_details`` (JSON text of an object)."""

    vif_type: str
    vif_details: str = "{}"


def bind(host_id: str, vnic_type: str, vif: HostVif | None) -> Binding:
    """Return the binding of a port to a host: no host is ``unbound``; unknown or unable is ``binding_failed``.

    :param vif: what the host's l2 role reported, None when no such host ever did.
    """
    if not host_id:
        return Binding(UNBOUND)
    if vif is None or vnic_type != NORMAL:
        return Binding(BINDING_FAILED)
    return Binding(vif.vif_type, vif.vif_details)

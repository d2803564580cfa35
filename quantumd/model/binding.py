"""Bindings: what a port answers about the host that it is bound to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from quantumd.model.carrying import NOWHERE, Reach, carried_segment
from quantumd.model.macs import canonical_mac
from quantumd.model.network import LOCAL, Segment

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
    """How VIFs are plugged on a host, as its l2 role reports it. ``vif_details`` is JSON text of an object.

    ``reach`` is what networks it can carry by.
    """

    vif_type: str
    vif_details: str
    reach: Reach = NOWHERE


@frozen
class Binding:
    """What a port answers: ``vif_type`` and ``vif_details`` (JSON text of an object)."""

    vif_type: str
    vif_details: str = "{}"


_ONE_HOST = (Segment(LOCAL),)


def bind(host_id: str, vnic_type: str, vif: HostVif | None, segments: Sequence[Segment] = _ONE_HOST) -> Binding:
    """Return the binding of a port to a host: no host is ``unbound``; unknown or unable is ``binding_failed``.

    :param vif: what the host's l2 role reported, None when no such host ever did.
    :param segments: those of the port's network; the host must be able to carry it by one of them.
    """
    if not host_id:
        return Binding(UNBOUND)
    if vif is None or vnic_type != NORMAL:
        return Binding(BINDING_FAILED)
    if carried_segment(segments, vif.reach) is None:
        return Binding(BINDING_FAILED)
    return Binding(vif.vif_type, vif.vif_details)


PHYSICAL = "direct-physical"
"""vnic_type of a port that is a whole device of its host, with a MAC address of its own."""


def physical_mac(host_id: str, vnic_type: str, profile: Mapping[str, Any]) -> str | None:
    """Return the MAC address of the device that the port is, None while it is none.

    Nova tells it as ``device_mac_address`` of the binding's profile. Source: port-mac-override.
    """
    if not host_id or vnic_type != PHYSICAL:
        return None
    return canonical_mac(profile.get("device_mac_address"))


def told_profile(profile: Mapping[str, Any], trusted: bool | None, offload_type: str | None) -> dict[str, Any]:
    """Return the profile with what Nova reads there of attributes that the API has beside it."""
    told = dict(profile)
    if trusted is not None:
        told["trusted"] = trusted
    if offload_type is not None:
        known = told.get("capabilities")
        others = [each for each in known if each != offload_type] if isinstance(known, list) else []
        told["capabilities"] = [*others, offload_type]
    return told

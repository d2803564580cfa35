"""The attributes of ports that clients set for others to read."""

from __future__ import annotations

from typing import Any

from quantumd.api.attributes import Attribute
from quantumd.api.errors import InvalidValue
from quantumd.api.values import (
    BOOLEAN,
    OBJECT_OR_NONE,
    Member,
    Value,
    dict_of,
    one_of,
    or_none,
    shown,
    string,
)

UPLINK = "uplink-status-propagation"
DATA_PLANE = "data-plane-status"
DEVICE_PROFILE = "port-device-profile"
NUMA = "port-numa-affinity-policy"
NUMA_SOCKET = "port-numa-affinity-policy-socket"
HINTS = "port-hints"
TRUSTED = "port-trusted-vif"
OFFLOAD = "port-hardware-offload-type"
RESOURCE_REQUEST = "port-resource-request"

_DATA_PLANE_STATUSES = (None, "ACTIVE", "DOWN")
_NUMA_POLICIES = ("required", "preferred", "legacy", "socket", None)


def _choice(choices: tuple[str | None, ...]) -> Value:
    def convert(given: Any) -> str | None:
        if (given is not None and not isinstance(given, str)) or given not in choices:
            raise InvalidValue(f"'{shown(given)}' is not in {choices}")
        return given

    return Value(convert, {"enum": list(choices)})


_STEERING = dict_of({"tx-steering": Member(one_of("thread", "hash"))})
_HINTS = or_none(dict_of({"openvswitch": Member(dict_of({"other_config": Member(_STEERING)}))}))

DETAIL_ATTRIBUTES = (
    Attribute(
        "propagate_uplink_status",
        *BOOLEAN,
        in_post=True,
        in_put=True,
        default=True,
        is_sort_key=False,
        extension=UPLINK,
    ),
    Attribute(
        "data_plane_status",
        *_choice(_DATA_PLANE_STATUSES),
        in_put=True,
        is_sort_key=False,
        extension=DATA_PLANE,
    ),
    Attribute(
        "device_profile",
        *or_none(string(255)),
        in_post=True,
        default=None,
        is_sort_key=False,
        extension=DEVICE_PROFILE,
    ),
    Attribute(
        "numa_affinity_policy",
        *_choice(_NUMA_POLICIES),
        in_post=True,
        in_put=True,
        default=None,
        is_sort_key=False,
        extension=NUMA,
    ),
    Attribute("hints", *_HINTS, in_post=True, in_put=True, default=None, is_sort_key=False, extension=HINTS),
    Attribute("trusted", *BOOLEAN, in_post=True, in_put=True, is_sort_key=False, extension=TRUSTED),
    Attribute(
        "hardware_offload_type",
        *one_of("switchdev"),
        in_post=True,
        is_sort_key=False,
        extension=OFFLOAD,
    ),
    Attribute("resource_request", *OBJECT_OR_NONE, is_sort_key=False, extension=RESOURCE_REQUEST),
)
"""``data_plane_status`` is for operators' monitoring, the others for Nova; hosts are told none of them."""

"""What a port asks of the host that it will be bound to, as Placement counts it. Pure.

Sources: the names of os-resource-classes 1.1 and os-traits 3.0; Networking API v2.0, ``port-resource-request-groups``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from quantumd.model.qos import ANY_DIRECTION, EGRESS, INGRESS, MINIMUM_BANDWIDTH, MINIMUM_PACKET_RATE, Rule

_CLASSES: Final[Mapping[tuple[str, str], str]] = {
    (MINIMUM_BANDWIDTH, EGRESS): "NET_BW_EGR_KILOBIT_PER_SEC",
    (MINIMUM_BANDWIDTH, INGRESS): "NET_BW_IGR_KILOBIT_PER_SEC",
    (MINIMUM_PACKET_RATE, EGRESS): "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC",
    (MINIMUM_PACKET_RATE, INGRESS): "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
    (MINIMUM_PACKET_RATE, ANY_DIRECTION): "NET_PACKET_RATE_KILOPACKET_PER_SEC",
}
_AMOUNTS: Final = {MINIMUM_BANDWIDTH: "min_kbps", MINIMUM_PACKET_RATE: "min_kpps"}
_NOT_IN_NAMES: Final = re.compile("[^A-Z0-9]+")


def resource_request(
    port_id: str, vnic_type: str, physical_network: str | None, rules: Iterable[Rule]
) -> dict[str, Any] | None:
    """Return what the guarantees among the rules ask for, None when there are none.

    Bandwidth is that of a physical network, so ports of other networks ask for none. The same rules give the same ids.
    """
    by_type: dict[str, list[Rule]] = {MINIMUM_BANDWIDTH: [], MINIMUM_PACKET_RATE: []}
    for rule in rules:
        by_type.get(rule["type"], []).append(rule)
    groups = []
    if by_type[MINIMUM_BANDWIDTH] and physical_network is not None:
        traits = [_trait("PHYSNET", physical_network), _trait("VNIC_TYPE", vnic_type)]
        groups.append(_group(port_id, traits, by_type[MINIMUM_BANDWIDTH]))
    if by_type[MINIMUM_PACKET_RATE]:
        groups.append(_group(port_id, [_trait("VNIC_TYPE", vnic_type)], by_type[MINIMUM_PACKET_RATE]))
    if not groups:
        return None
    return {"request_groups": groups, "same_subtree": [group["id"] for group in groups]}


def _group(port_id: str, traits: list[str], rules: Sequence[Rule]) -> dict[str, Any]:
    amounts = {_CLASSES[rule["type"], rule["direction"]]: rule[_AMOUNTS[rule["type"]]] for rule in rules}
    name = ":".join(rule["id"] for rule in rules)
    return {"id": str(uuid5(UUID(port_id), name)), "required": traits, "resources": amounts}


def _trait(kind: str, name: str) -> str:
    return f"CUSTOM_{kind}_{_NOT_IN_NAMES.sub('_', name.upper())}"

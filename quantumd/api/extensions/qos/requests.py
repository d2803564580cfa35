"""What ports ask of hosts by the guarantees of their policies, read with the ports and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from quantumd.api.extensions.qos.policies import rules_of
from quantumd.api.resources.views import IDS, View
from quantumd.model.qos import policy_in_force
from quantumd.model.resource_requests import resource_request
from quantumd.store.tables import networks

_PHYSICAL = select(networks.c.id, networks.c.physical_network).where(networks.c.id.in_(IDS))


def resource_requests(connection: Connection, views: Mapping[str, Mapping[str, Any]]) -> dict[str, View]:
    """Return the requests of those of the ports that have one, by id. The views hold both policies of each port."""
    policies = {
        port_id: policy_in_force(view["qos_policy_id"], view["qos_network_policy_id"], view["device_owner"])
        for port_id, view in views.items()
    }
    wanted = {policy_id for policy_id in policies.values() if policy_id is not None}
    if not wanted:
        return {}
    rules = rules_of(connection, sorted(wanted))
    concerned = {port_id: rules[each] for port_id, each in policies.items() if each is not None and each in rules}
    network_ids = {views[port_id]["network_id"] for port_id in concerned}
    physical = {row[0]: row[1] for row in connection.execute(_PHYSICAL, {"ids": list(network_ids)})}
    found = {
        port_id: resource_request(
            port_id, views[port_id]["binding:vnic_type"], physical.get(views[port_id]["network_id"]), named
        )
        for port_id, named in concerned.items()
    }
    return {port_id: request for port_id, request in found.items() if request is not None}

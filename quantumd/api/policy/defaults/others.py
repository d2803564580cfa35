"""Everything else: agents, flavors, local IPs, quotas, trunks, the journal. Source: Neutron 29, its conf.policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quantumd.api.policy.defaults.personas import (
    ADMIN,
    ANY_READER,
    MEMBER,
    PARENT_MEMBER,
    PARENT_READER,
    READER,
)

RULES: Final[Mapping[str, str]] = {
    "get_agent": ADMIN,
    "update_agent": ADMIN,
    "delete_agent": ADMIN,
    "create_dhcp-network": ADMIN,
    "get_dhcp-networks": ADMIN,
    "delete_dhcp-network": ADMIN,
    "get_dhcp-agents": ADMIN,
    "get_auto_allocated_topology": READER,
    "delete_auto_allocated_topology": MEMBER,
    "get_availability_zone": ANY_READER,
    "create_flavor": ADMIN,
    "get_flavor": ANY_READER,
    "update_flavor": ADMIN,
    "delete_flavor": ADMIN,
    "create_service_profile": ADMIN,
    "get_service_profile": ADMIN,
    "update_service_profile": ADMIN,
    "delete_service_profile": ADMIN,
    "get_flavor_service_profile": READER,
    "create_flavor_service_profile": ADMIN,
    "delete_flavor_service_profile": ADMIN,
    "create_local_ip": MEMBER,
    "get_journal_entry": ADMIN,
    "get_flavor_next_providers": ANY_READER,
    "get_local_ip": READER,
    "update_local_ip": MEMBER,
    "delete_local_ip": MEMBER,
    "create_local_ip_port_association": PARENT_MEMBER,
    "get_local_ip_port_association": PARENT_READER,
    "delete_local_ip_port_association": PARENT_MEMBER,
    "get_quota": READER,
    "update_quota": ADMIN,
    "delete_quota": ADMIN,
    "get_service_provider": ANY_READER,
    "create_trunk": MEMBER,
    "create_trunk:tags": MEMBER,
    "get_trunk": READER,
    "get_trunk:tags": "rule:get_trunk",
    "update_trunk": MEMBER,
    "update_trunk:tags": MEMBER,
    "delete_trunk": MEMBER,
    "delete_trunk:tags": MEMBER,
    "get_subports": READER,
    "add_subports": MEMBER,
    "remove_subports": MEMBER,
}

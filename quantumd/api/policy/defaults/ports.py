"""Ports and where they are bound. Source: Neutron 29, neutron/conf/policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quantumd.api.policy.defaults.personas import (
    ADMIN,
    ADMIN_OR_SERVICE,
    MEMBER_OR_SERVICE,
    NETWORK_MEMBER_OR_SERVICE,
    NETWORK_OR_SHARED_MEMBER,
)

RULES: Final[Mapping[str, str]] = {
    "get_port_binding": ADMIN_OR_SERVICE,
    "create_port_binding": ADMIN_OR_SERVICE,
    "update_port_binding": ADMIN_OR_SERVICE,
    "delete_port_binding": ADMIN_OR_SERVICE,
    "activate": ADMIN_OR_SERVICE,
    "create_port": NETWORK_OR_SHARED_MEMBER,
    "create_port:device_id": MEMBER_OR_SERVICE,
    "create_port:device_owner": (
        "not rule:network_device or rule:admin_only or rule:service_api or role:member and rule:network_owner"
    ),
    "create_port:mac_address": NETWORK_MEMBER_OR_SERVICE,
    "create_port:fixed_ips": NETWORK_OR_SHARED_MEMBER,
    "create_port:fixed_ips:ip_address": NETWORK_MEMBER_OR_SERVICE,
    "create_port:fixed_ips:subnet_id": NETWORK_OR_SHARED_MEMBER,
    "create_port:port_security_enabled": NETWORK_MEMBER_OR_SERVICE,
    "create_port:binding:host_id": ADMIN_OR_SERVICE,
    "create_port:binding:profile": ADMIN_OR_SERVICE,
    "create_port:binding:vnic_type": MEMBER_OR_SERVICE,
    "create_port:allowed_address_pairs": NETWORK_MEMBER_OR_SERVICE,
    "create_port:allowed_address_pairs:mac_address": NETWORK_MEMBER_OR_SERVICE,
    "create_port:allowed_address_pairs:ip_address": NETWORK_MEMBER_OR_SERVICE,
    "create_port:hints": ADMIN,
    "create_port:trusted": ADMIN,
    "create_port:hardware_offload_type": ADMIN,
    "create_port:tags": "rule:admin_only or (role:member and project_id:%(project_id)s) or rule:context_is_advsvc",
    "get_port": (
        "rule:admin_only or rule:service_api or role:reader and rule:network_owner or role:reader and "
        "project_id:%(project_id)s"
    ),
    "get_port:binding:vif_type": ADMIN_OR_SERVICE,
    "get_port:binding:vif_details": ADMIN_OR_SERVICE,
    "get_port:binding:host_id": ADMIN_OR_SERVICE,
    "get_port:binding:profile": ADMIN_OR_SERVICE,
    "get_port:resource_request": ADMIN,
    "get_port:hints": ADMIN,
    "get_port:trusted": ADMIN,
    "get_port:tags": "rule:get_port",
    "update_port": MEMBER_OR_SERVICE,
    "update_port:device_id": MEMBER_OR_SERVICE,
    "update_port:device_owner": (
        "not rule:network_device or rule:admin_only or rule:service_api or role:member and rule:network_owner"
    ),
    "update_port:mac_address": "rule:admin_only or rule:service_api or role:manager and rule:network_owner",
    "update_port:fixed_ips": NETWORK_MEMBER_OR_SERVICE,
    "update_port:fixed_ips:ip_address": NETWORK_MEMBER_OR_SERVICE,
    "update_port:fixed_ips:subnet_id": NETWORK_OR_SHARED_MEMBER,
    "update_port:port_security_enabled": NETWORK_MEMBER_OR_SERVICE,
    "update_port:binding:host_id": ADMIN_OR_SERVICE,
    "update_port:binding:profile": ADMIN_OR_SERVICE,
    "update_port:binding:vnic_type": MEMBER_OR_SERVICE,
    "update_port:allowed_address_pairs": NETWORK_MEMBER_OR_SERVICE,
    "update_port:allowed_address_pairs:mac_address": NETWORK_MEMBER_OR_SERVICE,
    "update_port:allowed_address_pairs:ip_address": NETWORK_MEMBER_OR_SERVICE,
    "update_port:data_plane_status": "rule:admin_only or role:data_plane_integrator",
    "update_port:hints": ADMIN,
    "update_port:trusted": ADMIN,
    "update_port:tags": "rule:admin_only or (role:member and project_id:%(project_id)s) or rule:context_is_advsvc",
    "delete_port": (
        "rule:admin_only or rule:service_api or (service_roles:service and (role:member and "
        "rule:network_owner or role:member and project_id:%(project_id)s)) or (not rule:compute_device and "
        "not rule:baremetal_device and not rule:manila_device and (role:member and rule:network_owner or "
        "role:member and project_id:%(project_id)s))"
    ),
    "delete_port:tags": (
        "rule:context_is_advsvc or role:member and project_id:%(project_id)s or rule:admin_only or "
        "(role:member and rule:network_owner)"
    ),
}

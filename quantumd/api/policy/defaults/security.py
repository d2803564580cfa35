"""Security groups, address groups, logs, RBAC policies. Source: Neutron 29, its conf.policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quantumd.api.policy.defaults.personas import (
    ADMIN,
    ANY_READER,
    MANAGER,
    MEMBER,
    READER,
)

RULES: Final[Mapping[str, str]] = {
    "create_address_group": MEMBER,
    "get_address_group": (
        "rule:admin_only or (role:reader and project_id:%(project_id)s) or rule:shared_address_groups"
    ),
    "update_address_group": MEMBER,
    "delete_address_group": MEMBER,
    "add_addresses": MEMBER,
    "remove_addresses": MEMBER,
    "create_default_security_group_rule": ADMIN,
    "get_default_security_group_rule": ANY_READER,
    "delete_default_security_group_rule": ADMIN,
    "get_loggable_resource": MANAGER,
    "create_log": MANAGER,
    "get_log": MANAGER,
    "update_log": MANAGER,
    "delete_log": MANAGER,
    "create_rbac_policy": MEMBER,
    "create_rbac_policy:target_tenant": (
        "rule:admin_only or (not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*)"
    ),
    "create_rbac_policy:target_project": "rule:admin_only or not field:rbac_policy:target_project=*",
    "update_rbac_policy": MEMBER,
    "update_rbac_policy:target_tenant": (
        "rule:admin_only or (not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*)"
    ),
    "update_rbac_policy:target_project": "rule:admin_only or not field:rbac_policy:target_project=*",
    "get_rbac_policy": READER,
    "delete_rbac_policy": MEMBER,
    "create_security_group": MEMBER,
    "create_security_group:tags": MEMBER,
    "get_security_group": (
        "rule:admin_only or (role:reader and project_id:%(project_id)s) or rule:shared_security_group"
    ),
    "get_security_group:tags": "rule:get_security_group",
    "update_security_group": MEMBER,
    "update_security_group:tags": MEMBER,
    "delete_security_group": MEMBER,
    "delete_security_group:tags": MEMBER,
    "create_security_group_rule": "rule:admin_only or (role:member and rule:sg_owner)",
    "get_security_group_rule": "rule:admin_only or (role:reader and rule:sg_owner)",
    "delete_security_group_rule": "rule:admin_only or (role:member and rule:sg_owner)",
    "create_security_groups_default_statefulness": MANAGER,
    "get_security_groups_default_statefulness": READER,
    "update_security_groups_default_statefulness": MANAGER,
    "delete_security_groups_default_statefulness": MANAGER,
}

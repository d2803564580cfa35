"""QoS policies and their rules, which belong to those who own the policy. Source: Neutron 29, its conf.policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quantumd.api.policy.defaults.personas import (
    ANY_READER,
    MANAGER,
    PARENT_MANAGER,
    PARENT_READER,
)

RULES: Final[Mapping[str, str]] = {
    "get_policy": "rule:admin_only or (role:reader and project_id:%(project_id)s) or rule:shared_qos_policy",
    "get_policy:tags": "rule:get_policy",
    "create_policy": MANAGER,
    "create_policy:tags": MANAGER,
    "update_policy": MANAGER,
    "update_policy:tags": MANAGER,
    "delete_policy": MANAGER,
    "delete_policy:tags": MANAGER,
    "get_rule_type": ANY_READER,
    "get_policy_bandwidth_limit_rule": PARENT_READER,
    "create_policy_bandwidth_limit_rule": PARENT_MANAGER,
    "update_policy_bandwidth_limit_rule": PARENT_MANAGER,
    "delete_policy_bandwidth_limit_rule": PARENT_MANAGER,
    "get_policy_packet_rate_limit_rule": PARENT_READER,
    "create_policy_packet_rate_limit_rule": PARENT_MANAGER,
    "update_policy_packet_rate_limit_rule": PARENT_MANAGER,
    "delete_policy_packet_rate_limit_rule": PARENT_MANAGER,
    "get_policy_dscp_marking_rule": PARENT_READER,
    "create_policy_dscp_marking_rule": PARENT_MANAGER,
    "update_policy_dscp_marking_rule": PARENT_MANAGER,
    "delete_policy_dscp_marking_rule": PARENT_MANAGER,
    "get_policy_minimum_bandwidth_rule": PARENT_READER,
    "create_policy_minimum_bandwidth_rule": PARENT_MANAGER,
    "update_policy_minimum_bandwidth_rule": PARENT_MANAGER,
    "delete_policy_minimum_bandwidth_rule": PARENT_MANAGER,
    "get_policy_minimum_packet_rate_rule": PARENT_READER,
    "create_policy_minimum_packet_rate_rule": PARENT_MANAGER,
    "update_policy_minimum_packet_rate_rule": PARENT_MANAGER,
    "delete_policy_minimum_packet_rate_rule": PARENT_MANAGER,
    "get_alias_bandwidth_limit_rule": PARENT_READER,
    "update_alias_bandwidth_limit_rule": PARENT_MANAGER,
    "delete_alias_bandwidth_limit_rule": PARENT_MANAGER,
    "get_alias_dscp_marking_rule": PARENT_READER,
    "update_alias_dscp_marking_rule": PARENT_MANAGER,
    "delete_alias_dscp_marking_rule": PARENT_MANAGER,
    "get_alias_minimum_bandwidth_rule": PARENT_READER,
    "update_alias_minimum_bandwidth_rule": PARENT_MANAGER,
    "delete_alias_minimum_bandwidth_rule": PARENT_MANAGER,
    "get_alias_minimum_packet_rate_rule": "rule:get_policy_minimum_packet_rate_rule",
    "update_alias_minimum_packet_rate_rule": "rule:update_policy_minimum_packet_rate_rule",
    "delete_alias_minimum_packet_rate_rule": "rule:delete_policy_minimum_packet_rate_rule",
}

"""What the l2 role of a host must know of QoS policies: pure, from nouns to records."""

from __future__ import annotations

from quantumd.model.nouns import QosPolicy
from quantumd.model.qos_records import QosPolicyRecord


def policy_record(policy: QosPolicy, position: int) -> QosPolicyRecord:
    """Compile a policy, as read at a position of the journal."""
    return QosPolicyRecord(policy.id, position, policy.limits, policy.dscp_mark)

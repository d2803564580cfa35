"""What can go wrong with metering labels. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class MeteringLabelNotFound(ApiError):
    """There is no such label in the caller's scope."""

    status = 404

    def __init__(self, label_id: str) -> None:
        super().__init__(f"Metering label '{label_id}' does not exist.")


class MeteringLabelRuleNotFound(ApiError):
    """There is no such rule in the caller's scope."""

    status = 404

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"Metering label rule '{rule_id}' does not exist.")


class MeteringLabelRuleOverlaps(ApiError):
    """The label counts part of the prefix already."""

    status = 409

    def __init__(self, prefix: str) -> None:
        super().__init__(f"Metering label rule with remote_ip_prefix '{prefix}' overlaps another.")

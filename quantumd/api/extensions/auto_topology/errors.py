"""What can go wrong with automatic topologies. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class AutoAllocationFailure(ApiError):
    """The operator has not provided what a topology is made of. ``reason`` has no full stop."""

    status = 409

    def __init__(self, reason: str) -> None:
        super().__init__(f"Deployment error: {reason}.")
        self.reason = reason


class NotAuthorized(ApiError):
    """The topology of another project is asked for."""

    status = 403

    def __init__(self) -> None:
        super().__init__("Not authorized.")

"""What can go wrong with logs. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class LogResourceNotFound(ApiError):
    """There is no such log in the scope."""

    status = 404

    def __init__(self, log_id: str) -> None:
        super().__init__(f"Log resource {log_id} could not be found.")


class InvalidLogResourceType(ApiError):
    """Nothing of this type can be logged."""

    status = 400

    def __init__(self, resource_type: str) -> None:
        super().__init__(f"Invalid log resource_type: {resource_type}.")


class ResourceNotFound(ApiError):
    """What is to be logged is not there."""

    status = 404

    def __init__(self, resource_id: str) -> None:
        super().__init__(f"Resource {resource_id} could not be found.")


class TargetResourceNotFound(ApiError):
    """The port is not there."""

    status = 404

    def __init__(self, target_id: str) -> None:
        super().__init__(f"Target resource {target_id} could not be found.")


class InvalidResourceConstraint(ApiError):
    """The port does not have the group."""

    status = 400

    def __init__(self, group_id: str, port_id: str) -> None:
        super().__init__(
            f"Invalid resource constraint between resource (security_group {group_id}) "
            f"and target resource (port {port_id})."
        )

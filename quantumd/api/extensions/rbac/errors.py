"""What can go wrong with RBAC policies. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class RbacPolicyNotFound(ApiError):
    """There is no such policy in the scope."""

    status = 404

    def __init__(self, policy_id: str) -> None:
        super().__init__(f"RBAC policy of type unknown with ID {policy_id} not found")


class RbacPolicyInUse(ApiError):
    """Projects depend on what the policy gives them. ``details`` is a sentence or a pair that says who."""

    status = 409

    def __init__(self, object_id: str, details: str) -> None:
        super().__init__(
            f"RBAC policy on object {object_id} cannot be removed because other objects depend on it.\n"
            f"Details: {details}"
        )


class DuplicateRbacPolicy(ApiError):
    """There is such a policy already."""

    status = 409

    def __init__(self) -> None:
        super().__init__("An RBAC policy already exists with those values.")


class RbacPolicyInitError(ApiError):
    """The policy would give what the project could not use. ``reason`` is a clause without its full stop."""

    status = 409

    def __init__(self, object_id: str, reason: str) -> None:
        super().__init__(f"Failed to create RBAC policy on object {object_id} because {reason}.")


class InvalidActionForType(ApiError):
    """Objects of this type are not given in this way."""

    status = 400

    def __init__(self, action: str, object_type: str, valid: tuple[str, ...]) -> None:
        super().__init__(f"Invalid action '{action}' for object type '{object_type}'. Valid actions: {valid}")


class SharedObjectNotFound(ApiError):
    """There is no such object; its type in the API is that of the object."""

    status = 404

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(message)
        self.type_name = type_name

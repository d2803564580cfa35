"""What can go wrong with templates of rules and default statefulness; as in Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class DefaultSecurityGroupRuleNotFound(ApiError):
    """There is no such template."""

    status = 404

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"Default Security Group rule {rule_id} does not exist")


class DefaultSecurityGroupRuleExists(ApiError):
    """A template for the same groups says the same."""

    status = 409

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"Default Security group rule already exists. Rule id is {rule_id}.")


class DuplicateDefaultSgRuleInPost(ApiError):
    """Two templates of one request say the same."""

    status = 409

    def __init__(self) -> None:
        super().__init__("Duplicate Default Security Group Rule in POST.")


class SecurityGroupDefaultStatefulnessNotFound(ApiError):
    """There is no such setting in the scope."""

    status = 404

    def __init__(self, setting_id: str) -> None:
        super().__init__(f"Security group default statefulness {setting_id} could not be found.")


class SecurityGroupDefaultStatefulnessAlreadyExists(ApiError):
    """The project, or every project, has its setting already."""

    status = 409

    def __init__(self, project_id: str) -> None:
        whose = project_id or "system-wide"
        super().__init__(f"A security group default statefulness setting already exists for project '{whose}'.")

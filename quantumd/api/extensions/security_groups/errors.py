"""What can go wrong with security groups and rules. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError
from quantumd.model.security import ANY_PROTOCOL, ETHERTYPES, PROTOCOLS, RuleFault


class SecurityGroupNotFound(ApiError):
    """There is no such group in the scope."""

    status = 404

    def __init__(self, group_id: str) -> None:
        super().__init__(f"Security group {group_id} does not exist")


class SecurityGroupRuleNotFound(ApiError):
    """There is no such rule in the scope."""

    status = 404

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"Security group rule {rule_id} does not exist")


class SecurityGroupInUse(ApiError):
    """Ports have the group."""

    status = 409

    def __init__(self, group_id: str) -> None:
        super().__init__(f"Security Group {group_id} in use.")


class SecurityGroupCannotRemoveDefault(ApiError):
    """Only administrators remove the default group of a project."""

    status = 409

    def __init__(self) -> None:
        super().__init__("Insufficient rights for removing default security group.")


class SecurityGroupCannotUpdateDefault(ApiError):
    """The default group of a project keeps its name."""

    status = 409

    def __init__(self) -> None:
        super().__init__("Updating default security group not allowed.")


class SecurityGroupDefaultAlreadyExists(ApiError):
    """The name ``default`` is that of the group that each project has by itself."""

    status = 409

    def __init__(self) -> None:
        super().__init__("Default security group already exists.")


class SecurityGroupConflict(ApiError):
    """Groups that do not go together. ``reason`` is a sentence without its full stop."""

    status = 409

    def __init__(self, reason: str) -> None:
        super().__init__(f"Error {reason} while attempting the operation.")


class InvalidRule(ApiError):
    """A rule contradicts itself; its type in the API says how."""

    status = 400

    def __init__(self, fault: RuleFault) -> None:
        super().__init__(fault.message)
        self.type_name = fault.type


class SecurityGroupRuleInvalidProtocol(ApiError):
    """Neither the name of a protocol nor a number."""

    status = 400

    def __init__(self, protocol: str) -> None:
        names = (None, ANY_PROTOCOL, *PROTOCOLS)
        super().__init__(
            f"Security group rule protocol {protocol} not supported. Only protocol values {names} and integer "
            "representations [0 to 255] are supported."
        )


class SecurityGroupRuleInvalidEtherType(ApiError):
    """Neither IPv4 nor IPv6."""

    status = 400

    def __init__(self, ethertype: str) -> None:
        super().__init__(
            f"Security group rule for ethertype '{ethertype}' not supported. Allowed values are {list(ETHERTYPES)}."
        )


class SecurityGroupInvalidPortValue(ApiError):
    """Not a port number."""

    status = 400

    def __init__(self, port: str) -> None:
        super().__init__(f"Invalid value for port {port}")


class InvalidCIDR(ApiError):
    """Not a prefix."""

    status = 400

    def __init__(self, given: str) -> None:
        super().__init__(f"Invalid CIDR {given} given as IP prefix.")


class SecurityGroupNotSingleGroupRules(ApiError):
    """One request makes rules of one group."""

    status = 400

    def __init__(self) -> None:
        super().__init__("Only allowed to update rules for one security profile at a time")


class SecurityGroupRulesNotSingleProject(ApiError):
    """One request makes rules of one project."""

    status = 400

    def __init__(self) -> None:
        super().__init__("Multiple project_ids in bulk security group rule create not allowed")


class DuplicateSecurityGroupRuleInPost(ApiError):
    """Two rules of one request say the same."""

    status = 409

    def __init__(self) -> None:
        super().__init__("Duplicate Security Group Rule in POST.")


class SecurityGroupRuleExists(ApiError):
    """The group has a rule that says the same."""

    status = 409

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"Security group rule already exists. Rule id is {rule_id}.")

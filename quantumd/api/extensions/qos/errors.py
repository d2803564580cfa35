"""What can go wrong with quality of service. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class QosPolicyNotFound(ApiError):
    """There is no such policy in the caller's scope."""

    status = 404

    def __init__(self, policy_id: str) -> None:
        super().__init__(f"QoS policy {policy_id} could not be found.")
        self.policy_id = policy_id


class QosRuleNotFound(ApiError):
    """The policy has no such rule."""

    status = 404

    def __init__(self, rule_id: str, policy_id: str = "") -> None:
        super().__init__(f"QoS rule {rule_id} for policy {policy_id} could not be found.")
        self.rule_id = rule_id


class QosRuleTypeNotFound(ApiError):
    """There is no such type of rule, or nothing obeys it."""

    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(f"QoS rule type {name} could not be found.")


class QoSPolicyDefaultAlreadyExists(ApiError):
    """The project has another default policy."""

    status = 409

    def __init__(self, project_id: str) -> None:
        super().__init__(f"A default QoS policy exists for project {project_id}.")


class QosPolicyInUse(ApiError):
    """A port, a network, a floating IP or the gateway of a router has the policy."""

    status = 409

    def __init__(self, policy_id: str, object_type: str, object_id: str) -> None:
        super().__init__(f"QoS Policy {policy_id} is used by {object_type} {object_id}.")


class QosRuleNotSupported(ApiError):
    """Packets of the port would not obey the rule."""

    status = 409

    def __init__(self, rule_type: str, port_id: str) -> None:
        super().__init__(f"Rule {rule_type} is not supported by port {port_id}")


class QosRuleNotSupportedByNetwork(ApiError):
    """Packets of the network's ports would not obey the rule."""

    status = 409

    def __init__(self, rule_type: str, network_id: str) -> None:
        super().__init__(f"Rule {rule_type} is not supported by network {network_id}")


class QoSRulesConflict(ApiError):
    """The policy has a rule of the type already, for the same direction."""

    status = 409

    def __init__(self, rule_type: str, rule_id: str, policy_id: str) -> None:
        super().__init__(
            f"Rule {rule_type} conflicts with rule {rule_id} which already exists in QoS Policy {policy_id}."
        )


class QoSRuleParameterConflict(ApiError):
    """Two rules of the policy cannot both be kept."""

    status = 409

    def __init__(self, value: int | str, policy_id: str, rule_type: str, existing: int | str) -> None:
        super().__init__(
            f"Unable to add the rule with value {value} to the policy {policy_id} as the existing rule of type "
            f"{rule_type} has value {existing}."
        )


class PolicyRemoveAuthorizationError(ApiError):
    """The policy was put there by somebody who did not share it with the caller."""

    status = 403

    def __init__(self, policy_id: str) -> None:
        super().__init__(f"Failed to remove provided policy {policy_id} because you are not authorized.")

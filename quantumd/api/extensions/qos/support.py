"""Which rules packets obey, and the refusal of the others where they would have to be obeyed.

A policy may hold any rule. One that packets would not obey keeps it from ports and networks, and a policy that has
some is not given such a rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, bindparam, select

from quantumd.api.extensions.qos.errors import QosRuleNotSupported, QosRuleNotSupportedByNetwork
from quantumd.errors import ApiError
from quantumd.model.qos import (
    BANDWIDTH_LIMIT,
    DSCP_MARKING,
    MINIMUM_BANDWIDTH,
    MINIMUM_PACKET_RATE,
    PACKET_RATE_LIMIT,
)
from quantumd.store.tables.services import network_qos, port_qos, qos_rules

CAPABILITIES: Final = {
    BANDWIDTH_LIMIT: "qos",
    DSCP_MARKING: "qos",
    MINIMUM_BANDWIDTH: "qos-bw-minimum",
    PACKET_RATE_LIMIT: "qos-pps",
    MINIMUM_PACKET_RATE: "qos-pps-minimum",
}
"""What drivers declare when packets obey rules of a type."""

_TYPES = select(qos_rules.c.rule_type).where(qos_rules.c.policy_id == bindparam("policy")).distinct()
_A_PORT = select(port_qos.c.port_id).where(port_qos.c.policy_id == bindparam("policy")).limit(1)
_A_NETWORK = select(network_qos.c.network_id).where(network_qos.c.policy_id == bindparam("policy")).limit(1)

Refuse = Callable[[str, str], ApiError]
"""Makes the error about a type of rule and the id of what cannot have it."""


@frozen
class Support:
    """``obeys`` tells whether packets obey a capability."""

    obeys: Callable[[str], bool]

    def has(self, rule_type: str) -> bool:
        """Whether packets obey rules of a type."""
        return self.obeys(CAPABILITIES[rule_type])

    @property
    def guarantees(self) -> bool:
        """Whether packets obey any rule that guarantees something."""
        return self.has(MINIMUM_BANDWIDTH) or self.has(MINIMUM_PACKET_RATE)

    def require_for_port(self, connection: Connection, policy_id: str | None, port_id: Any) -> None:
        """Refuse a policy for a port whose packets would not obey all of it. QosRuleNotSupported."""
        self._require(connection, policy_id, str(port_id), QosRuleNotSupported)

    def require_for_network(self, connection: Connection, policy_id: str | None, network_id: Any) -> None:
        """Refuse a policy for a network whose packets would not obey all of it. QosRuleNotSupportedByNetwork."""
        self._require(connection, policy_id, str(network_id), QosRuleNotSupportedByNetwork)

    def require_for_users(self, connection: Connection, policy_id: str, rule_type: str) -> None:
        """Refuse a rule for a policy that some port or network has. Errors as above."""
        if self.has(rule_type):
            return
        for statement, refuse in ((_A_PORT, QosRuleNotSupported), (_A_NETWORK, QosRuleNotSupportedByNetwork)):
            user = connection.execute(statement, {"policy": policy_id}).scalar()
            if user is not None:
                raise refuse(rule_type, user)

    def _require(self, connection: Connection, policy_id: str | None, user: str, refuse: Refuse) -> None:
        if policy_id is None or all(map(self.has, CAPABILITIES)):
            return
        for rule_type in sorted(connection.execute(_TYPES, {"policy": policy_id}).scalars()):
            if not self.has(rule_type):
                raise refuse(rule_type, user)

"""Which QoS policy is in force for ports of this host: looked up in records."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define

from quantumd.converge.plan import Key
from quantumd.converge.records import Records
from quantumd.model.qos import INGRESS, policy_in_force
from quantumd.model.qos_records import QosPolicyRecord
from quantumd.model.records import NetworkRecord, PortRecord


@define
class QosPolicies:
    """Looks nothing up outside the records."""

    _records: Records

    def policy_of(self, port: PortRecord, network: NetworkRecord) -> QosPolicyRecord | None:
        """Return the policy of a port, its own or its network's; None when it has none, or it is not known yet."""
        policy_id = policy_in_force(port.qos_policy, network.qos_policy, port.device_owner)
        record = self._records.get(QosPolicyRecord.kind, policy_id) if policy_id is not None else None
        return record if isinstance(record, QosPolicyRecord) else None

    def limited(self, network: NetworkRecord, live: Mapping[str, int]) -> frozenset[int]:
        """Return the numbers of those of a network's live ports that may not get all that is for them.

        :param live: the numbers of ports by id.
        """
        if not any(True for _ in self._records.of_kind(QosPolicyRecord.kind)):
            return frozenset()
        found = []
        for port_id, number in live.items():
            port = self._records.get(PortRecord.kind, port_id)
            policy = self.policy_of(port, network) if isinstance(port, PortRecord) else None
            if policy is not None and policy.is_limited(INGRESS):
                found.append(number)
        return frozenset(found)

    def keys_with(self, policy_id: str) -> frozenset[Key]:
        """Return the keys of ports that have a policy, or whose network has, and of their networks."""
        found: set[Key] = set()
        for record in self._records.of_kind(PortRecord.kind):
            if isinstance(record, PortRecord):
                network = self._records.get(NetworkRecord.kind, record.network_id)
                of_network = network.qos_policy if isinstance(network, NetworkRecord) else None
                if policy_id in (record.qos_policy, of_network):
                    found.update((("port", record.id), ("network", record.network_id)))
        return frozenset(found)

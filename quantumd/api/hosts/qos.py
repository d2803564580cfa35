"""Which QoS policies hosts must know, and which of them changed. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from attrs import define, field
from sqlalchemy import Connection

from quantumd.api.hosts.guarded import IsWanted, everything
from quantumd.compile.qos import policy_record
from quantumd.model.nouns import Network, Port
from quantumd.model.qos import RULE_TYPES
from quantumd.model.qos_records import QosPolicyRecord
from quantumd.store import nouns, qos_nouns
from quantumd.store.journal import last_position

ROLE: Final = "l2"
"""The role that must know QoS policies."""

_RULES: Final = frozenset(f"{each.name}_rule" for each in RULE_TYPES)


@define
class TouchedQos:
    """Policies whose rules changed."""

    policies: set[str] = field(factory=set)

    @property
    def is_nothing(self) -> bool:
        """Whether no host has to hear of any of it."""
        return not self.policies

    def note(self, resource: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note a row of the journal."""
        policy_id = (after or before).get("policy_id") if resource in _RULES else None
        if policy_id is not None:
            self.policies.add(policy_id)


def policies_to_tell(
    connection: Connection, touched: TouchedQos, has: Iterable[tuple[str, str | None]]
) -> Iterator[tuple[str, QosPolicyRecord]]:
    """Yield hosts with what they must hear: policies that changed, and those of what they are told of.

    A policy is small and told again with each port that has it: whether it is new to the host is not looked up.

    :param has: hosts with the policies (None: none) of the ports and networks that they are told of.
    """
    hosts: defaultdict[str, set[str]] = defaultdict(set)
    for host, policy_id in has:
        if policy_id is not None:
            hosts[policy_id].add(host)
    for policy_id, concerned in qos_nouns.hosts_of_policies(connection, touched.policies).items():
        hosts[policy_id] |= concerned
    if not hosts:
        return
    told = nouns.hosts_that_understand(connection, QosPolicyRecord.kind, set().union(*hosts.values()))
    for record in _records(connection, hosts):
        yield from ((host, record) for host in sorted(hosts[record.id] & told))


def records_of(connection: Connection, host: str, is_wanted: IsWanted = everything) -> list[QosPolicyRecord]:
    """Return the policies that a host must know."""
    policy_ids = qos_nouns.policies_of_host(connection, host)
    return records_for(connection, host, (each for each in policy_ids if is_wanted(QosPolicyRecord.kind, each)))


def records_for(connection: Connection, host: str, policy_ids: Iterable[str]) -> list[QosPolicyRecord]:
    """Return these policies, if the host understands them."""
    wanted = frozenset(policy_ids)
    if not wanted or not nouns.hosts_that_understand(connection, QosPolicyRecord.kind, (host,)):
        return []
    return _records(connection, wanted)


def policies_of(ports: Iterable[Port], networks: Iterable[Network]) -> frozenset[str]:
    """Return the policies of ports and of networks."""
    named = (*(port.qos_policy for port in ports), *(network.qos_policy for network in networks))
    return frozenset(each for each in named if each is not None)


def _records(connection: Connection, policy_ids: Iterable[str]) -> list[QosPolicyRecord]:
    # The position is read first: what commits in between is in the records and also comes as an update.
    position = last_position(connection)
    return [policy_record(policy, position) for policy in qos_nouns.policies(connection, policy_ids).values()]

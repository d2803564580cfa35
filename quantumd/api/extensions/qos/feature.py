"""Quality of service: policies, their rules, and what has them."""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.api.extensions.computed import Computed
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.qos.aspects import NetworkQos, PortQos
from quantumd.api.extensions.qos.attributes import (
    POLICY_ATTRIBUTES,
    RULE_TYPE_ATTRIBUTES,
    alias_attributes,
    rule_attributes,
)
from quantumd.api.extensions.qos.errors import QosPolicyNotFound, QosRuleNotFound, QosRuleTypeNotFound
from quantumd.api.extensions.qos.extensions import QOS_EXTENSIONS
from quantumd.api.extensions.qos.policies import QOS_POLICY_TYPE, Policies
from quantumd.api.extensions.qos.rule_types import RuleTypes
from quantumd.api.extensions.qos.rules import AliasRules, NestedRules, owner_of_rule
from quantumd.api.extensions.qos.support import Support
from quantumd.api.resource import Resource
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.ownership import owner_in
from quantumd.model.qos import MINIMUM_PACKET_RATE, PACKET_RATE_LIMIT, RULE_TYPES, RuleType
from quantumd.store.tables.services import qos_policies

_BROUGHT_BY = {PACKET_RATE_LIMIT: "qos-pps", MINIMUM_PACKET_RATE: "qos-pps-minimum"}
"""Which extension brings the rules of a type; the others come with qos itself."""

# Packet rate limits have no alias of their own: no extension of today brings it.
_ALIASED_BY = {MINIMUM_PACKET_RATE: "qos-pps-minimum-rule-alias", PACKET_RATE_LIMIT: None}

_FLAGS = frozenset({"all_rules", "all_supported"})


def feature(parts: Parts) -> Feature:
    """Return the family."""
    support = Support(parts.obeys)
    return Feature(
        extensions=QOS_EXTENSIONS,
        resources=(
            _policies(parts.chance),
            _rule_types(support),
            *(_nested(each, parts.chance, support) for each in RULE_TYPES),
            *_aliases(parts.chance, support),
        ),
        # Where packets do not obey QoS, networks and ports pay nothing for it.
        network_aspects=(NetworkQos(support),) if parts.obeys("qos") else (),
        port_aspects=(PortQos(support),) if parts.obeys("qos") else (),
    )


def _policies(chance: Chance) -> Resource:
    return Resource(
        "policy",
        "policies",
        POLICY_ATTRIBUTES,
        Policies(chance),
        QosPolicyNotFound,
        path="qos/policies",
        is_taggable=True,
        extension="qos",
        table=qos_policies,
        journal_name=QOS_POLICY_TYPE,
    )


def _rule_types(support: Support) -> Resource:
    return Resource(
        "rule_type",
        "rule_types",
        RULE_TYPE_ATTRIBUTES,
        Computed(RuleTypes(support), QosRuleTypeNotFound, key="type", flags=_FLAGS),
        QosRuleTypeNotFound,
        path="qos/rule-types",
        verbs=frozenset({"list", "show"}),
        extension="qos",
    )


def _nested(rule_type: RuleType, chance: Chance, support: Support) -> Resource:
    member = f"{rule_type.name}_rule"
    return Resource(
        member,
        f"{member}s",
        rule_attributes(rule_type),
        NestedRules(rule_type, chance, support),
        QosRuleNotFound,
        path=f"qos/policies/<parent_id>/{member}s",
        ruled_as=f"policy_{member}",
        owner_above=owner_in(qos_policies),
        extension=_BROUGHT_BY.get(rule_type.name, "qos"),
    )


def _aliases(chance: Chance, support: Support) -> Iterator[Resource]:
    for rule_type in RULE_TYPES:
        alias = _ALIASED_BY.get(rule_type.name, "qos-rules-alias")
        member = f"alias_{rule_type.name}_rule"
        if alias is not None:
            yield Resource(
                member,
                f"{member}s",
                alias_attributes(rule_type),
                AliasRules(rule_type, chance, support),
                QosRuleNotFound,
                path=f"qos/{member}s",
                verbs=frozenset({"show", "update", "delete"}),
                owner_above=owner_of_rule,
                extension=alias,
            )

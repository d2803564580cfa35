"""The attribute maps of QoS policies and their rules."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID, SHARED, STANDARD
from quantumd.api.values import (
    BOOLEAN,
    UUID_OR_NONE,
    Value,
    filter_boolean,
    filter_integer,
    filter_text,
    integer,
    one_of,
    or_none,
    string,
)
from quantumd.model.qos import BANDWIDTH_LIMIT, DSCP_MARKS, EGRESS, MINIMUM_PACKET_RATE, RuleType

_RATE = integer(0, 2**31 - 1)
_LIST = Value(lambda value: value, {"type": "array", "items": {"type": "object"}})

POLICY_ATTRIBUTES: Final = (
    ID,
    NAMED,
    PROJECT_ID,
    SHARED,
    Attribute("rules", *_LIST),
    Attribute(
        "is_default",
        *BOOLEAN,
        in_post=True,
        in_put=True,
        default=False,
        filter_convert=filter_boolean,
        is_sort_key=False,
        extension="qos-default",
    ),
    *STANDARD,
)

RULE_TYPE_ATTRIBUTES: Final = (
    Attribute("type", *string(32)),
    Attribute("drivers", *_LIST, extension="qos-rule-type-details"),
    *(
        Attribute(
            name,
            *or_none(BOOLEAN),
            in_post=True,
            in_put=True,
            is_visible=False,
            filter_convert=filter_boolean,
            is_sort_key=False,
            extension="qos-rule-type-filter",
        )
        for name in ("all_rules", "all_supported")
    ),
)


def _policy_id(name: str, **more: Any) -> Attribute:
    return Attribute(name, *UUID_OR_NONE, **more)


POLICY_ID: Final = _policy_id(
    "qos_policy_id",
    in_post=True,
    in_put=True,
    default=None,
    extension="qos",
)
"""The policy of a network or a port."""

NETWORK_POLICY_ID: Final = _policy_id("qos_network_policy_id", extension="qos-port-network-policy")
"""The policy of a port's network, beside its own."""

OF_FLOATING_IPS: Final = "qos-fip"
OF_THEIR_NETWORKS: Final = "qos-fip-network-policy"
FLOATING_POLICIES: Final = (
    evolve(POLICY_ID, extension=OF_FLOATING_IPS),
    evolve(NETWORK_POLICY_ID, extension=OF_THEIR_NETWORKS),
)
"""The policy of a floating IP, and that of its network, which counts for those without one."""


_PROJECT = evolve(PROJECT_ID, in_post=False, filter_convert=None)
"""Rules show no project of their own, but their maps name one."""


def rule_attributes(rule_type: RuleType) -> tuple[Attribute, ...]:
    """Return the attribute map of the rules of a type."""
    return (ID, *_numbers(rule_type), *_directions(rule_type))


def alias_attributes(rule_type: RuleType) -> tuple[Attribute, ...]:
    """Return the map of the same rules under their own ids: they are changed there, and not made."""
    own = tuple(evolve(each, in_post=False) for each in rule_attributes(rule_type))
    return own if rule_type.name == MINIMUM_PACKET_RATE else (*own, _PROJECT)


def _numbers(rule_type: RuleType) -> tuple[Attribute, ...]:
    value = one_of(*DSCP_MARKS) if "dscp_mark" in rule_type.rates else _RATE
    return tuple(
        Attribute(
            name,
            *value,
            in_post=True,
            in_put=True,
            default=REQUIRED if name in rule_type.rates else 0,
            filter_convert=filter_integer,
        )
        for name in (*rule_type.rates, *rule_type.bursts)
    )


def _directions(rule_type: RuleType) -> tuple[Attribute, ...]:
    if not rule_type.directions:
        return ()
    brings = "qos-bw-limit-direction" if rule_type.name == BANDWIDTH_LIMIT else None
    return (
        Attribute(
            "direction",
            *one_of(*rule_type.directions),
            in_post=True,
            in_put=True,
            default=EGRESS,
            filter_convert=filter_text,
            extension=brings,
        ),
    )

"""What administrators decide of new security groups, as the API serves it."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.default_rules.errors import (
    DefaultSecurityGroupRuleNotFound,
    SecurityGroupDefaultStatefulnessNotFound,
)
from quantumd.api.extensions.default_rules.operations import USES, Settings, Templates
from quantumd.api.extensions.default_rules.templates import EVERY_PROJECT
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.security_groups.attributes import GROUP, MATCH_ATTRIBUTES, STATEFUL
from quantumd.api.resource import Resource
from quantumd.api.resources.standard_attributes import ID, PROJECT_ID
from quantumd.api.values import BOOLEAN, Value, filter_boolean, filter_text, or_none, string

_RULES = "security-groups-default-rules"
_STATEFULNESS = "security-groups-default-statefulness"

_EXTENSIONS = (
    Extension(
        _RULES,
        "Default rules for security groups",
        "Configure set of security group rules used as default rules for every new security group",
        "2022-12-19T10:00:00-00:00",
        capability=GROUP,
    ),
    Extension(
        _STATEFULNESS,
        "Security Groups Default Statefulness",
        "Allows configuring the default value of the 'stateful' attribute for new security groups, "
        "on a per-project or system-wide basis",
        "2026-04-13T00:00:00-00:00",
        capability=STATEFUL,
    ),
)


def _project_or_every(value: Any) -> str:
    return EVERY_PROJECT if value is None else str(string(255).convert(value))


TEMPLATE_ATTRIBUTES = (
    ID,
    evolve(PROJECT_ID, is_visible=False, filter_convert=None),
    Attribute("description", *string(1024), in_post=True, default="", filter_convert=filter_text, is_sort_key=False),
    *MATCH_ATTRIBUTES,
    *(
        Attribute(name, *BOOLEAN, in_post=True, default=REQUIRED, filter_convert=filter_boolean, is_sort_key=False)
        for name in USES
    ),
)
"""Templates belong to no project; requests may name one all the same, as today."""

SETTING_ATTRIBUTES = (
    ID,
    Attribute(
        "project_id",
        *Value(_project_or_every, or_none(string(255)).schema),
        in_post=True,
        default=None,
        filter_convert=filter_text,
    ),
    Attribute("stateful", *BOOLEAN, in_post=True, in_put=True, default=True, filter_convert=filter_boolean),
)
"""A project of null is every project that has no setting of its own; without one, it is the caller's."""


def feature(parts: Parts) -> Feature:
    """Return the family of what new groups are like."""
    return Feature(
        extensions=_EXTENSIONS,
        resources=(
            Resource(
                "default_security_group_rule",
                "default_security_group_rules",
                TEMPLATE_ATTRIBUTES,
                Templates(parts.chance),
                DefaultSecurityGroupRuleNotFound,
                path="default-security-group-rules",
                verbs=frozenset({"create", "list", "show", "delete"}),
                extension=_RULES,
            ),
            Resource(
                "security_groups_default_statefulness",
                "security_groups_default_statefulness",
                SETTING_ATTRIBUTES,
                Settings(parts.chance),
                SecurityGroupDefaultStatefulnessNotFound,
                path=_STATEFULNESS,
                extension=_STATEFULNESS,
                journal_name="default_statefulness",
            ),
        ),
    )

"""Security groups, as the API serves them."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.quotas.admission import admission_of, limits_by_name
from quantumd.api.extensions.security_groups.attributes import (
    BELONGS_TO_DEFAULT,
    GROUP,
    GROUP_ATTRIBUTES,
    NORMALIZED_CIDR,
    REMOTE_ADDRESS_GROUP,
    RULE_ATTRIBUTES,
    SHARED_FILTERING,
    STATEFUL,
)
from quantumd.api.extensions.security_groups.errors import SecurityGroupNotFound, SecurityGroupRuleNotFound
from quantumd.api.extensions.security_groups.groups import Groups
from quantumd.api.extensions.security_groups.making import GroupMaker
from quantumd.api.extensions.security_groups.port_aspect import PortGroups
from quantumd.api.extensions.security_groups.rules import Rules
from quantumd.api.resource import Resource
from quantumd.store.tables.security import security_groups

EXTENSIONS = (
    Extension(
        GROUP,
        "security-group",
        "The security groups extension.",
        "2012-10-05T10:00:00-00:00",
        capability=GROUP,
    ),
    Extension(
        "port-security-groups-filtering",
        "Port filtering on security groups",
        "Provides security groups filtering when listing ports",
        "2018-01-09T09:00:00-00:00",
        capability=GROUP,
    ),
    Extension(
        "security-groups-name-restrictions",
        "Security group name restrictions",
        "Enforce printable characters and no leading/trailing whitespace in security group names, "
        "consistent with other Neutron resources",
        "2026-07-29T10:00:00-00:00",
        capability=GROUP,
    ),
    Extension(
        NORMALIZED_CIDR,
        "Normalized CIDR field for security group rules",
        "Add new field with normalized remote_ip_prefix cidr in SG rule",
        "2020-07-28T10:00:00-00:00",
        capability=GROUP,
    ),
    Extension(
        BELONGS_TO_DEFAULT,
        "Security group rule belongs to the project's default security group",
        "Flag to determine if the security group rule belongs to the project's default security group",
        "2023-05-23T10:00:00-00:00",
        capability=GROUP,
    ),
    Extension(
        SHARED_FILTERING,
        "Security group filtering on the shared field",
        "Support filtering security groups on the shared field",
        "2021-10-05T09:00:00-00:00",
        capability=GROUP,
    ),
    Extension(
        STATEFUL,
        "Stateful security group",
        "Indicates if the security group is stateful or not",
        "2019-11-26T09:00:00-00:00",
        capability=STATEFUL,
    ),
    Extension(
        REMOTE_ADDRESS_GROUP,
        "Remote address group id field for security group rules",
        "Add new field of remote address group id in SG rules",
        "2020-08-25T10:00:00-00:00",
        capability=REMOTE_ADDRESS_GROUP,
    ),
)
"""Those that only show or filter what groups hold are there when packets obey groups."""

_QUOTAS = {"security_group": 10, "security_group_rule": 100}


def feature(parts: Parts) -> Feature:
    """Return the family of security groups."""
    maker = GroupMaker(parts.chance, admission_of(parts.quota, limits_by_name(parts.quota, _QUOTAS, _QUOTAS)))
    groups = Groups(maker)
    return Feature(
        extensions=EXTENSIONS,
        resources=(
            Resource(
                "security_group",
                "security_groups",
                GROUP_ATTRIBUTES,
                groups,
                SecurityGroupNotFound,
                path="security-groups",
                is_taggable=True,
                quota="security_group",
                extension=GROUP,
                before_list=groups.before_list,
                table=security_groups,
            ),
            Resource(
                "security_group_rule",
                "security_group_rules",
                RULE_ATTRIBUTES,
                Rules(maker),
                SecurityGroupRuleNotFound,
                path="security-group-rules",
                verbs=frozenset({"create", "list", "show", "delete"}),
                quota="security_group_rule",
                extension=GROUP,
                before_list=groups.before_list,
            ),
        ),
        port_aspects=(PortGroups(maker),) if parts.obeys(GROUP) else (),
        quotas=_QUOTAS,
    )

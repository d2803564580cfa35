"""The attribute maps of security groups and their rules."""

from __future__ import annotations

from attrs import evolve

from quantumd.api.attributes import REQUIRED, UNSET, Attribute
from quantumd.api.extensions.security_groups.values import (
    ETHERTYPE,
    GROUP_NAME,
    PORT,
    PREFIX,
    PROTOCOL,
    REFERENCE,
)
from quantumd.api.resources.standard_attributes import ID, PROJECT_ID, STANDARD
from quantumd.api.values import (
    BOOLEAN,
    CIDR,
    OBJECT,
    UUID,
    Value,
    filter_boolean,
    filter_integer,
    filter_text,
    filter_uuid,
    list_of,
    none_as,
    one_of,
    or_none,
    string,
)
from quantumd.model.security import DIRECTIONS, IPV4

GROUP = "security-group"
STATEFUL = "stateful-security-group"
SHARED_FILTERING = "security-groups-shared-filtering"
REMOTE_ADDRESS_GROUP = "security-groups-remote-address-group"
NORMALIZED_CIDR = "security-groups-normalized-cidr"
BELONGS_TO_DEFAULT = "security-groups-rules-belongs-to-default-sg"

GROUP_ATTRIBUTES = (
    ID,
    Attribute("name", *GROUP_NAME, in_post=True, in_put=True, default="", filter_convert=filter_text),
    PROJECT_ID,
    Attribute(
        "stateful",
        *BOOLEAN,
        in_post=True,
        in_put=True,
        default=UNSET,
        filter_convert=filter_boolean,
        is_sort_key=False,
        extension=STATEFUL,
    ),
    Attribute("shared", *BOOLEAN, filter_convert=filter_boolean, is_sort_key=False, extension=SHARED_FILTERING),
    Attribute("security_group_rules", *Value(list_of(OBJECT).convert, {"type": "array", "items": {"type": "object"}})),
    *STANDARD,
)
"""``stateful`` of a group that does not say follows the settings of its project."""

MATCH_ATTRIBUTES = (
    Attribute("direction", *one_of(*DIRECTIONS), in_post=True, default=REQUIRED, filter_convert=filter_text),
    Attribute("ethertype", *ETHERTYPE, in_post=True, default=IPV4, filter_convert=filter_text),
    Attribute("protocol", *PROTOCOL, in_post=True, default=None, filter_convert=filter_text),
    Attribute("port_range_min", *PORT, in_post=True, default=None, filter_convert=filter_integer),
    Attribute("port_range_max", *PORT, in_post=True, default=None, filter_convert=filter_integer),
    Attribute("remote_ip_prefix", *PREFIX, in_post=True, default=None, filter_convert=filter_text),
    Attribute("remote_group_id", *REFERENCE, in_post=True, default=None, filter_convert=filter_text),
    Attribute(
        "remote_address_group_id",
        *REFERENCE,
        in_post=True,
        default=None,
        filter_convert=filter_uuid,
        extension=REMOTE_ADDRESS_GROUP,
    ),
)
"""What rules and templates of rules say of packets."""

RULE_ATTRIBUTES = (
    ID,
    PROJECT_ID,
    Attribute("security_group_id", *string(36), in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    *MATCH_ATTRIBUTES,
    Attribute("normalized_cidr", *or_none(CIDR), filter_convert=filter_text, extension=NORMALIZED_CIDR),
    Attribute(
        "belongs_to_default_sg",
        *or_none(BOOLEAN),
        filter_convert=filter_boolean,
        is_sort_key=False,
        extension=BELONGS_TO_DEFAULT,
    ),
    *(evolve(each, in_put=False) for each in STANDARD),
)
"""Rules are made and deleted, never changed."""

PORT_ATTRIBUTES = (
    Attribute(
        "security_groups",
        *none_as([], list_of(UUID)),
        in_post=True,
        in_put=True,
        default=UNSET,
        filter_convert=filter_uuid,
        is_sort_key=False,
        extension=GROUP,
    ),
)
"""What ports say of their groups; one that says nothing has the default group of its project."""

"""Attributes that every resource has."""

from __future__ import annotations

from attrs import evolve

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.values import (
    BOOLEAN,
    DESCRIPTION,
    NAME,
    UUID,
    Value,
    filter_boolean,
    filter_integer,
    filter_text,
    filter_uuid,
    integer,
    string,
)

ID = Attribute("id", *UUID, filter_convert=filter_uuid)
NAMED = Attribute("name", *NAME, in_post=True, in_put=True, default="", filter_convert=filter_text)
PROJECT_ID = Attribute("project_id", *string(255), in_post=True, filter_convert=filter_text)
NETWORK_ID = Attribute("network_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid)
ADMIN_STATE_UP = Attribute(
    "admin_state_up", *BOOLEAN, in_post=True, in_put=True, default=True, filter_convert=filter_boolean
)
SHARED = Attribute(
    "shared", *BOOLEAN, in_post=True, in_put=True, default=False, filter_convert=filter_boolean, is_sort_key=False
)
STATUS = Attribute("status", *string(16), filter_convert=filter_text)

STANDARD = (
    Attribute(
        "description",
        *DESCRIPTION,
        in_post=True,
        in_put=True,
        default="",
        filter_convert=filter_text,
        extension="standard-attr-description",
    ),
    Attribute("created_at", *string(20), filter_convert=filter_text, extension="standard-attr-timestamp"),
    Attribute("updated_at", *string(20), filter_convert=filter_text, extension="standard-attr-timestamp"),
    Attribute("revision_number", *integer(0), filter_convert=filter_integer, extension="standard-attr-revisions"),
)
"""The attributes that extensions give to every resource."""

_LONG: Value = string(1024)

STANDARD_WITH_LONG_DESCRIPTION = tuple(
    evolve(each, convert=_LONG.convert, schema=_LONG.schema) if each.name == "description" else each
    for each in STANDARD
)
"""The same for those few whose description may be of 1024 characters."""

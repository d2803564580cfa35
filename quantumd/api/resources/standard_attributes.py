"""Attributes that every resource has."""

from __future__ import annotations

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.values import (
    BOOLEAN,
    DESCRIPTION,
    NAME,
    UUID,
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

"""What requests may say of agents and what answers show of them."""

from __future__ import annotations

from quantumd.api.attributes import Attribute
from quantumd.api.values import (
    BOOLEAN,
    DESCRIPTION,
    OBJECT,
    UUID,
    filter_boolean,
    filter_text,
    filter_uuid,
    or_none,
    string,
)

_TEXT = string(255)

AGENT_ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("id", *UUID, filter_convert=filter_uuid),
    Attribute("agent_type", *_TEXT, filter_convert=filter_text),
    Attribute("binary", *_TEXT, filter_convert=filter_text),
    Attribute("topic", *_TEXT, filter_convert=filter_text),
    Attribute("host", *_TEXT, filter_convert=filter_text),
    Attribute("admin_state_up", *BOOLEAN, in_put=True, filter_convert=filter_boolean),
    Attribute("created_at", *_TEXT, is_sort_key=True),
    Attribute("started_at", *_TEXT, is_sort_key=True),
    Attribute("heartbeat_timestamp", *_TEXT, is_sort_key=True),
    Attribute("alive", *BOOLEAN, filter_convert=filter_boolean),
    Attribute("configurations", *OBJECT),
    Attribute("description", *or_none(DESCRIPTION), in_put=True, filter_convert=filter_text),
    Attribute(
        "availability_zone", *_TEXT, filter_convert=filter_text, is_sort_key=False, extension="availability_zone"
    ),
    Attribute("resources_synced", *or_none(BOOLEAN), extension="agent-resources-synced"),
)

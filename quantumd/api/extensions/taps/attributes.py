"""The attribute maps of tap services and tap flows."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID, STATUS
from quantumd.api.values import UUID, filter_text, filter_uuid, one_of, string
from quantumd.model.taps import DIRECTIONS

_DESCRIPTION: Final = Attribute(
    "description", *string(1024), in_post=True, in_put=True, default="", filter_convert=filter_text
)

SERVICE_ATTRIBUTES: Final = (
    ID,
    NAMED,
    _DESCRIPTION,
    PROJECT_ID,
    Attribute("port_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    STATUS,
)

FLOW_ATTRIBUTES: Final = (
    ID,
    evolve(NAMED, convert=string(255).convert, schema=string(255).schema),
    _DESCRIPTION,
    PROJECT_ID,
    Attribute("tap_service_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute("source_port", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute("direction", *one_of(*DIRECTIONS), in_post=True, default=REQUIRED, filter_convert=filter_text),
    STATUS,
)

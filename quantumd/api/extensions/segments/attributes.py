"""The attribute map of segments."""

from __future__ import annotations

from attrs import evolve

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.resources.standard_attributes import ID, NETWORK_ID, PROJECT_ID, STANDARD
from quantumd.api.values import NAME, filter_text, integer, or_none, string

SEGMENT_ATTRIBUTES: tuple[Attribute, ...] = (
    ID,
    evolve(PROJECT_ID, is_visible=False, filter_convert=None, is_sort_key=False),
    NETWORK_ID,
    Attribute("name", *or_none(NAME), in_post=True, in_put=True, default=None, filter_convert=filter_text),
    Attribute("network_type", *string(32), in_post=True, default=REQUIRED, filter_convert=filter_text),
    Attribute("physical_network", *string(64), in_post=True, filter_convert=filter_text),
    Attribute("segmentation_id", *integer(), in_post=True, is_sort_key=True),
    *STANDARD,
)

"""The attribute map of network segment ranges."""

from __future__ import annotations

from attrs import evolve

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID, STANDARD
from quantumd.api.values import BOOLEAN, OBJECT, filter_text, integer, list_of, one_of, string
from quantumd.model.network import FIRST_ID, GRE, LAST_ID

RANGE_TYPES = tuple(LAST_ID)
"""The network types that have ranges of ids."""

RANGE_ATTRIBUTES: tuple[Attribute, ...] = (
    ID,
    NAMED,
    Attribute("default", *BOOLEAN),
    Attribute("shared", *BOOLEAN, in_post=True, default=True),
    evolve(PROJECT_ID, is_sort_key=True),
    Attribute(
        "network_type",
        *one_of(*RANGE_TYPES),
        in_post=True,
        filter_convert=filter_text,
        is_sort_key=False,
    ),
    Attribute(
        "physical_network",
        *string(64),
        in_post=True,
        filter_convert=filter_text,
        is_sort_key=False,
    ),
    Attribute("minimum", *integer(FIRST_ID, LAST_ID[GRE]), in_post=True, in_put=True, default=REQUIRED),
    Attribute("maximum", *integer(FIRST_ID, LAST_ID[GRE]), in_post=True, in_put=True, default=REQUIRED),
    Attribute("used", *OBJECT),
    Attribute("available", *list_of(integer())),
    *STANDARD,
)
"""``used`` are the projects of the networks by the ids that they hold; ``available`` the free ids, of a very large
range the first ones."""

"""The attribute map of tap mirrors."""

from __future__ import annotations

from typing import Final

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID
from quantumd.api.values import (
    IP_ADDRESS,
    UUID,
    Member,
    dict_of,
    filter_ip_address,
    filter_text,
    filter_uuid,
    integer,
    one_of,
    string,
)
from quantumd.model.tap_mirrors import LAST_ID, MIRROR_TYPES
from quantumd.model.taps import DIRECTIONS

_TUNNEL_ID: Final = Member(integer(1, max(LAST_ID.values())))

MIRROR_ATTRIBUTES: Final = (
    ID,
    NAMED,
    Attribute("description", *string(1024), in_post=True, in_put=True, default="", filter_convert=filter_text),
    PROJECT_ID,
    Attribute("port_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute(
        "directions",
        *dict_of(dict.fromkeys(DIRECTIONS, _TUNNEL_ID), at_least_one=True),
        in_post=True,
        default=REQUIRED,
        is_sort_key=False,
    ),
    Attribute("remote_ip", *IP_ADDRESS, in_post=True, default=REQUIRED, filter_convert=filter_ip_address),
    Attribute("mirror_type", *one_of(*MIRROR_TYPES), in_post=True, default=REQUIRED, filter_convert=filter_text),
)

"""The attribute map of floating IPs."""

from __future__ import annotations

from typing import Final

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.extensions.dns.attributes import FLOATING_NAMES
from quantumd.api.extensions.qos.attributes import FLOATING_POLICIES
from quantumd.api.resources.standard_attributes import ID, PROJECT_ID, STANDARD, STATUS
from quantumd.api.values import (
    IP_ADDRESS_OR_NONE,
    OBJECT,
    UUID,
    UUID_OR_NONE,
    filter_ip_address,
    filter_uuid,
    list_of,
    or_none,
)

PORT_DETAILS: Final = "fip-port-details"

ATTRIBUTES: Final = (
    ID,
    Attribute(
        "floating_ip_address",
        *IP_ADDRESS_OR_NONE,
        in_post=True,
        default=None,
        filter_convert=filter_ip_address,
    ),
    Attribute("subnet_id", *UUID_OR_NONE, in_post=True, default=None, is_visible=False),
    Attribute("floating_network_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute("router_id", *UUID_OR_NONE, filter_convert=filter_uuid),
    Attribute(
        "port_id",
        *UUID_OR_NONE,
        in_post=True,
        in_put=True,
        default=None,
        filter_convert=filter_uuid,
        is_sort_key=False,
    ),
    Attribute(
        "fixed_ip_address",
        *IP_ADDRESS_OR_NONE,
        in_post=True,
        in_put=True,
        default=None,
        filter_convert=filter_ip_address,
    ),
    Attribute("port_forwardings", *list_of(OBJECT), default=None, extension="expose-port-forwarding-in-fip"),
    *FLOATING_POLICIES,
    *FLOATING_NAMES,
    PROJECT_ID,
    STATUS,
    Attribute("port_details", *or_none(OBJECT), extension=PORT_DETAILS),
    *STANDARD,
)

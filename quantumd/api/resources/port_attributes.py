"""The attribute map of ports."""

from __future__ import annotations

from typing import Any

from quantumd.api.attributes import Attribute
from quantumd.api.extensions.tags.values import TAG_LIST
from quantumd.api.resources.standard_attributes import (
    ADMIN_STATE_UP,
    ID,
    NAMED,
    NETWORK_ID,
    PROJECT_ID,
    STANDARD,
    STATUS,
)
from quantumd.api.values import (
    BOOLEAN,
    IP_ADDRESS,
    MAC_ADDRESS,
    OBJECT,
    UUID,
    Member,
    dict_of,
    filter_ip_address,
    filter_mac_address,
    filter_pair,
    filter_text,
    filter_uuid,
    list_of,
    none_as,
    one_of,
    or_none,
    string,
)
from quantumd.model.binding import NORMAL, VNIC_TYPES
from quantumd.model.port import DEFERRED, IMMEDIATE, NO_ADDRESSES

FIXED_IPS = list_of(
    dict_of({"subnet_id": Member(UUID), "ip_address": Member(IP_ADDRESS)}, at_least_one=True),
    wrong_list="Invalid data format for fixed IP: '{value}'",
    duplicate="Duplicate IP address '{value}'",
    different=lambda item: item.get("ip_address"),
)
TAG_PORTS = "tag-ports-during-bulk-creation"
_BINDING: dict[str, Any] = {"extension": "binding"}
_HOST_BINDING: dict[str, Any] = {
    "in_post": True,
    "in_put": True,
    **_BINDING,
}

PORT_ATTRIBUTES = (
    ID,
    NAMED,
    NETWORK_ID,
    PROJECT_ID,
    Attribute(
        "mac_address",
        *or_none(MAC_ADDRESS),
        in_post=True,
        in_put=True,
        filter_convert=filter_mac_address,
    ),
    ADMIN_STATE_UP,
    STATUS,
    Attribute("device_id", *string(255), in_post=True, in_put=True, default="", filter_convert=filter_text),
    Attribute("device_owner", *string(255), in_post=True, in_put=True, default="", filter_convert=filter_text),
    Attribute(
        "fixed_ips",
        *FIXED_IPS,
        in_post=True,
        in_put=True,
        filter_convert=filter_pair(subnet_id=filter_uuid, ip_address=filter_ip_address, ip_address_substr=filter_text),
        is_sort_key=False,
    ),
    Attribute(
        "binding:vnic_type",
        *one_of(*VNIC_TYPES),
        in_post=True,
        in_put=True,
        default=NORMAL,
        filter_convert=filter_text,
        is_sort_key=False,
        extension="binding",
    ),
    Attribute("binding:profile", *none_as({}, OBJECT), default={}, **_HOST_BINDING),
    Attribute(
        "binding:host_id",
        *none_as("", string(255)),
        default="",
        filter_convert=filter_text,
        is_sort_key=False,
        **_HOST_BINDING,
    ),
    Attribute("binding:vif_type", *string(64), filter_convert=filter_text, is_sort_key=False, **_BINDING),
    Attribute("binding:vif_details", *OBJECT, **_BINDING),
    Attribute(
        "port_security_enabled", *BOOLEAN, in_post=True, in_put=True, is_sort_key=False, extension="port-security"
    ),
    Attribute(
        "ip_allocation",
        *one_of(IMMEDIATE, DEFERRED, NO_ADDRESSES),
        filter_convert=filter_text,
        extension="ip_allocation",
    ),
    Attribute("tags", *TAG_LIST, in_post=True, is_sort_key=False, extension=TAG_PORTS),
    *STANDARD,
)
"""Left out, ``mac_address`` and ``fixed_ips`` are chosen; an empty list of ``fixed_ips`` means none, and so does null
for a MAC: another one is generated. Left out, ``port_security_enabled`` is that of the network.
"""

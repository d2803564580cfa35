"""The attribute map of IP availabilities: all is read, nothing is set."""

from __future__ import annotations

from quantumd.api.attributes import Attribute
from quantumd.api.values import OBJECT, UUID, filter_integer, filter_text, filter_uuid, integer, list_of, string

DETAILS = "ip_availability_details"

AVAILABILITY_ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("network_id", *UUID, filter_convert=filter_uuid),
    Attribute("network_name", *string(255), filter_convert=filter_text, is_sort_key=False),
    Attribute("project_id", *string(255), filter_convert=filter_text, is_sort_key=False),
    Attribute("total_ips", *integer(0)),
    Attribute("used_ips", *integer(0)),
    Attribute("subnet_ip_availability", *list_of(OBJECT)),
    Attribute("ip_version", *integer(4, 6), filter_convert=filter_integer, is_visible=False, is_sort_key=False),
    Attribute(DETAILS, *OBJECT, extension="network-ip-availability-details"),
)
"""``ip_version`` chooses the subnets that are counted, and is shown with each of them."""

"""Local IPs."""

from __future__ import annotations

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.local_ips.aspect import LocalPorts
from quantumd.api.extensions.local_ips.associations import AssociationsOfLocalIps
from quantumd.api.extensions.local_ips.errors import LocalIPAssociationNotFound, LocalIPNotFound
from quantumd.api.extensions.local_ips.operations import LocalIps
from quantumd.api.resource import Resource
from quantumd.api.resources.ownership import owner_in
from quantumd.api.resources.port_creation import PortMaker
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID, STANDARD_WITH_LONG_DESCRIPTION
from quantumd.api.values import (
    IP_ADDRESS,
    IP_ADDRESS_OR_NONE,
    UUID,
    filter_ip_address,
    filter_text,
    filter_uuid,
    one_of,
    string,
)
from quantumd.store.tables.ports import local_ips

ALIAS = "local_ip"

ATTRIBUTES = (
    ID,
    NAMED,
    PROJECT_ID,
    Attribute("local_port_id", *UUID, in_post=True, filter_convert=filter_uuid),
    Attribute("network_id", *UUID, in_post=True, filter_convert=filter_uuid),
    Attribute("local_ip_address", *IP_ADDRESS_OR_NONE, in_post=True, filter_convert=filter_ip_address),
    Attribute(
        "ip_mode", *one_of("translate", "passthrough"), in_post=True, default="translate", filter_convert=filter_text
    ),
    *STANDARD_WITH_LONG_DESCRIPTION,
)
"""The port or the network is named; of a network a new port holds the address."""

ASSOCIATION_ATTRIBUTES = (
    Attribute("local_ip_id", *UUID),
    Attribute("local_ip_address", *IP_ADDRESS, filter_convert=filter_ip_address),
    Attribute("fixed_port_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute("fixed_ip", *IP_ADDRESS_OR_NONE, in_post=True, default=None, filter_convert=filter_ip_address),
    Attribute("host", *string(255), filter_convert=filter_text),
    Attribute("project_id", *string(255), in_post=True, is_visible=False),
)


def feature(parts: Parts) -> Feature:
    """Return what local IPs add to the API."""
    return Feature(
        extensions=(Extension(ALIAS, "Local IP", "Support Node Local Virtual IP", "2021-07-26T10:00:00-00:00", ALIAS),),
        resources=(
            Resource(
                "local_ip",
                "local_ips",
                ATTRIBUTES,
                LocalIps(PortMaker(parts.settings, parts.chance, ())),
                LocalIPNotFound,
                is_taggable=True,
                extension=ALIAS,
                table=local_ips,
            ),
            Resource(
                "port_association",
                "port_associations",
                ASSOCIATION_ATTRIBUTES,
                AssociationsOfLocalIps(),
                LocalIPAssociationNotFound,
                path="local_ips/<parent_id>/port_associations",
                verbs=frozenset({"create", "list", "show", "delete"}),
                ruled_as="local_ip_port_association",
                owner_above=owner_in(local_ips),
                extension=ALIAS,
            ),
        ),
        port_aspects=(LocalPorts(parts.obeys(ALIAS)),),
    )

"""Address groups, as the API serves them."""

from __future__ import annotations

from quantumd.api.extensions.address_groups.attributes import ADDRESS_GROUP_ATTRIBUTES
from quantumd.api.extensions.address_groups.errors import AddressGroupNotFound
from quantumd.api.extensions.address_groups.operations import AddressGroups
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.resource import Action, Resource

_ALIAS = "address-group"

_EXTENSIONS = (
    Extension(
        _ALIAS,
        "Address group",
        "Support address group",
        "2020-07-15T10:00:00-00:00",
        capability=_ALIAS,
    ),
)


def feature(parts: Parts) -> Feature:
    """Return the family of address groups."""
    groups = AddressGroups(parts.chance)
    return Feature(
        extensions=_EXTENSIONS,
        resources=(
            Resource(
                "address_group",
                "address_groups",
                ADDRESS_GROUP_ATTRIBUTES,
                groups,
                AddressGroupNotFound,
                path="address-groups",
                extension=_ALIAS,
            ),
        ),
        actions=(
            Action(
                "PUT",
                "address-groups/<resource_id>/add_addresses",
                groups.add_addresses,
                rule="add_addresses",
                extension=_ALIAS,
            ),
            Action(
                "PUT",
                "address-groups/<resource_id>/remove_addresses",
                groups.remove_addresses,
                rule="remove_addresses",
                extension=_ALIAS,
            ),
        ),
    )

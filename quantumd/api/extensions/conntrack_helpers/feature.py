"""Conntrack helpers, as the API serves them."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.conntrack_helpers.attributes import ALIAS, ATTRIBUTES, EXPOSED
from quantumd.api.extensions.conntrack_helpers.errors import ConntrackHelperNotFound
from quantumd.api.extensions.conntrack_helpers.operations import HelpersOfRouters
from quantumd.api.extensions.conntrack_helpers.rows import RESOURCE
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.resource import Resource
from quantumd.api.resources.ownership import owner_in
from quantumd.store.tables.routers import routers


def feature(parts: Parts) -> Feature:
    """Return the family of conntrack helpers."""
    return Feature(
        extensions=(
            Extension(
                ALIAS,
                "L3 Conntrack helper",
                "Allow adding CT target rules for conntrack helper",
                "2019-04-04T10:00:00-00:00",
                capability=ALIAS,
            ),
            Extension(
                EXPOSED,
                "Expose CT target rules for conntrack helper",
                "Expose allow adding CT target rules for conntrack helper",
                "2019-04-04T10:00:00-00:00",
                capability=ALIAS,
            ),
        ),
        resources=(
            Resource(
                RESOURCE,
                "conntrack_helpers",
                ATTRIBUTES,
                HelpersOfRouters(parts.chance),
                ConntrackHelperNotFound,
                path="routers/<parent_id>/conntrack_helpers",
                ruled_as="router_conntrack_helper",
                owner_above=owner_in(routers),
                extension=ALIAS,
            ),
        ),
    )

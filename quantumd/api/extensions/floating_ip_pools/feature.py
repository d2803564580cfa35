"""The list of floating IP pools: the IPv4 subnets of external networks."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select, true

from quantumd.api.attributes import Attribute
from quantumd.api.errors import HTTPNotFound
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.computed import Computed
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.routers.attributes import ALIAS as ROUTER
from quantumd.api.resource import Query, Resource
from quantumd.api.resources.views import View
from quantumd.api.values import UUID, string
from quantumd.model.context import Context
from quantumd.store.scope import visible_networks
from quantumd.store.tables import networks, subnets

ALIAS: Final = "floatingip-pools"

_TEXT = string(255)
_ATTRIBUTES: Final = (
    Attribute("subnet_id", *UUID),
    Attribute("subnet_name", *_TEXT),
    Attribute("network_id", *UUID),
    Attribute("cidr", *string(64)),
    Attribute("project_id", *_TEXT),
)
"""``project_id`` is that of whoever asks, as in Neutron: so each sees all of those that it can use."""

_POOLS = (
    select(subnets.c.id, subnets.c.name, subnets.c.network_id, subnets.c.cidr)
    .join(networks, networks.c.id == subnets.c.network_id)
    .where(networks.c.is_external == true(), subnets.c.ip_version == 4)
    .order_by(subnets.c.created_at, subnets.c.id)
)


def _pools(connection: Connection, context: Context, query: Query) -> list[View]:
    names = ("subnet_id", "subnet_name", "network_id", "cidr")
    found = connection.execute(_POOLS.where(*visible_networks(context.scope_of("network"))))
    return [{**dict(zip(names, row, strict=True)), "project_id": context.project_id or ""} for row in found]


def feature(parts: Parts) -> Feature:
    """Return the family."""
    return Feature(
        extensions=(
            Extension(
                ALIAS,
                "Floating IP Pools Extension",
                "Provides a floating IP pools API.",
                "2018-03-21T10:00:00-00:00",
                capability=ROUTER,
            ),
        ),
        resources=(
            Resource(
                "floatingip_pool",
                "floatingip_pools",
                _ATTRIBUTES,
                Computed(_pools, HTTPNotFound, key="subnet_id"),
                HTTPNotFound,
                verbs=frozenset({"list"}),
                extension=ALIAS,
            ),
        ),
    )

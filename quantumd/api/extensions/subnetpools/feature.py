"""Subnet pools: prefixes that subnets are cut from."""

from __future__ import annotations

from typing import Final

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.subnetpools.attributes import POOL_ATTRIBUTES
from quantumd.api.extensions.subnetpools.pools import SubnetPools
from quantumd.api.extensions.subnetpools.prefixes import PREFIX_ACTIONS
from quantumd.api.resource import Resource
from quantumd.api.resources.pool_errors import SubnetPoolNotFound
from quantumd.store.tables.subnets import subnetpools

POOL_EXTENSIONS: Final = (
    Extension(
        "subnet_allocation",
        "Subnet Allocation",
        "Enables allocation of subnets from a subnet pool",
        "2015-03-30T10:00:00-00:00",
    ),
    Extension(
        "default-subnetpools",
        "Default Subnetpools",
        "Provides ability to mark and use a subnetpool as the default.",
        "2016-02-18T18:00:00-00:00",
    ),
    Extension(
        "subnetpool-prefix-ops",
        "Subnet Pool Prefix Operations",
        "Provides support for adjusting the prefix list of subnet pools",
        "2019-02-08T10:00:00-00:00",
    ),
    Extension(
        "subnet_onboard",
        "Subnet Onboard",
        "Provides support for onboarding subnets into subnet pools",
        "2018-12-18T09:00:00-00:00",
    ),
)


def feature(parts: Parts) -> Feature:
    """Return what subnet pools add to the API."""
    pools = Resource(
        "subnetpool",
        "subnetpools",
        POOL_ATTRIBUTES,
        SubnetPools(parts.chance),
        SubnetPoolNotFound,
        is_taggable=True,
        quota="subnetpool",
        table=subnetpools,
    )
    return Feature(extensions=POOL_EXTENSIONS, resources=(pools,), actions=PREFIX_ACTIONS, quotas={"subnetpool": -1})

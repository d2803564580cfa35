"""Rows of subnet pools: what the API shows of them."""

from __future__ import annotations

from quantumd.api.extensions.rbac.shared import whether_shared
from quantumd.api.resources.pool_errors import SubnetPoolNotFound
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import View
from quantumd.store.scope import visible
from quantumd.store.tables.subnets import subnetpools

POOL_TYPE = "subnetpool"
"""The name of subnet pools in the journal and in RBAC entries."""

_LENGTHS = ("default_prefixlen", "min_prefixlen", "max_prefixlen")


POOLS = Rows(
    POOL_TYPE,
    subnetpools,
    SubnetPoolNotFound,
    lambda scope: visible(subnetpools, POOL_TYPE, scope),
    json=frozenset({"prefixes"}),
    children=whether_shared(POOL_TYPE),
    is_taggable=True,
)


def shown_pool(view: View) -> View:
    """Return the view of a pool as answers have it: lengths of prefixes are texts, as today."""
    return {**view, **{name: str(view[name]) for name in _LENGTHS}}

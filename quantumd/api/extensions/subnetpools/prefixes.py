"""Requests on the prefixes of a subnet pool: adding, removing, and taking in the subnets of a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select

from quantumd.api.errors import HTTPBadRequest, InvalidInput, InvalidValue, PolicyNotAuthorized
from quantumd.api.extensions.subnetpools.attributes import PREFIXES
from quantumd.api.extensions.subnetpools.pools import change_pool, locked_pool
from quantumd.api.extensions.subnetpools.rows import POOLS
from quantumd.api.resource import Action
from quantumd.api.resources.errors import NetworkNotFound
from quantumd.api.resources.facts import NetworkFacts, forget_network, network_facts
from quantumd.api.resources.ownership import is_owner
from quantumd.api.resources.pool_errors import IllegalSubnetPoolPrefixUpdate, IllegalSubnetPoolUpdate
from quantumd.api.resources.subnet_pools import allocated_cidrs
from quantumd.api.resources.subnet_rows import change_subnet, subnet_views
from quantumd.api.resources.views import View
from quantumd.api.values import UUID
from quantumd.model.context import Context
from quantumd.model.subnet import version_of
from quantumd.model.subnet_pool import is_overlapping, without
from quantumd.store.tables import subnets
from quantumd.store.transaction import Transaction

_OF_NETWORK = (
    select(subnets.c.id)
    .where(subnets.c.network_id == bindparam("wanted"), subnets.c.ip_version == bindparam("version"))
    .order_by(subnets.c.created_at, subnets.c.id)
)


def add_prefixes(tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> dict[str, Any]:
    """Add prefixes to a pool and return all that it has."""
    before = locked_pool(tx, context, parts["subnetpool_id"])
    after = change_pool(tx, context, before, {"prefixes": (*before["prefixes"], *_prefixes_in(body))})
    return {"prefixes": after["prefixes"]}


def remove_prefixes(tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> dict[str, Any]:
    """Remove prefixes that no subnet has from a pool and return what is left; those it has not are no error."""
    before = locked_pool(tx, context, parts["subnetpool_id"])
    removed = [prefix for prefix in _prefixes_in(body) if version_of(prefix) == before["ip_version"]]
    if not is_overlapping(before["prefixes"], removed):
        return {"prefixes": before["prefixes"]}
    if is_overlapping(allocated_cidrs(tx, before["id"]), removed):
        raise IllegalSubnetPoolPrefixUpdate("One or more the prefixes to be removed is in use by a subnet.")
    left = without(before["ip_version"], before["prefixes"], removed)
    return {"prefixes": POOLS.change(tx, context, before, {"prefixes": left})["prefixes"]}


def onboard_subnets(tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> list[dict[str, Any]]:
    """Make the subnets of a network the pool's, with their prefixes; return which. Nothing changes for hosts."""
    pool = locked_pool(tx, context, parts["subnetpool_id"])
    network = _own_network(tx, context, body)
    ids = tx.connection.execute(_OF_NETWORK, {"wanted": network.id, "version": pool["ip_version"]}).scalars().all()
    found = [view for view in subnet_views(tx.connection, ids).values() if view["subnetpool_id"] != pool["id"]]
    taken = allocated_cidrs(tx, pool["id"])
    for subnet in found:
        _require_disjoint(subnet, taken, pool)
    if found:
        change_pool(tx, context, pool, {"prefixes": (*pool["prefixes"], *(each["cidr"] for each in found))})
    for subnet in found:
        change_subnet(tx, context, subnet, {"subnetpool_id": pool["id"]})
    forget_network(tx, network.id)
    return [{"id": subnet["id"], "cidr": subnet["cidr"]} for subnet in found]


def _require_disjoint(subnet: View, taken: list[str], pool: View) -> None:
    if is_overlapping(taken, [subnet["cidr"]]):
        raise IllegalSubnetPoolUpdate(
            f"Onboarding subnet {subnet['id']}: {subnet['cidr']} conflicts with allocated prefixes in subnet pool "
            f"{pool['id']}"
        )


def _own_network(tx: Transaction, context: Context, body: Any) -> NetworkFacts:
    """Return the network that the request names, which must be the caller's."""
    named = body.get("network_id") if isinstance(body, dict) else None
    if named is None:
        raise InvalidInput("network_id must be specified")
    try:
        network_id = UUID.convert(named)
    except InvalidValue as refusal:
        raise refusal.of_attribute("network_id") from None
    network = network_facts(tx, network_id)
    if network is None or not network.is_visible(context.scope_of("network")):
        raise NetworkNotFound(network_id)
    if not is_owner(context, network.project_id):
        raise PolicyNotAuthorized("rule:onboard_network_subnets")
    return network


def _prefixes_in(body: Any) -> tuple[str, ...]:
    given = body.get("prefixes") if isinstance(body, dict) else None
    if not given or not isinstance(given, list):
        raise HTTPBadRequest("Request body contains invalid data")
    try:
        prefixes: tuple[str, ...] = PREFIXES.convert(given)
    except InvalidValue as refusal:
        raise refusal.of_attribute("prefixes") from None
    return prefixes


_PREFIX_LIST = {"type": "object", "properties": {"prefixes": dict(PREFIXES.schema)}, "required": ["prefixes"]}
_NETWORK_ID = {"type": "object", "properties": {"network_id": dict(UUID.schema)}, "required": ["network_id"]}
_ONBOARDED = {
    "type": "array",
    "items": {"type": "object", "properties": {"id": dict(UUID.schema), "cidr": {"type": "string"}}},
}

PREFIX_ACTIONS = (
    Action(
        "PUT",
        "subnetpools/<subnetpool_id>/add_prefixes",
        add_prefixes,
        rule="add_prefixes",
        extension="subnetpool-prefix-ops",
        body_schema=_PREFIX_LIST,
        answer_schema=_PREFIX_LIST,
    ),
    Action(
        "PUT",
        "subnetpools/<subnetpool_id>/remove_prefixes",
        remove_prefixes,
        rule="remove_prefixes",
        extension="subnetpool-prefix-ops",
        body_schema=_PREFIX_LIST,
        answer_schema=_PREFIX_LIST,
    ),
    Action(
        "PUT",
        "subnetpools/<subnetpool_id>/onboard_network_subnets",
        onboard_subnets,
        rule="onboard_network_subnets",
        extension="subnet_onboard",
        body_schema=_NETWORK_ID,
        answer_schema=_ONBOARDED,
    ),
)

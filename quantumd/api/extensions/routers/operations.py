"""Routers: what joins subnets, and leads outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from quantumd.api.extensions.availability_zones.zones import require_zones
from quantumd.api.extensions.conntrack_helpers.rows import SHOWN_WITH_ROUTERS, remove_helpers
from quantumd.api.extensions.ndp_proxies.attributes import ENABLE
from quantumd.api.extensions.ndp_proxies.enabling import enabled_at_first, enabled_now
from quantumd.api.extensions.qos.outside import put_gateway_policy
from quantumd.api.extensions.routers.attributes import ECMP, FLAVOR, GATEWAY, GATEWAYS, HINTS, ZONES
from quantumd.api.extensions.routers.errors import RouterInUse
from quantumd.api.extensions.routers.extra_routes import ExtraRoutes
from quantumd.api.extensions.routers.flavored import require_flavor
from quantumd.api.extensions.routers.gateway import Gateways
from quantumd.api.extensions.routers.gateway_actions import new_gateways, says_snat
from quantumd.api.extensions.routers.hosting import RouterHosts, give
from quantumd.api.extensions.routers.rows import ROUTERS, gateways_shown, ports_of
from quantumd.api.extensions.routers.statuses import router_switched
from quantumd.api.extensions.service_providers.providers import PROVIDERS
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.router import INTERFACE
from quantumd.model.status import ACTIVE, DOWN
from quantumd.store.transaction import Transaction

_NAMED = ("name", "description", "project_id", "admin_state_up")


@frozen
class Routers(KeptAsRows):
    """Operations on routers. One that a host carries is ACTIVE until the host says that something is wrong.

    ``own_zone`` is the zone of the agents that report here; it is there before any of them has.
    """

    rows: ClassVar = ROUTERS
    chance: Chance
    gateways: Gateways
    routes: ExtraRoutes
    hosts: RouterHosts
    own_zone: str

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows. AvailabilityZoneNotFound, and errors of Gateways.set."""
        wanted, enable_snat = body[GATEWAY], says_snat(body[GATEWAY], None)
        values = {"id": self.chance.new_id(), **{name: body[name] for name in _NAMED}}
        hints = list(body[HINTS])
        require_zones(tx.connection, "router", [each for each in hints if each != self.own_zone])
        host = self.hosts.choose(tx, hints)
        row = {**values, "status": ACTIVE if host else DOWN, "routes": [], HINTS: hints, ZONES: []}
        row |= {"enable_snat": enable_snat, GATEWAY: None, GATEWAYS: [], ECMP: bool(body.get(ECMP)), ENABLE: False}
        row |= {SHOWN_WITH_ROUTERS: [], FLAVOR: body.get(FLAVOR)}
        if row[FLAVOR] is not None:
            require_flavor(tx, context, row[FLAVOR], PROVIDERS)
        ROUTERS.insert(tx, context, row)
        if host:
            give(tx, context, values["id"], host)
        router = ROUTERS.show(tx.connection, context, values["id"])
        if wanted:
            self.gateways.set(tx, context, router, wanted)
            put_gateway_policy(tx, context, router["id"], wanted, None)
        changed = gateways_shown(tx, router["id"], enable_snat)
        changed[ENABLE] = enabled_at_first(tx, router["id"], changed[GATEWAY], body[ENABLE])
        return ROUTERS.change(tx, context, router, changed)

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. Errors are those of Gateways and of ExtraRoutes.require."""
        before = ROUTERS.show(tx.connection, context, resource_id)
        changed = {name: value for name, value in changes.items() if (name, value) != (ECMP, None)}
        if GATEWAY in changed:
            changed |= self._new_gateway(tx, context, before, changed[GATEWAY])
        if not changed.keys().isdisjoint((GATEWAY, ENABLE)):
            gateway = changed.get(GATEWAY, before[GATEWAY])
            changed[ENABLE] = enabled_now(tx, before, gateway, changes.get(ENABLE))
        if "routes" in changed:
            changed["routes"] = list(changed["routes"])
        routes = changed.get("routes", before["routes"])
        if routes and not changed.keys().isdisjoint((GATEWAY, "routes")):
            self.routes.require(tx, resource_id, routes)
        after = ROUTERS.change(tx, context, before, changed)
        if after["admin_state_up"] != before["admin_state_up"]:
            router_switched(tx, context, resource_id, after["admin_state_up"])
        return {name: value for name, value in after.items() if name != "enable_snat"}

    def _new_gateway(
        self, tx: Transaction, context: Context, before: View, wanted: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        if wanted:
            self.gateways.set(tx, context, before, wanted)
        else:
            self.gateways.clear(tx, context, before)
        put_gateway_policy(tx, context, before["id"], wanted, before[GATEWAY])
        return new_gateways(tx, before, wanted)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. RouterInUse."""
        before = ROUTERS.show(tx.connection, context, resource_id)
        inside = ports_of(tx, resource_id, INTERFACE)
        if inside:
            raise RouterInUse(resource_id, inside)
        self.gateways.clear_all(tx, context, before)
        self.hosts.release(tx, context, resource_id)
        remove_helpers(tx, context, resource_id)
        ROUTERS.remove(tx, context, before)

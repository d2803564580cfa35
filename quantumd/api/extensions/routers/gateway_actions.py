"""Several gateways of a router, as the actions of ``external-gateway-multihoming`` change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from quantumd.api.errors import HTTPBadRequest, InvalidInput
from quantumd.api.extensions.ndp_proxies.attributes import ENABLE
from quantumd.api.extensions.ndp_proxies.enabling import enabled_now
from quantumd.api.extensions.qos.outside import put_gateway_policy
from quantumd.api.extensions.routers.attributes import EVERY_GATEWAY, GATEWAY, GATEWAYS
from quantumd.api.extensions.routers.errors import UnableToRemoveGateways
from quantumd.api.extensions.routers.extra_routes import ExtraRoutes
from quantumd.api.extensions.routers.gateway import Gateways
from quantumd.api.extensions.routers.gateway_matching import Wanted, each_meant, paired
from quantumd.api.extensions.routers.gateway_rows import gateways_of, order_gateways
from quantumd.api.extensions.routers.rows import ROUTERS, gateways_shown
from quantumd.api.resources.views import View
from quantumd.api.values import shown
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction


@frozen
class GatewayActions:
    """The operations of actions. What a request leaves out changes nothing; errors are those of Gateways too."""

    gateways: Gateways
    routes: ExtraRoutes

    def add(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Give the router these gateways beside those that it has. See Action."""
        router, wanted = ROUTERS.show(tx.connection, context, parts["resource_id"]), _given(body)
        for each in wanted or ():
            self.gateways.add(tx, context, router, each)
        return self._done(tx, context, router, () if router[GATEWAYS] else wanted or ())

    def update(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Let the router have these gateways, in this order, and no others. See Action. UnableToMatchGateways."""
        router, wanted = ROUTERS.show(tx.connection, context, parts["resource_id"]), _given(body)
        if wanted:
            self._replace(tx, context, router, wanted)
        elif wanted is not None:
            self.gateways.clear_all(tx, context, router)
        return self._done(tx, context, router, wanted or ())

    def _replace(self, tx: Transaction, context: Context, router: View, wanted: Sequence[Wanted]) -> None:
        held = gateways_of(tx, router["id"])
        pairs = paired(router["id"], held, wanted)
        # Those that go go first: others may get their addresses.
        for gateway in held:
            if gateway not in pairs:
                self.gateways.remove(tx, context, gateway)
        for each, kept in zip(wanted, pairs, strict=True):
            if kept is not None:
                self.gateways.readdress(tx, context, kept, each)
        ids = [
            self.gateways.add(tx, context, router, each) if kept is None else kept.port_id
            for each, kept in zip(wanted, pairs, strict=True)
        ]
        order_gateways(tx, ids)

    def remove(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Take these gateways away. See Action. UnableToRemoveGateways, UnableToMatchGateways."""
        router, wanted = ROUTERS.show(tx.connection, context, parts["resource_id"]), _given(body)
        held = gateways_of(tx, router["id"])
        if wanted and not held:
            raise UnableToRemoveGateways(router["id"], "the router does not have any external gateways")
        for each in wanted or ():
            self.gateways.require_outside(tx, context, each)
        for gateway in each_meant(router["id"], held, wanted or ()):
            self.gateways.remove(tx, context, gateway)
        return self._done(tx, context, router, ())

    def _done(self, tx: Transaction, context: Context, router: View, first: Sequence[Wanted]) -> View:
        """Look at what there is now, and answer it; ``first`` says what the first gateway shall be, if anything."""
        self.gateways.require(tx, router)
        if first or not gateways_of(tx, router["id"]):
            put_gateway_policy(tx, context, router["id"], first[0] if first else None, router[GATEWAY])
        changes = new_gateways(tx, router, first[0] if first else None)
        changes[ENABLE] = enabled_now(tx, router, changes[GATEWAY], None)
        if router["routes"]:
            self.routes.require(tx, router["id"], router["routes"])
        after = ROUTERS.change(tx, context, router, changes)
        view = {name: value for name, value in after.items() if name != "enable_snat"}
        return {"router": {**view, "tenant_id": view["project_id"]}}


def new_gateways(tx: Transaction, before: View, wanted: Wanted | None) -> dict[str, Any]:
    """Return what changes of a router whose gateways have changed; ``wanted`` is what was said of the first."""
    enable_snat = says_snat(wanted, before[GATEWAY])
    changes = gateways_shown(tx, before["id"], enable_snat)
    if changes[GATEWAY] is not None and changes[GATEWAY] != before[GATEWAY]:
        changes["enable_snat"] = enable_snat
    return changes


def says_snat(wanted: Wanted | None, held: Mapping[str, Any] | None) -> bool:
    """Return whether addresses are translated: as it is said, else as it is, else they are."""
    known: bool = held["enable_snat"] if held else True
    return bool(wanted.get("enable_snat", known)) if wanted else known


def _given(body: Any) -> tuple[Wanted, ...] | None:
    """Return the gateways that a request names; None when it says nothing of them. HTTPBadRequest, InvalidInput."""
    router = body.get("router") if isinstance(body, dict) else None
    if not isinstance(router, dict):
        raise HTTPBadRequest("Invalid input for router. Reason: it is missing.")
    if GATEWAYS not in router:
        return None
    # As today, nothing of any kind is none; the client says {} of all.
    if not router[GATEWAYS]:
        return ()
    try:
        found: tuple[Wanted, ...] = EVERY_GATEWAY.convert(router[GATEWAYS])
    except InvalidInput as error:
        raise InvalidInput(f"Invalid input for {GATEWAYS}. Reason: {shown(error.reason)}") from None
    return found

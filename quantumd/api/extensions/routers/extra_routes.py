"""Routes of routers beside those of their links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from quantumd.api.attributes import Attribute
from quantumd.api.errors import HTTPBadRequest, InvalidInput
from quantumd.api.extensions.routers.attributes import ATTRIBUTES
from quantumd.api.extensions.routers.errors import InvalidRoutes, RoutesExhausted
from quantumd.api.extensions.routers.rows import ROUTERS, links_of
from quantumd.api.resources.views import View
from quantumd.api.values import shown
from quantumd.model.context import Context
from quantumd.model.router import route_fault
from quantumd.store.transaction import Transaction

_ROUTES: Attribute = next(each for each in ATTRIBUTES if each.name == "routes")


@frozen
class ExtraRoutes:
    """The operations of actions; ``limit`` is how many routes a router may have."""

    limit: int

    def require(self, tx: Transaction, router_id: str, routes: Sequence[Mapping[str, str]]) -> None:
        """Refuse routes that the router cannot have. RoutesExhausted, InvalidRoutes."""
        if len(routes) > self.limit:
            raise RoutesExhausted(router_id, self.limit)
        links = [link for some in links_of(tx, router_id).values() for link in some]
        for route in routes:
            fault = route_fault(links, route["destination"], route["nexthop"])
            if fault is not None:
                raise InvalidRoutes(str(list(routes)), fault)

    def add(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Let the router have these routes too; those that it has are no error. See Action."""
        router = ROUTERS.show(tx.connection, context, parts["resource_id"])
        held = router["routes"]
        wanted = held + [route for route in _given(body) if route not in held]
        self.require(tx, router["id"], wanted)
        return _answer(ROUTERS.change(tx, context, router, {"routes": wanted}))

    def remove(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Take these routes away; those that are not there are no error. See Action."""
        router = ROUTERS.show(tx.connection, context, parts["resource_id"])
        gone = _given(body)
        kept = [route for route in router["routes"] if route not in gone]
        return _answer(ROUTERS.change(tx, context, router, {"routes": kept}))


def _given(body: Any) -> list[View]:
    """Return the routes that a request names. HTTPBadRequest, InvalidInput."""
    router = body.get("router") if isinstance(body, dict) else None
    if not isinstance(router, dict) or "routes" not in router:
        raise HTTPBadRequest("Invalid input for routes. Reason: it is missing.")
    try:
        return list(_ROUTES.convert(router["routes"]))
    except InvalidInput as error:
        raise InvalidInput(f"Invalid input for routes. Reason: {shown(error.reason)}") from None


def _answer(view: View) -> View:
    return {"router": {**view, "tenant_id": view["project_id"]}}

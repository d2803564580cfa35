"""Routers, as the API serves them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from attrs import evolve

from quantumd.api.extensions.agents.agents import Agents
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.routers.attributes import (
    ALIAS,
    ATTRIBUTES,
    BY_ECMP,
    BY_ZONE,
    EVERY_GATEWAY,
    FLAVORED,
    GATEWAYS,
    MULTIHOMING,
)
from quantumd.api.extensions.routers.errors import RouterNotFound
from quantumd.api.extensions.routers.extra_routes import ExtraRoutes
from quantumd.api.extensions.routers.gateway import Gateways
from quantumd.api.extensions.routers.gateway_actions import GatewayActions
from quantumd.api.extensions.routers.hosting import RouterHosts
from quantumd.api.extensions.routers.interfaces import Interfaces
from quantumd.api.extensions.routers.operations import Routers
from quantumd.api.extensions.routers.outer_subnets import OuterSubnets
from quantumd.api.extensions.routers.ports import RouterPorts, RoutersPorts
from quantumd.api.extensions.routers.scheduling import RouterScheduling
from quantumd.api.resource import Action, Resource
from quantumd.api.resources.port_creation import PortMaker
from quantumd.store.tables.routers import routers

_INSIDE: Final = "routers/<resource_id>"
_ID: Final = {"type": "string", "format": "uuid"}
_LINK: Final[dict[str, Any]] = {"type": "object", "properties": {"port_id": _ID, "subnet_id": _ID}}
_ROUTES: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"router": {"type": "object", "properties": {"routes": {"type": "array"}}, "required": ["routes"]}},
    "required": ["router"],
}
_GATEWAYS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"router": {"type": "object", "properties": {GATEWAYS: EVERY_GATEWAY.schema}}},
    "required": ["router"],
}
_ATOMIC: Final = "extraroute-atomic"
_SCHEDULER: Final = "l3_agent_scheduler"


def feature(parts: Parts) -> Feature:
    """Return the family of routers."""
    hosts = RouterHosts(parts.life)
    ports = RouterPorts(PortMaker(parts.settings, parts.chance, ()), hosts)
    routes, interfaces, gateways = ExtraRoutes(parts.settings.max_routes), Interfaces(ports), Gateways(ports)
    return Feature(
        extensions=_extensions(),
        resources=(
            Resource(
                "router",
                "routers",
                ATTRIBUTES,
                Routers(parts.chance, gateways, routes, hosts, parts.agents.availability_zone),
                RouterNotFound,
                is_taggable=True,
                quota="router",
                extension=ALIAS,
                table=routers,
            ),
        ),
        actions=(
            _action("add_router_interface", interfaces.add, ALIAS, _LINK),
            _action("remove_router_interface", interfaces.remove, ALIAS, _LINK),
            _action("add_extraroutes", routes.add, _ATOMIC, _ROUTES),
            _action("remove_extraroutes", routes.remove, _ATOMIC, _ROUTES),
            *_of_gateways(GatewayActions(gateways, routes)),
            *_on_agents(RouterScheduling(Agents(parts.life, lambda: datetime.now(UTC)), hosts)),
        ),
        port_aspects=(RoutersPorts(parts.obeys(ALIAS)),),
        subnet_aspects=(OuterSubnets(parts.chance, parts.obeys(ALIAS)),),
        quotas={"router": parts.quota.router},
    )


def _action(name: str, operation: Any, alias: str, schema: dict[str, Any]) -> Action:
    return Action("PUT", f"{_INSIDE}/{name}", operation, rule=name, extension=alias, body_schema=schema)


def _of_gateways(gateways: GatewayActions) -> tuple[Action, ...]:
    operations = {"add": gateways.add, "update": gateways.update, "remove": gateways.remove}
    return tuple(
        evolve(_action(f"{verb}_{GATEWAYS}", operation, MULTIHOMING, _GATEWAYS), ruled_attribute=GATEWAYS)
        for verb, operation in operations.items()
    )


def _on_agents(scheduling: RouterScheduling) -> tuple[Action, ...]:
    routers_on, agents_of = "agents/<agent_id>/l3-routers", "routers/<router_id>/l3-agents"
    one = {"type": "object", "properties": {"router_id": _ID}, "required": ["router_id"]}
    alias: dict[str, Any] = {"extension": _SCHEDULER}
    return (
        Action("GET", routers_on, scheduling.routers, writes=False, rule="get_l3-routers", **alias),
        Action("POST", routers_on, scheduling.add, status=201, rule="create_l3-router", body_schema=one, **alias),
        Action("DELETE", f"{routers_on}/<router_id>", scheduling.remove, rule="delete_l3-router", **alias),
        Action("GET", agents_of, scheduling.agents_of, writes=False, rule="get_l3-agents", **alias),
    )


def _extensions() -> tuple[Extension, ...]:
    return (
        Extension(
            ALIAS,
            "Neutron L3 Router",
            "Router abstraction for basic L3 forwarding between L2 Neutron networks and access to external networks "
            "via a NAT gateway.",
            "2012-07-20T10:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            FLAVORED,
            "Router Flavor Extension",
            "Flavor support for routers.",
            "2016-05-17T00:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            "ext-gw-mode",
            "Neutron L3 Configurable external gateway mode",
            "Extension of the router abstraction for specifying whether SNAT should occur on the external gateway",
            "2013-03-28T10:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            "extraroute",
            "Neutron Extra Route",
            "Extra routes configuration for L3 router",
            "2013-02-01T10:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            _ATOMIC,
            "Atomically add/remove extra routes",
            "Edit extra routes of a router on server side by atomically adding/removing extra routes",
            "2019-07-10T00:00:00+00:00",
            capability=ALIAS,
        ),
        Extension(
            MULTIHOMING,
            "Neutron L3 External Gateway Multihoming",
            "Allow multiple external gateway ports per router",
            "2023-01-18T00:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            BY_ECMP,
            "Enable Default Route ECMP",
            "Enables configurable ECMP behavior for default routes",
            "2023-02-27T00:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            BY_ZONE,
            "Router Availability Zone",
            "Availability zone support for router.",
            "2015-01-01T10:00:00-00:00",
            capability=ALIAS,
        ),
        Extension(
            _SCHEDULER,
            "L3 Agent Scheduler",
            "Schedule routers among l3 agents",
            "2013-02-07T10:00:00-00:00",
            capability=ALIAS,
        ),
    )

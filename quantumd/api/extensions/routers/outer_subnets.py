"""What routers have to do with new subnets outside: one without IPv6 there gets an address, as in Neutron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import bindparam, select
from zope.interface import implementer

from quantumd.api.aspects import AddsNothing, IAspect, View
from quantumd.api.extensions.routers.rows import ROUTERS, gateways_shown, links_of
from quantumd.api.resources.allocation import Vacancies, addresses_of
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.facts import SubnetFacts, forget_network, network_facts
from quantumd.api.resources.port_reading import port_of
from quantumd.api.resources.port_rows import change_port
from quantumd.model.context import Context
from quantumd.model.port import serving
from quantumd.model.router import GATEWAY, INTERFACE, PORT_OWNERS, overlap
from quantumd.store.tables import ports, subnets
from quantumd.store.tables.routers import router_ports
from quantumd.store.transaction import Transaction

_BY_ITSELF: Final = Context(request_id="", roles=frozenset({"admin"}))
_NETWORK = select(subnets.c.network_id).where(subnets.c.id == bindparam("wanted"))
_GATEWAYS = (
    select(router_ports.c.router_id, router_ports.c.port_id)
    .join(ports, ports.c.id == router_ports.c.port_id)
    .where(ports.c.network_id == bindparam("wanted"), router_ports.c.kind == GATEWAY)
    .order_by(router_ports.c.router_id, router_ports.c.ordinal)
)
_ENOUGH: Final = 2
"""A gateway with so many addresses that were chosen for it gets none by itself."""


@implementer(IAspect)
@frozen
class OuterSubnets(AddsNothing):
    """Adds nothing to subnets. ``is_served``: whether there are routers.

    Where ports compute their addresses gateways have theirs without this; of IPv4 the one that they have is enough.
    """

    chance: Chance
    is_served: bool

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect: of a new subnet."""
        network_id = tx.connection.execute(_NETWORK, {"wanted": resource_id}).scalar_one()
        forget_network(tx, network_id)
        network = network_facts(tx, network_id)
        subnet = network.subnet(resource_id) if network is not None and network.is_external else None
        if subnet is None or not self.is_served or not _is_for_gateways(subnet):
            return
        computed = {each.id for each in network.subnets if each.is_auto_address} if network is not None else set()
        for router_id, port_id in tx.connection.execute(_GATEWAYS, {"wanted": network_id}).all():
            chosen = [each for each in addresses_of(tx, port_id) if each.subnet_id not in computed]
            if len(chosen) < _ENOUGH and all(each.ip_version != 6 for each in chosen):
                self._follow(tx, router_id, port_id, subnet)

    def _follow(self, tx: Transaction, router_id: str, port_id: str, subnet: SubnetFacts) -> None:
        port = port_of(tx.connection, (), port_id)
        inside = [link for links in links_of(tx, router_id, INTERFACE).values() for link in links]
        if port is None or overlap(inside, subnet.id, subnet.cidr) is not None:
            return
        address = Vacancies(tx, self.chance.bits).take(subnet)
        if address is not None:
            before = ROUTERS.show(tx.connection, _BY_ITSELF, router_id)
            change_port(tx, _BY_ITSELF.request_id, port, {}, (*addresses_of(tx, port_id), address))
            ROUTERS.change(tx, _BY_ITSELF, before, _gateways(tx, before))


def _gateways(tx: Transaction, router: Mapping[str, Any]) -> View:
    gateway = router["external_gateway_info"] or {}
    return gateways_shown(tx, router["id"], bool(gateway.get("enable_snat", True)))


def _is_for_gateways(subnet: SubnetFacts) -> bool:
    return subnet.ip_version == 6 and not subnet.is_auto_address and bool(serving((subnet,), PORT_OWNERS[GATEWAY]))

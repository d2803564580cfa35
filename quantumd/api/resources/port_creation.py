"""Making ports: one, or many of one request with one search for addresses and one write for all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy.exc import IntegrityError

from quantumd.api.aspects import IAspect
from quantumd.api.resources.allocation import Address, Vacancies, shown_addresses
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.errors import (
    IpAddressAlreadyAllocated,
    MacAddressGenerationFailure,
    MacAddressInUse,
    NetworkNotFound,
)
from quantumd.api.resources.facts import network_facts
from quantumd.api.resources.port_addresses import Wish, chosen_addresses, computed_addresses, wish_of
from quantumd.api.resources.port_binding import bound
from quantumd.api.resources.port_rows import (
    ATTEMPTS,
    insert_ports,
    is_mac_taken,
    new_port_view,
    owner_of_address,
    settled,
)
from quantumd.api.resources.port_rules import port_security_of, require_free_choice, require_groups_allowed
from quantumd.api.resources.tags import set_tags
from quantumd.api.resources.views import View
from quantumd.config import NetworkSettings
from quantumd.model.binding import physical_mac, told_profile
from quantumd.model.context import Context, Scope
from quantumd.model.host_life import HostLife
from quantumd.model.macs import GENERATED_BITS, generate_mac
from quantumd.store.transaction import Transaction

Settled = list[tuple[IAspect, View]]
"""What each aspect said of its own attributes."""


@frozen
class Plan:
    """A port to be made: what was asked for, and what decides its addresses. ``mac`` of None: any."""

    body: Mapping[str, Any]
    wish: Wish
    mac: str | None


def settle(
    aspects: Sequence[IAspect],
    tx: Transaction,
    context: Context,
    named: Mapping[str, Any],
    before: View | None,
    view: View,
) -> Settled:
    """Ask every aspect for its attributes and put them into the view. ApiError."""
    found: Settled = []
    for aspect in aspects:
        values = aspect.settle(tx, context, named, before, view)
        if values:
            view |= values
            found.append((aspect, values))
    return found


@frozen
class PortMaker:
    """Makes ports, for requests and for the parts of the service that need some. ``life``: see binding_for."""

    settings: NetworkSettings
    chance: Chance
    aspects: tuple[IAspect, ...]
    life: HostLife | None = None

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """Make all or none; bodies are what the attribute map made of a request. ApiError."""
        scope = context.scope_of("network")
        plans = [self._plan(tx, context, scope, body) for body in bodies]
        if len(plans) > 1:
            try:
                with tx.savepoint():
                    return self._write(tx, context, plans)
            except IntegrityError:
                # Something of them is taken: one by one it shows of which port.
                pass
        return [self._settled(tx, context, plan) for plan in plans]

    def _plan(self, tx: Transaction, context: Context, scope: Scope, body: Mapping[str, Any]) -> Plan:
        network = network_facts(tx, body["network_id"])
        if network is None or not network.is_visible(scope):
            raise NetworkNotFound(body["network_id"])
        require_free_choice(context, network, body, "create_port")
        host, limit = body["binding:host_id"], self.settings.max_fixed_ips_per_port
        wish = wish_of(tx, network, body["device_owner"], host, body.get("fixed_ips"), limit)
        mac = physical_mac(host, body["binding:vnic_type"], body["binding:profile"]) or body.get("mac_address")
        return Plan(body, wish, mac)

    def _settled(self, tx: Transaction, context: Context, plan: Plan) -> View:
        network_id = plan.wish.network.id

        def explain() -> None:
            computed = () if plan.mac is None else computed_addresses(plan.wish, plan.mac)
            explain_taken(tx, network_id, plan.mac, (*plan.wish.named, *computed))

        def attempt() -> View:
            return self._write(tx, context, (plan,))[0]

        return settled(tx, attempt, explain, MacAddressGenerationFailure(network_id))

    def _write(self, tx: Transaction, context: Context, plans: Sequence[Plan]) -> list[View]:
        """Write the ports. IntegrityError when something of them is taken."""
        vacancies = Vacancies(tx, self.chance.bits, len(plans))
        for plan in plans:
            vacancies.speak_for(plan.wish.named)
        new, owned = [], []
        macs = {plan.mac for plan in plans}
        for plan in plans:
            mac = plan.mac or self.new_mac(macs)
            macs.add(mac)
            addresses = chosen_addresses(plan.wish, mac, vacancies)
            view = self._new_view(tx, plan, mac, addresses)
            require_groups_allowed(plan.body, None, view)
            owned.append((view["id"], settle(self.aspects, tx, context, plan.body, None, view)))
            new.append((view, addresses))
        insert_ports(tx, context.request_id, new)
        for port_id, values_of in owned:
            for aspect, values in values_of:
                aspect.store(tx, port_id, values)
        for view, _ in new:
            if view["tags"]:
                set_tags(tx, view["id"], view["tags"])
        return [view for view, _ in new]

    def new_mac(self, besides: Collection[str | None] = ()) -> str:
        """Return a MAC address that is probably free, and none of ``besides`` unless chance insists on it."""
        found = ""
        for _ in range(ATTEMPTS):
            found = generate_mac(self.settings.mac_base, self.chance.bits(GENERATED_BITS))
            if found not in besides:
                break
        return found

    def _new_view(self, tx: Transaction, plan: Plan, mac_address: str, addresses: Sequence[Address]) -> View:
        body = plan.body
        view = new_port_view(
            id=self.chance.new_id(),
            name=body["name"],
            network_id=body["network_id"],
            project_id=body["project_id"],
            mac_address=mac_address,
            admin_state_up=body["admin_state_up"],
            device_id=body["device_id"],
            device_owner=body["device_owner"],
            description=body["description"],
            fixed_ips=shown_addresses(addresses),
            ip_allocation=plan.wish.ip_allocation,
            port_security_enabled=port_security_of(body, plan.wish.network),
            tags=sorted(set(body.get("tags") or ())),
            created_at=tx.now,
            updated_at=tx.now,
        )
        of_network = plan.wish.network.segments
        view |= bound(tx, body["binding:host_id"], body["binding:vnic_type"], self.life, of_network)
        view["binding:profile"] = told_profile(
            body["binding:profile"], body.get("trusted"), body.get("hardware_offload_type")
        )
        return view


def explain_taken(
    tx: Transaction, network_id: str, mac: str | None, addresses: Sequence[Address], own_id: str | None = None
) -> None:
    """Raise when a MAC or address that the caller named is taken; return when a generated one was.

    :raises MacAddressInUse, IpAddressAlreadyAllocated: it is.
    """
    if mac is not None and is_mac_taken(tx, network_id, mac):
        raise MacAddressInUse(network_id, mac)
    for address in addresses:
        if owner_of_address(tx, address) not in (None, own_id):
            raise IpAddressAlreadyAllocated(address.text, address.subnet_id)

"""Changing ports by the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from twisted.logger import Logger

from quantumd.api.aspects import IAspect
from quantumd.api.resources.allocation import Address, Vacancies, addresses_of, shown_addresses
from quantumd.api.resources.chance import Chance, system_chance
from quantumd.api.resources.errors import MacAddressGenerationFailure, NetworkNotFound
from quantumd.api.resources.facts import NetworkFacts, network_facts
from quantumd.api.resources.guarantees import require_room_for
from quantumd.api.resources.host_segments import segments_of_host
from quantumd.api.resources.port_addresses import Wish, chosen_addresses, computed_addresses, wish_of, with_mac
from quantumd.api.resources.port_binding import rebound
from quantumd.api.resources.port_creation import PortMaker, explain_taken, settle
from quantumd.api.resources.port_errors import HostNotCompatibleWithFixedIps
from quantumd.api.resources.port_reading import port_of
from quantumd.api.resources.port_rows import change_port, settled
from quantumd.api.resources.port_rules import (
    require_changeable,
    require_free_choice,
    require_groups_allowed,
    require_still_addresses,
    require_still_trusted,
)
from quantumd.api.resources.views import View
from quantumd.config import NetworkSettings
from quantumd.errors import ApiError
from quantumd.model.binding import PHYSICAL, physical_mac, told_profile
from quantumd.model.context import Context
from quantumd.model.host_life import HostLife
from quantumd.model.port import DEFERRED, is_dhcp_port
from quantumd.model.status import DOWN
from quantumd.store.transaction import Transaction

_log = Logger()

_ANY = None
"""A MAC address in a change that is to be generated."""


@frozen
class PortChanger:
    """Changes ports as requests ask. ``life``: see binding_for."""

    settings: NetworkSettings
    chance: Chance
    aspects: tuple[IAspect, ...]
    life: HostLife | None = None

    def change(self, tx: Transaction, context: Context, before: View, changes: Mapping[str, Any]) -> View:
        """Make the changes, which are what the attribute map made of a request; return the new view. ApiError."""
        network = network_facts(tx, before["network_id"])
        if network is None:
            raise NetworkNotFound(before["network_id"])
        named = {name: value for name, value in changes.items() if name not in before or before[name] != value}
        require_changeable(before, named)
        require_free_choice(context, network, named, "update_port")
        require_still_trusted(context, network, before, named)
        followed = _followed(tx, before, changes, named, self.life)
        return self._settled(tx, context, network, before, changes, {**named, **followed})

    def _settled(
        self,
        tx: Transaction,
        context: Context,
        network: NetworkFacts,
        before: View,
        changes: Mapping[str, Any],
        named: dict[str, Any],
    ) -> View:
        had = addresses_of(tx, before["id"])
        wish = self._wish(tx, network, before, named, had)
        fixed_mac = named.get("mac_address", _ANY)

        def attempt() -> View:
            mac = self._mac(before, named)
            addresses = None
            if wish is not None:
                addresses = chosen_addresses(wish, mac, Vacancies(tx, self.chance.bits), had)
                require_still_addresses(before, had, addresses)
            return self._write(tx, context, before, changes, {**named, "mac_address": mac}, addresses)

        def explain() -> None:
            addresses = () if wish is None else wish.named
            computed = () if wish is None or fixed_mac is None else computed_addresses(wish, fixed_mac)
            explain_taken(tx, network.id, fixed_mac, (*addresses, *computed), before["id"])

        return settled(tx, attempt, explain, MacAddressGenerationFailure(network.id))

    def _mac(self, before: View, named: Mapping[str, Any]) -> str:
        if "mac_address" not in named:
            return str(before["mac_address"])
        maker = PortMaker(self.settings, self.chance, self.aspects)
        return str(named["mac_address"] or maker.new_mac())

    def _write(
        self,
        tx: Transaction,
        context: Context,
        before: View,
        changes: Mapping[str, Any],
        named: Mapping[str, Any],
        addresses: tuple[Address, ...] | None,
    ) -> View:
        of_aspects = {attribute.name for aspect in self.aspects for attribute in aspect.attributes}
        view = {**before, **{name: value for name, value in named.items() if name not in of_aspects}}
        view["fixed_ips"] = before["fixed_ips"] if addresses is None else shown_addresses(addresses)
        require_groups_allowed(changes, before, view)
        found = settle(self.aspects, tx, context, changes, before, view)
        after, _ = change_port(tx, context.request_id, before, view, addresses)
        for aspect, values in found:
            aspect.store(tx, before["id"], values)
        return after

    def _wish(
        self,
        tx: Transaction,
        network: NetworkFacts,
        before: View,
        named: Mapping[str, Any],
        had: tuple[Address, ...],
    ) -> Wish | None:
        """Return what decides the port's addresses anew; None when they stay."""
        owner = named.get("device_owner", before["device_owner"])
        host = named.get("binding:host_id", before["binding:host_id"])
        limit = self.settings.max_fixed_ips_per_port
        if is_dhcp_port(before["device_owner"]):
            return None
        if "fixed_ips" in named:
            return wish_of(tx, network, owner, host, named["fixed_ips"], limit)
        is_moved = bool(host) and host != before["binding:host_id"]
        if is_moved and not had and before["ip_allocation"] == DEFERRED:
            return wish_of(tx, network, owner, host, None, limit)
        if is_moved:
            require_reached(tx, network, before["id"], host, had)
        if "mac_address" in named and any(subnet.is_auto_address for subnet in network.subnets):
            return with_mac(wish_of(tx, network, owner, host, (), limit), had)
        return None


def _followed(
    tx: Transaction, before: View, changes: Mapping[str, Any], named: Mapping[str, Any], life: HostLife | None
) -> dict[str, Any]:
    """Return what else changes with what is named: binding, status, profile, the MAC of a whole device."""
    found: dict[str, Any] = {}
    if {"binding:profile", "trusted"} & named.keys():
        profile = named.get("binding:profile", before["binding:profile"])
        trusted = named.get("trusted", before["trusted"])
        found["binding:profile"] = told_profile(profile, trusted, before["hardware_offload_type"])
    # Binding is tried again whenever a host is named, also the same one: it may have become known meanwhile.
    if "binding:host_id" in changes or "binding:vnic_type" in named:
        found |= rebound(tx, before, changes, life)
    if named.get("admin_state_up") is False:
        found["status"] = DOWN
    if {"binding:host_id", "binding:vnic_type", "binding:profile"} & (named.keys() | found.keys()):
        found |= _physical(before, {**before, **named, **found})
    return found


def _physical(before: View, after: View) -> dict[str, Any]:
    """Return the MAC of the device that the port becomes; one that is no longer a device is given another."""
    if PHYSICAL not in (before["binding:vnic_type"], after["binding:vnic_type"]):
        return {}
    mac = physical_mac(after["binding:host_id"], after["binding:vnic_type"], after["binding:profile"])
    if mac is not None:
        return {"mac_address": mac} if mac != before["mac_address"] else {}
    return {"mac_address": _ANY} if before["binding:host_id"] and not after["binding:host_id"] else {}


def require_reached(tx: Transaction, network: NetworkFacts, port_id: str, host: str, had: tuple[Address, ...]) -> None:
    """Refuse a host on whose segments the port's addresses do not work. HostNotCompatibleWithFixedIps."""
    segments = {subnet.id: subnet.segment_id for subnet in network.subnets if subnet.segment_id is not None}
    if not segments:
        return
    reached = segments_of_host(tx, network, host)
    if any(segments.get(each.subnet_id, "") not in reached for each in had if each.subnet_id in segments):
        raise HostNotCompatibleWithFixedIps(host, port_id)


def bind_plugged(tx: Transaction, context: Context, port_id: str, host: str) -> bool:
    """Bind an unbound port to the host on which its device was plugged; return whether it was unbound.

    A port that is gone, bound already, or a DHCP port stays as it is, and so does one for which the host's segment has
    no address, or the host no room for what it is guaranteed: what was plugged then stays dead.
    """
    before = port_of(tx.connection, (), port_id)
    if before is None or before["binding:host_id"] or is_dhcp_port(before["device_owner"]):
        return False
    addresses = None
    if before["ip_allocation"] == DEFERRED and not before["fixed_ips"]:
        addresses = _awaited_addresses(tx, before, host)
        if addresses is None:
            return False
    if not _has_room(tx, port_id, host):
        return False
    # The host has just reported the port, so it is alive.
    bound_there = rebound(tx, before, {"binding:host_id": host}, None)
    change_port(tx, context.request_id, before, bound_there, addresses)
    return True


def _has_room(tx: Transaction, port_id: str, host: str) -> bool:
    try:
        require_room_for(tx, port_id, host)
    except ApiError as error:
        _log.warn("port {port} is not bound to {host}: {why}", port=port_id, host=host, why=str(error))
        return False
    return True


def _awaited_addresses(tx: Transaction, port: View, host: str) -> tuple[Address, ...] | None:
    network = network_facts(tx, port["network_id"])
    if network is None:
        return None
    try:
        wish = wish_of(tx, network, port["device_owner"], host, None, limit=0)
        return chosen_addresses(wish, port["mac_address"], Vacancies(tx, system_chance().bits))
    except ApiError:
        return None

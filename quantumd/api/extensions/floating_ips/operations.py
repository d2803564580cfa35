"""Floating IPs: addresses of external networks that lead to ports inside."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.dns.attributes import DOMAIN, NAME, check_floating_name
from quantumd.api.extensions.external_net.facts import external_network
from quantumd.api.extensions.floating_ips.association import association
from quantumd.api.extensions.floating_ips.details import add_details
from quantumd.api.extensions.floating_ips.errors import ExternalIpAddressExhausted
from quantumd.api.extensions.floating_ips.rows import (
    FLOATING_IPS,
    NOWHERE,
    change_floating_ip,
    led_now,
    port_of_floating_ip,
)
from quantumd.api.extensions.port_forwardings.errors import FipInUseByPortForwarding
from quantumd.api.extensions.port_forwardings.rows import has_forwardings, show_forwardings
from quantumd.api.extensions.qos.aspects import OWN
from quantumd.api.extensions.qos.outside import ON_FLOATING_IPS, policies_of_new, put_policy
from quantumd.api.resource import Query
from quantumd.api.resources.errors import IpAddressGenerationFailure
from quantumd.api.resources.facts import NetworkFacts
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.port_addresses import FixedIps
from quantumd.api.resources.port_creation import PortMaker
from quantumd.api.resources.port_reading import port_of
from quantumd.api.resources.port_rows import remove_port
from quantumd.api.resources.views import View
from quantumd.model.binding import NORMAL
from quantumd.model.context import Context
from quantumd.model.port import serving
from quantumd.model.status import DOWN
from quantumd.store.transaction import Transaction

OWNER = "network:floatingip"
"""device_owner of the port that holds the address on the external network."""


@frozen
class FloatingIps(KeptAsRows):
    """Operations on floating IPs. What makes them ACTIVE is what the hosts of their routers report."""

    rows: ClassVar = FLOATING_IPS
    maker: PortMaker

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows.

        :raises NetworkNotFound, BadRequest, ExternalIpAddressExhausted: no address can come from there.
        Other errors are those of addresses and of ``association``.
        """
        check_floating_name(body[NAME], body[DOMAIN])
        network = _outside(tx, context, body["floating_network_id"])
        floating_ip_id = self.maker.chance.new_id()
        port = self._port(tx, context, network, floating_ip_id, body)
        address = _of_version_4(network, port)
        view = {
            "id": floating_ip_id,
            "project_id": body["project_id"],
            "description": body["description"],
            "floating_network_id": network.id,
            "floating_ip_address": address,
            NAME: body[NAME],
            DOMAIN: body[DOMAIN],
            **NOWHERE,
            **policies_of_new(tx, context, network.id, body[OWN]),
        }
        led = association(tx, context, view, body["port_id"], body["fixed_ip_address"])
        row = {**view, **led, "status": DOWN, "floating_port_id": port["id"]}
        add_details(tx.connection, context, {floating_ip_id: row})
        FLOATING_IPS.insert(tx, context, row)
        if body[OWN] is not None:
            ON_FLOATING_IPS.put(tx, floating_ip_id, body[OWN])
        led_now(tx, floating_ip_id)
        return self.show(tx.connection, context, floating_ip_id)

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. FipInUseByPortForwarding; other errors are those of ``association``."""
        before = FLOATING_IPS.show(tx.connection, context, resource_id)
        changed = dict(changes)
        changed.pop(OWN, None)
        changed |= put_policy(tx, context, before, changes)
        port_id, address = changed.pop("port_id", None), changed.pop("fixed_ip_address", None)
        if port_id is not None and has_forwardings(tx, resource_id):
            raise FipInUseByPortForwarding(resource_id)
        leads = association(tx, context, before, port_id, address)
        # Where it forwards ports it leads to no port as a whole, and stays at its router.
        if port_id is not None or ("port_id" in changes and before["port_id"] is not None):
            changed |= leads
        return self._whole(tx, change_floating_ip(tx, context, before, changed))

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. FipInUseByPortForwarding."""
        before = FLOATING_IPS.show(tx.connection, context, resource_id)
        if has_forwardings(tx, resource_id):
            raise FipInUseByPortForwarding(resource_id)
        port = port_of(tx.connection, (), port_of_floating_ip(tx, resource_id))
        FLOATING_IPS.remove(tx, context, before)
        if port is not None:
            remove_port(tx, context.request_id, port)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        view = FLOATING_IPS.show(connection, context, resource_id)
        show_forwardings(connection, (view,))
        return view

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        for views in FLOATING_IPS.list(connection, context, query):
            show_forwardings(connection, views)
            yield views

    def _whole(self, tx: Transaction, view: View) -> View:
        show_forwardings(tx.connection, (view,))
        return view

    def _port(
        self, tx: Transaction, context: Context, network: NetworkFacts, floating_ip_id: str, body: Mapping[str, Any]
    ) -> View:
        """Make the port that holds the address. It belongs to no project.

        Of several subnets that it may be taken from the first with room gives it.
        """
        port: dict[str, Any] = {
            "name": "",
            "description": "",
            "network_id": network.id,
            "project_id": "",
            "admin_state_up": True,
            "device_id": floating_ip_id,
            "device_owner": OWNER,
            "binding:host_id": "",
            "binding:vnic_type": NORMAL,
            "binding:profile": {},
        }
        *others, last = _choices(network, body)
        for choice in others:
            with suppress(IpAddressGenerationFailure):
                return self.maker.create(tx, context.elevated, ({**port, "fixed_ips": choice},))[0]
        return self.maker.create(tx, context.elevated, ({**port, "fixed_ips": last},))[0]


def _choices(network: NetworkFacts, body: Mapping[str, Any]) -> Sequence[FixedIps | None]:
    """Return what may be asked for, first things first: what is named, else an address of any subnet of IPv4."""
    named = {"ip_address": body["floating_ip_address"], "subnet_id": body["subnet_id"]}
    wanted = {name: value for name, value in named.items() if value is not None}
    if wanted:
        return ((wanted,),)
    of_version_4 = [subnet for subnet in serving(network.subnets, OWNER) if subnet.ip_version == 4]
    return [({"subnet_id": subnet.id},) for subnet in of_version_4] or (None,)


def _of_version_4(network: NetworkFacts, port: View) -> str:
    """Return the IPv4 address of the port. ExternalIpAddressExhausted: it got another one."""
    addresses: list[str] = [each["ip_address"] for each in port["fixed_ips"]]
    found = next((each for each in addresses if ip_address(each).version == 4), None)
    if found is None:
        raise ExternalIpAddressExhausted(network.id)
    return found


def _outside(tx: Transaction, context: Context, network_id: str) -> NetworkFacts:
    inner = BadRequest("floatingip", f"Network {network_id} is not a valid external network")
    network = external_network(tx, context, network_id, inner)
    if all(subnet.ip_version != 4 for subnet in network.subnets):
        raise BadRequest("floatingip", f"Network {network.id} does not contain any IPv4 subnet")
    return network

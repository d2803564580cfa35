"""The distributed DHCP port of a network: there while a subnet is served, with an address on each that is.

It is made and edited in the transaction that changes the subnets, so hosts never see one without the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from sqlalchemy import bindparam

from quantumd.api.extensions.quotas.counts import forget_count
from quantumd.api.resources.allocation import Address, addresses_of, lowest_free_address, shown_addresses
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.errors import IpAddressGenerationFailure, MacAddressGenerationFailure
from quantumd.api.resources.facts import NetworkFacts, SubnetFacts
from quantumd.api.resources.port_rows import change_port, insert_port, new_port_view, remove_port, settled
from quantumd.api.resources.port_views import PORT_ROW, fixed_ips_of, port_view
from quantumd.api.resources.views import View
from quantumd.config import NetworkSettings
from quantumd.model.addresses import eui64_number
from quantumd.model.binding import DISTRIBUTED
from quantumd.model.macs import GENERATED_BITS, generate_mac
from quantumd.model.nouns import DHCP_OWNER
from quantumd.model.port import dhcp_device_id, is_dhcp_port
from quantumd.store.tables import ports
from quantumd.store.transaction import Transaction

_OF_DEVICE = PORT_ROW.where(ports.c.device_id == bindparam("wanted"))


def dhcp_port_of(tx: Transaction, network_id: str) -> View | None:
    """Return the view of the network's DHCP port, None while it has none."""
    rows = tx.connection.execute(_OF_DEVICE, {"wanted": dhcp_device_id(network_id)})
    row = next((row for row in rows if is_dhcp_port(row.device_owner)), None)
    return None if row is None else port_view(row, fixed_ips_of(tx.connection, (row.id,))[row.id])


@frozen
class DhcpPorts:
    """Keeps each network's DHCP port what its subnets ask for."""

    settings: NetworkSettings
    chance: Chance

    def follow(self, tx: Transaction, request_id: str, network: NetworkFacts) -> int | None:
        """Make, edit or delete the DHCP port of the network; return the journal position, None when nothing changed.

        :param network: with the subnets as they are from now on.
        :raises IpAddressGenerationFailure: a served subnet has no address left for it.
        """
        served = [subnet for subnet in network.subnets if subnet.is_served]
        before = dhcp_port_of(tx, network.id)
        if not served:
            return None if before is None else remove_port(tx, request_id, before)
        if before is None:
            return self._create(tx, request_id, network)
        had = addresses_of(tx, before["id"])
        return change_port(tx, request_id, before, {}, _addresses(tx, network, before["mac_address"], had))[1]

    def _create(self, tx: Transaction, request_id: str, network: NetworkFacts) -> int:
        def attempt() -> int:
            mac = generate_mac(self.settings.mac_base, self.chance.bits(GENERATED_BITS))
            addresses = _addresses(tx, network, mac)
            return insert_port(tx, request_id, self._new_view(tx, network, mac, addresses), addresses)

        # It counts as a port of the network's project, though nobody asked for it.
        forget_count(tx, "port", network.project_id)
        return settled(tx, attempt, lambda: None, MacAddressGenerationFailure(network.id))

    def _new_view(self, tx: Transaction, network: NetworkFacts, mac: str, addresses: Sequence[Address]) -> View:
        view = new_port_view(
            id=self.chance.new_id(),
            network_id=network.id,
            project_id=network.project_id,
            mac_address=mac,
            device_id=dhcp_device_id(network.id),
            device_owner=DHCP_OWNER,
            fixed_ips=shown_addresses(addresses),
            port_security_enabled=False,
            created_at=tx.now,
            updated_at=tx.now,
        )
        return {**view, "binding:vif_type": DISTRIBUTED}


def _addresses(
    tx: Transaction, network: NetworkFacts, mac_address: str, had: Sequence[Address] = ()
) -> tuple[Address, ...]:
    """Return one address on each served subnet: the one that the port has, else a new one."""
    by_subnet = {address.subnet_id: address for address in had}
    chosen = []
    for subnet in network.subnets:
        if subnet.is_served:
            found = by_subnet.get(subnet.id) or _new_address(tx, subnet, mac_address)
            if found is None:
                raise IpAddressGenerationFailure(network.id)
            chosen.append(found)
    return tuple(chosen)


def _new_address(tx: Transaction, subnet: SubnetFacts, mac_address: str) -> Address | None:
    """Return the lowest free address, or the computed one where every port computes its own; None when all are used."""
    if subnet.is_auto_address:
        return Address(subnet.id, subnet.ip_version, eui64_number(subnet.cidr, mac_address))
    return lowest_free_address(tx, subnet)

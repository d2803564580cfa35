"""Which addresses a port gets: those it names, those it has, and free ones for the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from attrs import frozen
from sqlalchemy import bindparam, insert, select

from quantumd.api.errors import InvalidInput
from quantumd.api.resources.errors import InvalidIpForNetwork, InvalidIpForSubnet, IpAddressGenerationFailure
from quantumd.api.resources.facts import NetworkFacts, SubnetFacts
from quantumd.api.resources.prepared import Prepared
from quantumd.model.addresses import Pool, address_text, choose_address, ip_key, is_port_address, prefix_of
from quantumd.model.port import automatic_choices
from quantumd.store.tables import ip_allocations
from quantumd.store.transaction import Transaction

RANDOM_BITS = 64
"""How many random bits choose where the search for a free address begins."""


@frozen
class Address:
    """An address that a port has or gets."""

    subnet_id: str
    ip_version: int
    number: int

    @property
    def key(self) -> str:
        """The ``ip_key`` of the address."""
        return ip_key(self.ip_version, self.number)

    @property
    def text(self) -> str:
        """The canonical text of the address."""
        return address_text(self.ip_version, self.number)


@frozen
class Demand:
    """One item of a request's fixed_ips: an address, or a subnet to choose one from."""

    subnet: SubnetFacts
    address: Address | None


def demands_of(network: NetworkFacts, fixed_ips: Sequence[Mapping[str, str]], limit: int) -> tuple[Demand, ...]:
    """Return what the request's fixed_ips ask for. InvalidInput, InvalidIpForNetwork or InvalidIpForSubnet."""
    if len(fixed_ips) > limit:
        raise InvalidInput("Exceeded maximum amount of fixed ips per port")
    demands = tuple(_demand(network, item) for item in fixed_ips)
    named = [demand.address for demand in demands if demand.address is not None]
    for index, address in enumerate(named):
        if address in named[:index]:
            raise InvalidInput(f"Duplicate IP address '{address.text}'")
    return demands


def _demand(network: NetworkFacts, item: Mapping[str, str]) -> Demand:
    subnet_id, text = item.get("subnet_id"), item.get("ip_address")
    if subnet_id is None:
        return _by_address(network, text or "")
    subnet = network.subnet(subnet_id)
    if subnet is None:
        raise InvalidInput(
            f"Failed to create port on network {network.id}, because fixed_ips included invalid subnet {subnet_id}"
        )
    if text is None:
        return Demand(subnet, None)
    if not is_port_address(subnet.cidr, text):
        raise InvalidIpForSubnet(text)
    return Demand(subnet, _address(subnet, text))


def _by_address(network: NetworkFacts, text: str) -> Demand:
    parsed = ip_address(text)
    subnet = next((each for each in network.subnets if parsed in prefix_of(each.cidr)), None)
    if subnet is None:
        raise InvalidIpForNetwork(text)
    if not is_port_address(subnet.cidr, text):
        raise InvalidIpForSubnet(text)
    return Demand(subnet, _address(subnet, text))


def _address(subnet: SubnetFacts, text: str) -> Address:
    return Address(subnet.id, subnet.ip_version, int(ip_address(text)))


_TAKEN = Prepared(
    select(ip_allocations.c.ip_key).where(
        ip_allocations.c.subnet_id == bindparam("subnet"),
        ip_allocations.c.ip_key >= bindparam("first"),
        ip_allocations.c.ip_key <= bindparam("last"),
    )
)


def free_address(tx: Transaction, subnet: SubnetFacts, start: int, besides: Collection[Address] = ()) -> Address | None:
    """Return a free address of the subnet's pools, looking from the ``start``-th on; None when there is none.

    :param besides: addresses that are spoken for by the same request.
    """
    spoken_for = {address.number for address in besides if address.subnet_id == subnet.id}

    def taken_within(window: Pool) -> set[int]:
        keys = {
            "subnet": subnet.id,
            "first": ip_key(window.version, window.first),
            "last": ip_key(window.version, window.last),
        }
        return spoken_for.union([int(key, 16) for (key,) in _TAKEN.rows(tx, keys)])

    number = choose_address(subnet.pools, taken_within, start)
    return None if number is None else Address(subnet.id, subnet.ip_version, number)


def automatic_addresses(tx: Transaction, network: NetworkFacts, bits: Callable[[int], int]) -> tuple[Address, ...]:
    """Return one free address of each IP version that the network has subnets of. IpAddressGenerationFailure."""
    chosen = []
    for group in automatic_choices(network.subnets):
        found = next(filter(None, (free_address(tx, subnet, bits(RANDOM_BITS)) for subnet in group)), None)
        if found is None:
            raise IpAddressGenerationFailure(network.id)
        chosen.append(found)
    return tuple(chosen)


def demanded_addresses(
    tx: Transaction,
    network: NetworkFacts,
    demands: Sequence[Demand],
    bits: Callable[[int], int],
    had: Sequence[Address] = (),
) -> tuple[Address, ...]:
    """Return an address for each demand, in order. IpAddressGenerationFailure.

    :param had: what the port has now: an address of it stays where the demand leaves the choice open.
    """
    named = [demand.address for demand in demands if demand.address is not None]
    spare = [address for address in had if address not in named]
    chosen: list[Address] = []
    for demand in demands:
        if demand.address is not None:
            chosen.append(demand.address)
            continue
        kept = next((address for address in spare if address.subnet_id == demand.subnet.id), None)
        if kept is not None:
            spare.remove(kept)
        found = kept or free_address(tx, demand.subnet, bits(RANDOM_BITS), besides=(*named, *chosen))
        if found is None:
            raise IpAddressGenerationFailure(network.id)
        chosen.append(found)
    return tuple(chosen)


_INSERT = Prepared(insert(ip_allocations))


def write_addresses(tx: Transaction, owned: Iterable[tuple[str, Sequence[Address]]]) -> None:
    """Insert the addresses of ports, each a port's id and its addresses in order. IntegrityError when one is taken."""
    rows = [_row(port_id, ordinal, each) for port_id, addresses in owned for ordinal, each in enumerate(addresses)]
    if rows:
        _INSERT.write(tx, rows)


def _row(port_id: str, ordinal: int, address: Address) -> dict[str, Any]:
    return {
        "subnet_id": address.subnet_id,
        "ip_key": address.key,
        "port_id": port_id,
        "ordinal": ordinal,
        "ip_address": address.text,
    }


_OF_PORT = (
    select(ip_allocations.c.subnet_id, ip_allocations.c.ip_key)
    .where(ip_allocations.c.port_id == bindparam("wanted"))
    .order_by(ip_allocations.c.ordinal)
)


def addresses_of(tx: Transaction, port_id: str) -> tuple[Address, ...]:
    """Return the addresses that the port has, in order."""
    rows = tx.connection.execute(_OF_PORT, {"wanted": port_id})
    return tuple(Address(subnet_id, 4 if len(key) == 8 else 6, int(key, 16)) for subnet_id, key in rows)


def shown_addresses(addresses: Sequence[Address]) -> list[dict[str, str]]:
    """Return addresses as ``fixed_ips`` shows them."""
    return [{"subnet_id": address.subnet_id, "ip_address": address.text} for address in addresses]

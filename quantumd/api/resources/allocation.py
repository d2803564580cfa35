"""Addresses of ports in the database: what a subnet has free, what a port has. No rules here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from ipaddress import ip_address
from typing import Any

from attrs import Factory, define, field, frozen
from sqlalchemy import bindparam, func, insert, select

from quantumd.api.resources.facts import SubnetFacts
from quantumd.api.resources.prepared import Prepared
from quantumd.model.addresses import Pool, address_text, ip_key
from quantumd.model.free_addresses import PROBES, Occupancy, free_numbers
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


def address_on(subnet: SubnetFacts, text: str) -> Address:
    """Return the address of this text as one of the subnet."""
    return Address(subnet.id, subnet.ip_version, int(ip_address(text)))


_RANGE = (
    ip_allocations.c.subnet_id == bindparam("subnet"),
    ip_allocations.c.ip_key >= bindparam("first"),
    ip_allocations.c.ip_key <= bindparam("last"),
)
_TAKEN = Prepared(select(ip_allocations.c.ip_key).where(*_RANGE))
_COUNT = Prepared(select(func.count()).select_from(ip_allocations).where(*_RANGE))


def _range(subnet: SubnetFacts, piece: Pool) -> dict[str, str]:
    return {
        "subnet": subnet.id,
        "first": ip_key(piece.version, piece.first),
        "last": ip_key(piece.version, piece.last),
    }


def free_addresses(
    tx: Transaction, subnet: SubnetFacts, starts: Iterable[int], wanted: int = 1, besides: Collection[int] = ()
) -> list[Address]:
    """Return ``wanted`` free addresses of the subnet's pools; fewer when few are left.

    :param starts: where to look first; see free_numbers.
    :param besides: addresses, as numbers, that are spoken for by the same request.
    """

    def numbers(piece: Pool) -> Collection[int]:
        return {int(key, 16) for (key,) in _TAKEN.rows(tx, _range(subnet, piece))}.union(besides)

    def count(piece: Pool) -> int:
        return int(_COUNT.rows(tx, _range(subnet, piece))[0][0])

    found = free_numbers(subnet.pools, Occupancy(numbers, count), starts, wanted)
    return [Address(subnet.id, subnet.ip_version, number) for number in found]


def lowest_free_address(tx: Transaction, subnet: SubnetFacts) -> Address | None:
    """Return the lowest free address of the subnet's pools; None when there is none."""
    return next(iter(free_addresses(tx, subnet, (0,))), None)


@define
class Vacancies:
    """Free addresses for one request, none given twice.

    ``ahead`` is for how many ports addresses are looked up at once: a request for many asks the database once a subnet.
    """

    _tx: Transaction
    _bits: Callable[[int], int]
    _ahead: int = 1
    _stock: dict[str, list[Address]] = field(default=Factory(dict), init=False)
    _spoken_for: dict[str, set[int]] = field(default=Factory(dict), init=False)
    _full: set[str] = field(default=Factory(set), init=False)

    def speak_for(self, addresses: Iterable[Address]) -> None:
        """Keep these from being given: they were named."""
        for address in addresses:
            self._spoken_for.setdefault(address.subnet_id, set()).add(address.number)

    def take(self, subnet: SubnetFacts) -> Address | None:
        """Return an address of the subnet's pools that is free and not spoken for; None when there is none."""
        spoken_for = self._spoken_for.setdefault(subnet.id, set())
        stock = self._stock.get(subnet.id, [])
        while stock:
            address = stock.pop()
            if address.number not in spoken_for:
                spoken_for.add(address.number)
                return address
        if subnet.id in self._full:
            return None
        starts = (self._bits(RANDOM_BITS) for _ in range(PROBES))
        found = free_addresses(self._tx, subnet, starts, self._ahead, spoken_for)
        if not found:
            self._full.add(subnet.id)
            return None
        spoken_for.add(found[0].number)
        self._stock[subnet.id] = found[:0:-1]
        return found[0]


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


_OF_PORT = Prepared(
    select(ip_allocations.c.subnet_id, ip_allocations.c.ip_key)
    .where(ip_allocations.c.port_id == bindparam("wanted"))
    .order_by(ip_allocations.c.ordinal)
)


def addresses_of(tx: Transaction, port_id: str) -> tuple[Address, ...]:
    """Return the addresses that the port has, in order."""
    rows = _OF_PORT.rows(tx, {"wanted": port_id})
    return tuple(Address(subnet_id, 4 if len(key) == 8 else 6, int(key, 16)) for subnet_id, key in rows)


def shown_addresses(addresses: Sequence[Address]) -> list[dict[str, str]]:
    """Return addresses as ``fixed_ips`` shows them."""
    return [{"subnet_id": address.subnet_id, "ip_address": address.text} for address in addresses]

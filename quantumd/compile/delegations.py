"""What the l3 role of a host must know of prefixes that are delegated: pure, from nouns to records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quantumd.model.delegation import Delegation, is_provisional
from quantumd.model.nouns import RouterAddress, RouterPort


def standing_addresses(port: RouterPort) -> tuple[RouterAddress, ...]:
    """Return the addresses with which a router stands in networks: none of subnets that have no prefix yet."""
    return tuple(each for each in port.addresses if not is_provisional(each.ip_address))


def delegations_of(ports: Iterable[RouterPort]) -> tuple[Delegation, ...]:
    """Return the subnets for which a router asks for prefixes, in the order of their ids."""
    return tuple(sorted(_delegations(ports), key=_subnet_of))


def _delegations(ports: Iterable[RouterPort]) -> Iterator[Delegation]:
    for port in ports:
        for each in port.addresses:
            if each.delegated_to and not port.is_gateway:
                prefix = "" if is_provisional(each.ip_address) else each.cidr
                yield Delegation(each.delegated_to, prefix)


def _subnet_of(delegation: Delegation) -> str:
    return delegation.subnet_id

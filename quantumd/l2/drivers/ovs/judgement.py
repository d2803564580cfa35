"""Which tracked connections the ports of a network no longer let pass. Pure but for the cache of prefixes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from attrs import define, field

from quantumd.edge.tracked.interfaces import Connection
from quantumd.l2.drivers.ovs.policies import Policies
from quantumd.model.records import PortRecord
from quantumd.model.verdict import Traffic, lets_pass, prefix


@define
class Judge:
    """Knows the ports that a network has on this host, and what guards them."""

    _policies: Policies
    _ports: Iterable[PortRecord]
    _by_address: dict[str, list[PortRecord]] = field(init=False)
    _with_pairs: list[PortRecord] = field(init=False)

    @_by_address.default
    def _index(self) -> dict[str, list[PortRecord]]:
        found: defaultdict[str, list[PortRecord]] = defaultdict(list)
        for port in self._ports:
            for fixed_ip in port.fixed_ips:
                found[fixed_ip.ip_address].append(port)
        return dict(found)

    @_with_pairs.default
    def _list_pairs(self) -> list[PortRecord]:
        return [port for port in self._ports if port.allowed_address_pairs]

    def is_owned(self, address: str) -> bool:
        """Whether a port here has the address."""
        return any(True for _ in self._owners(address))

    def is_allowed(self, connection: Connection) -> bool:
        """Whether those of its ends that are ports here let it pass; of an end elsewhere nothing is known here."""
        traffic = _traffic(connection)
        ends = (("egress", connection.source), ("ingress", connection.target))
        return all(self._lets(direction, address, traffic) for direction, address in ends)

    def _lets(self, direction: str, address: str, traffic: Traffic) -> bool:
        owners = list(self._owners(address))
        return not owners or any(
            not port.port_security or lets_pass(self._policies.rules_of(port), direction, traffic, self._is_in)
            for port in owners
        )

    def _owners(self, address: str) -> Iterator[PortRecord]:
        if address in self._by_address:
            yield from self._by_address[address]
            return
        number = ip_address(address)
        for port in self._with_pairs:
            if any(number in prefix(pair.cidr) for pair in port.allowed_address_pairs):
                yield port

    def _is_in(self, set_id: str, address: str) -> bool:
        return self._policies.is_in(set_id, address)


def _traffic(connection: Connection) -> Traffic:
    ports = (connection.target_port, connection.source_port, connection.target_port)
    return Traffic(connection.protocol, connection.source, connection.target, *ports)

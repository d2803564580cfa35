"""What the address service answers from: the records that are in force, and nothing more than them."""

from __future__ import annotations

from attrs import define, field

from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord


@define(eq=False)
class DhcpTable:
    """Ports and networks by id. It holds the very records that the loop keeps, so a port costs a slot of a dict."""

    _ports: dict[str, DhcpPortRecord] = field(factory=dict, init=False)
    _networks: dict[str, DhcpNetworkRecord] = field(factory=dict, init=False)

    def port(self, port_id: str) -> DhcpPortRecord | None:
        """Return a port's entry."""
        return self._ports.get(port_id)

    def network(self, network_id: str) -> DhcpNetworkRecord | None:
        """Return a network's entry."""
        return self._networks.get(network_id)

    def port_ids(self) -> frozenset[str]:
        """Return the ids of all ports with an entry."""
        return frozenset(self._ports)

    def network_ids(self) -> frozenset[str]:
        """Return the ids of all networks with an entry."""
        return frozenset(self._networks)

    def put_port(self, record: DhcpPortRecord) -> None:
        """Add or replace a port's entry."""
        self._ports[record.id] = record

    def put_network(self, record: DhcpNetworkRecord) -> None:
        """Add or replace a network's entry."""
        self._networks[record.id] = record

    def remove_port(self, port_id: str) -> None:
        """Remove a port's entry, if there is one."""
        self._ports.pop(port_id, None)

    def remove_network(self, network_id: str) -> None:
        """Remove a network's entry, if there is one."""
        self._networks.pop(network_id, None)

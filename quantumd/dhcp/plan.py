"""The steps from what is in the table to what is desired."""

from __future__ import annotations

from typing import Protocol

from quantumd.converge.plan import Key, Plan, Stage, Step
from quantumd.dhcp.desired import Desired, network_key, port_key
from quantumd.dhcp.steps import PutNetworks, PutPorts, RemoveNetworks, RemovePorts
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord


class Entries(Protocol):
    """The table, as far as a planner may see it."""

    def port(self, port_id: str) -> DhcpPortRecord | None:
        """Return a port's entry."""

    def network(self, network_id: str) -> DhcpNetworkRecord | None:
        """Return a network's entry."""


def plan_table(desired: Desired, actual: Entries) -> Plan:
    """Return what changes the table as desired; empty when it is.

    Networks come before ports and go after them, so that no port is answered from a network that is not there.
    """
    steps = (
        ("networks", _put_networks(desired, actual)),
        ("ports", _put_ports(desired, actual)),
        ("gone ports", _remove_ports(desired, actual)),
        ("gone networks", _remove_networks(desired, actual)),
    )
    return Plan(tuple(Stage(name, (step,)) for name, step in steps if step is not None))


def _put_networks(desired: Desired, actual: Entries) -> Step | None:
    networks = tuple(
        network
        for network in desired.networks.values()
        if network is not None and actual.network(network.id) != network
    )
    if not networks:
        return None
    keys: set[Key] = {network_key(network.id) for network in networks}
    put = {network.id for network in networks}
    keys.update(port_key(port.id) for port in desired.ports.values() if port is not None and port.network_id in put)
    return PutNetworks(frozenset(keys), networks)


def _put_ports(desired: Desired, actual: Entries) -> Step | None:
    ports = tuple(port for port in desired.ports.values() if port is not None and actual.port(port.id) != port)
    return PutPorts(frozenset(port_key(port.id) for port in ports), ports) if ports else None


def _remove_ports(desired: Desired, actual: Entries) -> Step | None:
    gone = tuple(
        port_id for port_id, port in desired.ports.items() if port is None and actual.port(port_id) is not None
    )
    return RemovePorts(frozenset(map(port_key, gone)), gone) if gone else None


def _remove_networks(desired: Desired, actual: Entries) -> Step | None:
    gone = tuple(
        network_id
        for network_id, network in desired.networks.items()
        if network is None and actual.network(network_id) is not None
    )
    return RemoveNetworks(frozenset(map(network_key, gone)), gone) if gone else None

"""Which records a (host, role) needs, from the nouns that concern it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from quantumd.compile import dhcp, l2
from quantumd.model.nouns import DHCP_OWNER, Network, Port, Subnet
from quantumd.model.records import Record

ROLES: tuple[str, ...] = ("l2", "dhcp")
"""Roles that get records."""

GUARDING_ROLE: str = "l2"
"""The role that must know security groups."""

KINDS: Mapping[str, Mapping[str, str]] = {
    "l2": {"network": "l2.network", "port": "l2.port"},
    "dhcp": {"network": "dhcp.network", "port": "dhcp.port"},
}
"""role → noun → kind of the record compiled from it."""


@frozen
class NetworkNouns:
    """A network with all that its records are made of."""

    network: Network
    subnets: tuple[Subnet, ...]
    dhcp_port: Port | None


def network_record_for(role: str, nouns: NetworkNouns) -> Record | None:
    """Compile a network for a role; None when the role has nothing to do for it."""
    if role == "l2":
        return l2.network_record(nouns.network, nouns.subnets, nouns.dhcp_port)
    return dhcp.network_record(nouns.network, nouns.subnets, nouns.dhcp_port)


def port_record_for(role: str, port: Port) -> Record | None:
    """Compile a port for a role of the host it is bound to; the DHCP port itself is on no host."""
    if port.device_owner == DHCP_OWNER:
        return None
    return l2.port_record(port) if role == "l2" else dhcp.port_record(port)


def snapshot(role: str, networks: Iterable[NetworkNouns], ports: Iterable[Port]) -> tuple[Record, ...]:
    """Compile everything a role needs from its host's ports and their networks."""
    records = [network_record_for(role, nouns) for nouns in networks]
    records.extend(port_record_for(role, port) for port in ports)
    return tuple(record for record in records if record is not None)

"""Which records a (host, role) needs, from the nouns that concern it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from quantumd.compile import dhcp, l2
from quantumd.model.carrying import NOWHERE, Reach, segment_on
from quantumd.model.network import Segment
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
    several: tuple[Segment, ...] = ()
    """Its segments, in the order in which hosts try them; none when it has only that which is in the network."""

    def on(self, reach: Reach) -> Segment:
        """Return the segment by which a host knows the network."""
        one = self.network
        return segment_on(
            self.several or (Segment(one.network_type, one.physical_network, one.segmentation_id),), reach
        )


def network_record_for(role: str, nouns: NetworkNouns, reach: Reach = NOWHERE) -> Record | None:
    """Compile a network for a role of a host; None when the role has nothing to do for it.

    :param reach: the host's, which matters to networks of several segments only.
    """
    if role == "l2":
        return l2.network_record(nouns.network, nouns.subnets, nouns.dhcp_port, nouns.on(reach))
    return dhcp.network_record(nouns.network, nouns.subnets, nouns.dhcp_port)


def port_record_for(role: str, port: Port) -> Record | None:
    """Compile a port for a role of the host it is bound to; the DHCP port itself is on no host."""
    if port.device_owner == DHCP_OWNER:
        return None
    return l2.port_record(port) if role == "l2" else dhcp.port_record(port)


def snapshot(
    role: str, networks: Iterable[NetworkNouns], ports: Iterable[Port], reach: Reach = NOWHERE
) -> tuple[Record, ...]:
    """Compile everything a role needs from its host's ports and their networks."""
    records = [network_record_for(role, nouns, reach) for nouns in networks]
    records.extend(port_record_for(role, port) for port in ports)
    return tuple(record for record in records if record is not None)

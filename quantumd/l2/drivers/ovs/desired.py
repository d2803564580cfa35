"""What the integration bridge shall hold, keyed by port, network and bridge. Pure: views in, objects out."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from quantumd.edge.openflow.interfaces import Flow, Group, Meter
from quantumd.model.qos_records import QosPolicyRecord
from quantumd.model.records import NetworkRecord, PortRecord, RemotePortRecord
from quantumd.model.security_records import SecurityRule


@frozen
class PortView:
    """A port that is plugged here, enabled, and known: everything its flows are made of."""

    port: PortRecord
    network: NetworkRecord
    network_number: int
    ofport: int
    policy_number: int = 0
    is_stateful: bool = True
    qos: QosPolicyRecord | None = None


@frozen
class PolicyView:
    """The rules of all security groups that some port here has together, and the numbers of the sets they name."""

    number: int
    rules: tuple[SecurityRule, ...]
    set_numbers: Mapping[str, int]


@frozen
class SetView:
    """A set of addresses that rules here name, in these directions."""

    number: int
    directions: tuple[str, ...]


@frozen
class RemoteView:
    """A prefix with the numbers of the sets that it is in and that rules name, by their direction."""

    cidr: str
    set_numbers: Mapping[str, tuple[int, ...]]


@frozen
class NetworkView:
    """A network with live ports here. ``physical_ofport`` leads to its physical network, if it has one.

    Copies for the ports in ``limited`` may be dropped by a meter: those of others must not depend on it.
    If it has tunnels, ``tunnel_ofport`` leads to those of its type, which end at ``peers``: hosts that carry it too.
    """

    network: NetworkRecord
    number: int
    ofports: tuple[int, ...]
    physical_ofport: int | None
    tunnel_ofport: int | None = None
    peers: tuple[str, ...] = ()
    limited: frozenset[int] = frozenset()


@frozen
class PeerView:
    """A host that carries networks of this one: its tunnels end at ``tunnel_ip``, ours are at ``ofports``."""

    tunnel_ip: str
    ofports: tuple[int, ...]


@frozen
class RemotePortView:
    """A port of another host that ports here may reach, by the tunnels at ``tunnel_ofport`` to ``tunnel_ip``."""

    port: RemotePortRecord
    network: NetworkRecord
    network_number: int
    tunnel_ofport: int
    tunnel_ip: str


@frozen
class PuntSettings:
    """How frames reach the process: the packet channel's id, and how many frames a port may send it."""

    controller_id: int
    rate_pps: int
    burst_packets: int


@frozen
class Objects:
    """What one key asks for."""

    flows: tuple[Flow, ...] = ()
    groups: tuple[Group, ...] = ()
    meters: tuple[Meter, ...] = ()


NONE = Objects()

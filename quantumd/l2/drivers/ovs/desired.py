"""What the integration bridge shall hold, keyed by port, network and bridge. Pure: views in, objects out."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from quantumd.edge.openflow.interfaces import Flow, Group, Meter
from quantumd.l2.drivers.ovs.pipeline import SENDER, port_number
from quantumd.model.qos_records import QosPolicyRecord
from quantumd.model.records import NetworkRecord, PortRecord, RemotePortRecord
from quantumd.model.security_records import SecurityRule
from quantumd.model.services import ServicePoint


@frozen
class Copies:
    """Where copies go: to the port ``number`` of this host, or by the tunnels at ``ofport`` to ``tunnel_ip``."""

    ofport: int
    number: int
    tunnel_ip: str = ""


@frozen
class Mirrored:
    """Where copies go outside: to ``remote_ip``, by the port ``ofport``, which puts them in a tunnel."""

    ofport: int
    tunnel_id: int
    remote_ip: str


@frozen
class Taps:
    """Who gets copies of what a port sends and gets, and whose copies come to it: out of which tunnels, from where."""

    sent: tuple[Copies | Mirrored, ...] = ()
    got: tuple[Copies | Mirrored, ...] = ()
    arriving: tuple[Copies, ...] = ()


@frozen
class PortView:
    """A port that is plugged here, enabled, and known: everything its flows are made of.

    ``ofport`` of a sub-port is that of its trunk's parent, where its frames have the tag ``vlan_id``; a parent
    ``has_sub_ports``.
    ``logged``: what of its packets comes to the process as well, ACCEPT, DROP or both.
    """

    port: PortRecord
    network: NetworkRecord
    network_number: int
    ofport: int
    policy_number: int = 0
    is_stateful: bool = True
    vlan_id: int = 0
    has_sub_ports: bool = False
    taps: Taps = Taps()
    qos: QosPolicyRecord | None = None
    logged: frozenset[str] = frozenset()

    @property
    def number(self) -> int:
        """What the registers SENDER and OUT_PORT know the port by; its OpenFlow number unless it is a sub-port."""
        return port_number(self.ofport, self.vlan_id)

    @property
    def sends(self) -> Mapping[str, int]:
        """What matches the frames that the port sends, in every table after CLASSIFY."""
        return {SENDER: self.number}


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
    """A network with live ports here, which have these ``numbers``.

    ``physical_ofport`` leads to its physical network, if it has one. If it has tunnels, ``tunnel_ofport`` leads to
    those of its type, which end at ``peers``: hosts that carry it too. Copies for the ports in ``limited`` may be
    dropped by a meter: those of others must not depend on it.
    """

    network: NetworkRecord
    number: int
    numbers: tuple[int, ...]
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
class ServicesView:
    """What this host answers for its ports, and the OpenFlow number of the device behind which that is done.

    None while there is no such device, and for what does not depend on it. A port may send so many packets there in a
    second; 0 is any number.
    """

    points: tuple[ServicePoint, ...] = ()
    rate_pps: int = 0
    ofport: int | None = None


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

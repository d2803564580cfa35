"""The pipeline of the integration bridge: its tables in packet order, its registers, its cookies.

``CLASSIFY`` puts the network's number into a register; from there on tables know networks by number, never by tag.
Reserved tables pass every packet on. What no flow matches is dropped.
"""

from __future__ import annotations

from enum import IntEnum

from quantumd.edge.openflow.actions import instructions
from quantumd.edge.openflow.interfaces import Flow
from quantumd.model.qos_records import KBPS, KPPS

NETWORK = "reg6"
"""The host-local number of the packet's network; 0 before CLASSIFY."""

SOURCE = "reg5"
"""Where the packet came from: one of Source."""

EGRESS_POLICY = "reg4"
"""The number of the sender's policy, of what its groups let it send; set for ports of this host only."""

INGRESS_POLICY = "reg3"
"""The number of the receiver's policy."""

OUT_PORT = "reg7"
"""The number of the port that FORWARD chose, or BACK."""

SENDER = "reg9"
"""The number of the port of this host that sent the packet; 0 of what comes from elsewhere."""

BACK = 0xFFF8
"""Value of OUT_PORT: to the sender, who asked."""

TAGGED = 1 << 28
"""Set in the number of a sub-port, and in no other."""

TAG_BITS, OFPORT_BITS = (16, 12), (0, 16)
"""Where the number of a port has its VLAN id and its OpenFlow port: first bit, how many."""

LOGGED = "reg2"
"""What logs have seen already: bit 0 that the sender sent it, bit 1 that the receiver gets it."""

METER_KIND_BIT = 29
"""Above it the number of a meter says what it is for; below it is that of the port."""

LOG_METER = 6 << METER_KIND_BIT
"""The meter of what logs ask for, of all ports of the host."""

REMEMBERED = 1
"""The ct_mark of connections that were accepted: to the switch they are new until somebody answers."""


class Source(IntEnum):
    """Values of the SOURCE register."""

    PORT = 1
    PHYSICAL = 2
    TUNNEL = 3


class Table(IntEnum):
    """The tables, in packet order; gaps leave room."""

    CLASSIFY = 0
    TUNNEL = 5
    QOS_EGRESS = 8
    QOS_EGRESS_PACKETS = 9
    PORT_SECURITY = 10
    SPOOFED_SERVICES = 11
    NEIGHBOUR_SECURITY = 12
    PUNT = 20
    SERVICE_SENDER = 22
    SERVICE_ENTRY = 23
    SERVICE_RECEIVER = 24
    SERVICE_ANSWER = 25
    FIREWALL_EGRESS = 30
    EGRESS_STATE = 31
    EGRESS_RULES = 32
    EGRESS_COMMIT = 33
    REDIRECT = 40
    BALANCE = 45
    RESPOND = 50
    ADVERTISE = 55
    FORWARD = 60
    FLOOD = 65
    QOS_COPY = 69
    FIREWALL_INGRESS = 70
    INGRESS_STATE = 71
    INGRESS_RULES = 72
    INGRESS_COMMIT = 73
    QOS_INGRESS = 78
    QOS_INGRESS_PACKETS = 79
    OUTPUT = 80


PASS_THROUGH: dict[Table, Table] = {
    Table.QOS_EGRESS: Table.PORT_SECURITY,
    Table.QOS_EGRESS_PACKETS: Table.PORT_SECURITY,
    Table.PORT_SECURITY: Table.PUNT,
    Table.SPOOFED_SERVICES: Table.PUNT,
    Table.PUNT: Table.FIREWALL_EGRESS,
    Table.FIREWALL_EGRESS: Table.REDIRECT,
    Table.EGRESS_STATE: Table.EGRESS_RULES,
    Table.EGRESS_COMMIT: Table.REDIRECT,
    Table.REDIRECT: Table.BALANCE,
    Table.BALANCE: Table.RESPOND,
    Table.RESPOND: Table.FORWARD,
    Table.FIREWALL_INGRESS: Table.QOS_INGRESS,
    Table.INGRESS_STATE: Table.INGRESS_RULES,
    Table.INGRESS_COMMIT: Table.QOS_INGRESS,
    Table.QOS_INGRESS: Table.OUTPUT,
    Table.QOS_INGRESS_PACKETS: Table.OUTPUT,
}
"""Where a packet goes that no flow of the table wants."""

DROPPING: tuple[Table, ...] = (
    Table.CLASSIFY,
    Table.TUNNEL,
    Table.NEIGHBOUR_SECURITY,
    Table.SERVICE_SENDER,
    Table.SERVICE_ENTRY,
    Table.SERVICE_RECEIVER,
    Table.SERVICE_ANSWER,
    Table.EGRESS_RULES,
    Table.ADVERTISE,
    Table.FORWARD,
    Table.FLOOD,
    Table.INGRESS_RULES,
)
"""Tables that drop what no flow wants."""


class Feature(IntEnum):
    """Which feature a flow belongs to: the second byte of its cookie."""

    BASE = 0
    CLASSIFY = 1
    PHYSICAL = 2
    DHCP = 3
    FORWARD = 4
    PORT_SECURITY = 6
    FIREWALL = 7
    TUNNEL = 8
    NEIGHBOURS = 9
    QOS = 10
    TRUNK = 11
    MIRROR = 12
    LOGGING = 13
    STORM = 14
    GUEST_TAGS = 16
    SERVICES = 17


OWNER = 0x51
"""The first byte of the cookie of every flow that is quantumd's."""


def cookie(feature: Feature, number: int) -> int:
    """Return a cookie: 8 bits owner, 8 bits feature, 48 bits the port's or network's host-local number."""
    return OWNER << 56 | feature << 48 | number


def port_number(ofport: int, vlan_id: int = 0) -> int:
    """Return the number of a port: its OpenFlow number, with the VLAN id in it if frames of it are tagged there."""
    return TAGGED | vlan_id << TAG_BITS[0] | ofport if vlan_id else ofport


def local_group(number: int) -> int:
    """Return the number of the group of a network's ports on this host; that of everyone is the network's own."""
    return 1 << 16 | number


SECOND_LOOK = 1 << 20
"""The group that makes the switch look at a frame again, as at a new one, before it is copied to everybody."""


def storm_meter(number: int) -> int:
    """Return the number of the meter of what a port sends to everybody."""
    return 5 << METER_KIND_BIT | number


def service_meter(number: int) -> int:
    """Return the number of the meter of what a port sends to services of the host."""
    return 7 << METER_KIND_BIT | number


def qos_meter(direction: str, unit: str, number: int) -> int:
    """Return the number of the meter of what a port sends or gets; that of its requests to us is its own."""
    return _QOS_METERS[direction, unit] << METER_KIND_BIT | number


_QOS_METERS = {("egress", KBPS): 1, ("egress", KPPS): 2, ("ingress", KBPS): 3, ("ingress", KPPS): 4}


def is_ours(flow: Flow) -> bool:
    """Whether a flow carries quantumd's mark."""
    return flow.cookie >> 56 == OWNER


def go_to(table: Table, actions: bytes = b"") -> bytes:
    """Return instructions that apply actions and go on to a table."""
    return instructions(actions, goto=table)

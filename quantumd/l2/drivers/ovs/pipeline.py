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
"""The OpenFlow port that FORWARD chose."""


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
    FIREWALL_EGRESS = 30
    EGRESS_STATE = 31
    EGRESS_RULES = 32
    EGRESS_COMMIT = 33
    REDIRECT = 40
    BALANCE = 45
    RESPOND = 50
    ADVERTISE = 55
    FORWARD = 60
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
    Table.EGRESS_RULES,
    Table.ADVERTISE,
    Table.FORWARD,
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


OWNER = 0x51
"""The first byte of the cookie of every flow that is quantumd's."""


def cookie(feature: Feature, number: int) -> int:
    """Return a cookie: 8 bits owner, 8 bits feature, 48 bits the port's or network's host-local number."""
    return OWNER << 56 | feature << 48 | number


def local_group(number: int) -> int:
    """Return the number of the group of a network's ports on this host; that of everyone is the network's own."""
    return 1 << 16 | number


def qos_meter(direction: str, unit: str, ofport: int) -> int:
    """Return the number of the meter of what a port sends or gets; that of its requests to us is its own."""
    return _QOS_METERS[direction, unit] << 16 | ofport


_QOS_METERS = {("egress", KBPS): 1, ("egress", KPPS): 2, ("ingress", KBPS): 3, ("ingress", KPPS): 4}


def is_ours(flow: Flow) -> bool:
    """Whether a flow carries quantumd's mark."""
    return flow.cookie >> 56 == OWNER


def go_to(table: Table, actions: bytes = b"") -> bytes:
    """Return instructions that apply actions and go on to a table."""
    return instructions(actions, goto=table)

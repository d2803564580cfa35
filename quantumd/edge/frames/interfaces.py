"""Frames of ports, with the port known: what the address services (DHCP now) speak through."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from attrs import frozen
from zope.interface import Attribute, Interface


class Purpose(IntEnum):
    """Why the pipeline sent a frame to the process; one byte of the flow's userdata."""

    DHCP4 = 1
    ARP = 2
    """Questions for a neighbour. Where Open vSwitch carries the ports, flows answer them."""
    DHCP6 = 3
    SOLICITATION = 4
    """What ARP is to IPv4."""


@frozen
class PortFrame:
    """An Ethernet frame sent by a port's device. ``reply_to`` is opaque: hand it to ``send`` to answer."""

    purpose: Purpose
    port_id: str
    frame: bytes
    reply_to: int


class IFrames(Interface):
    """Frames from and to the ports of this host."""

    is_connected = Attribute("bool: whether frames can arrive and leave at the moment.")

    def subscribe(purpose: Purpose, listener: Callable[[PortFrame], None]) -> None:
        """Call ``listener`` with each frame punted for that purpose."""

    def on_connected(listener: Callable[[], None]) -> None:
        """Call ``listener`` each time frames can flow."""

    def send(reply_to: int, frame: bytes) -> None:
        """Give a frame to the device behind ``reply_to``. Lost without a word when not connected."""

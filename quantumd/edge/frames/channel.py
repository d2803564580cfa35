"""Frames over the packet channel of a bridge: what IFrames is where Open vSwitch carries the ports."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.edge.frames.interfaces import IFrames, PortFrame, Purpose
from quantumd.edge.frames.userdata import unpack_userdata
from quantumd.edge.openflow.interfaces import IPacketChannel, PacketIn

_VLAN = 1 << 16
_ADDRESSES = 12
_TAG_PROTOCOL = b"\x81\x00"


@implementer(IFrames)
@define(eq=False)
class ChannelFrames:
    """Tells ports by the userdata of the flow that sent a frame.

    ``reply_to`` is the port's OpenFlow number, and above its 16 bits the VLAN id that an answer has to have.

    ``count_unknown`` is called for each frame whose userdata is not understood; such a frame is dropped.
    """

    _channel: IPacketChannel
    _count_unknown: Callable[[], None] = lambda: None
    _listeners: dict[Purpose, list[Callable[[PortFrame], None]]] = field(factory=dict, init=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._channel.on_packet(self._received)

    @property
    def is_connected(self) -> bool:
        """Whether frames can arrive and leave at the moment."""
        return bool(self._channel.is_connected)

    def subscribe(self, purpose: Purpose, listener: Callable[[PortFrame], None]) -> None:
        """Call ``listener`` with each frame punted for that purpose."""
        self._listeners.setdefault(purpose, []).append(listener)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` each time frames can flow."""
        self._channel.on_connected(listener)

    def send(self, reply_to: int, frame: bytes) -> None:
        """Put a frame on the port that ``reply_to`` names. Lost without a word when not connected."""
        vlan_id, ofport = divmod(reply_to, _VLAN)
        self._channel.send(ofport, _tagged(frame, vlan_id) if vlan_id else frame)

    def _received(self, packet: PacketIn) -> None:
        known = unpack_userdata(packet.userdata)
        if known is None:
            self._count_unknown()
            return
        port_id = known.port_id
        frame = PortFrame(known.purpose, port_id, packet.frame, known.vlan_id * _VLAN + packet.ofport)
        for listener in self._listeners.get(known.purpose, ()):
            # What a VM sends must not cost the connection that serves all others.
            with self._log.failuresHandled("a frame of port {port} broke its listener", port=port_id):
                listener(frame)


def _tagged(frame: bytes, vlan_id: int) -> bytes:
    return frame[:_ADDRESSES] + _TAG_PROTOCOL + vlan_id.to_bytes(2, "big") + frame[_ADDRESSES:]

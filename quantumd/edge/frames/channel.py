"""Frames over the packet channel of a bridge: what IFrames is where Open vSwitch carries the ports."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.edge.frames.interfaces import IFrames, PortFrame, Purpose
from quantumd.edge.frames.userdata import unpack_userdata
from quantumd.edge.openflow.interfaces import IPacketChannel, PacketIn


@implementer(IFrames)
@define(eq=False)
class ChannelFrames:
    """Tells ports by the userdata of the flow that sent a frame; ``reply_to`` is the port's OpenFlow number.

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
        """Put a frame on the port with that OpenFlow number. Lost without a word when not connected."""
        self._channel.send(reply_to, frame)

    def _received(self, packet: PacketIn) -> None:
        known = unpack_userdata(packet.userdata)
        if known is None:
            self._count_unknown()
            return
        purpose, port_id = known
        frame = PortFrame(purpose, port_id, packet.frame, packet.ofport)
        for listener in self._listeners.get(purpose, ()):
            # What a VM sends must not cost the connection that serves all others.
            with self._log.failuresHandled("a frame of port {port} broke its listener", port=port_id):
                listener(frame)

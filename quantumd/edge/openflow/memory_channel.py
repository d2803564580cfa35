"""Frames to and from a bridge in memory."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from quantumd.edge.openflow.interfaces import IPacketChannel, PacketIn
from quantumd.edge.openflow.memory import MemorySwitch


@implementer(IPacketChannel)
@define(eq=False)
class MemoryPacketChannel:
    """Frames between a MemorySwitch and this process; connected whenever the switch is."""

    switch: MemorySwitch
    controller_id: int
    sent: list[tuple[int, bytes]] = field(factory=list)
    _listeners: list[Callable[[PacketIn], None]] = field(factory=list)
    _connected: list[Callable[[], None]] = field(factory=list)
    _is_started: bool = False

    def __attrs_post_init__(self) -> None:
        self.switch.on_punt(self._take)
        self.switch.on_connected(self._ready)

    def start(self) -> None:
        """Begin to take frames."""
        self._is_started = True
        self._ready()

    def stop(self) -> Deferred[None]:
        """Take no more frames."""
        self._is_started = False
        return succeed(None)

    @property
    def is_connected(self) -> bool:
        """Whether frames can arrive and leave at the moment."""
        return self._is_started and self.switch.is_connected

    def on_packet(self, listener: Callable[[PacketIn], None]) -> None:
        """See IPacketChannel."""
        self._listeners.append(listener)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """See IPacketChannel."""
        self._connected.append(listener)

    def send(self, ofport: int, frame: bytes) -> None:
        """See IPacketChannel."""
        if self.is_connected:
            self.sent.append((ofport, frame))
            self.switch.emit(ofport, frame)

    def _ready(self) -> None:
        if self.is_connected:
            for listener in tuple(self._connected):
                listener()

    def _take(self, controller_id: int, packet: PacketIn) -> None:
        if self.is_connected and controller_id == self.controller_id:
            for listener in tuple(self._listeners):
                listener(packet)

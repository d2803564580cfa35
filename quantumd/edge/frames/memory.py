"""Frames in memory: ports are whoever calls ``arrive``, and what is sent to them is kept."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from zope.interface import implementer

from quantumd.edge.frames.interfaces import IFrames, PortFrame, Purpose


@implementer(IFrames)
@define(eq=False)
class MemoryFrames:
    """Carries frames at once, while it is connected."""

    is_connected: bool = True
    sent: list[tuple[int, bytes]] = field(factory=list, init=False)
    """What was given to devices: (reply_to, frame), oldest first."""
    _listeners: dict[Purpose, list[Callable[[PortFrame], None]]] = field(factory=dict, init=False)
    _on_connected: list[Callable[[], None]] = field(factory=list, init=False)

    def subscribe(self, purpose: Purpose, listener: Callable[[PortFrame], None]) -> None:
        """Call ``listener`` with each frame that arrives for that purpose."""
        self._listeners.setdefault(purpose, []).append(listener)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` each time frames can flow."""
        self._on_connected.append(listener)

    def send(self, reply_to: int, frame: bytes) -> None:
        """Keep a frame for whoever looks at ``sent``; lost when not connected."""
        if self.is_connected:
            self.sent.append((reply_to, frame))

    def arrive(self, frame: PortFrame) -> None:
        """A port's device sends a frame; lost when not connected."""
        if self.is_connected:
            for listener in self._listeners.get(frame.purpose, ()):
                listener(frame)

    def connect(self) -> None:
        """Frames can flow from now on."""
        self.is_connected = True
        for listener in tuple(self._on_connected):
            listener()

    def disconnect(self) -> None:
        """Frames are lost from now on."""
        self.is_connected = False

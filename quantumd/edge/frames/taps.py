"""Frames from and to devices of this host: what IFrames is where Linux bridges carry the ports.

A packet socket on a device sees what its VM sends before any bridge does, and what is sent there goes to the VM alone.
Source: packet(7).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.edge.descriptors import close_after_events
from quantumd.edge.frames.filters import FILTERS, LARGEST, attach
from quantumd.edge.frames.interfaces import IFrames, PortFrame, Purpose
from quantumd.edge.netlink.interfaces import ILinks

_ETH_P_ALL: Final = 0x0003
_SOL_PACKET, _IGNORE_OUTGOING = 263, 23
_OUTGOING: Final = 4
_BUFFER_BYTES: Final = 65_536
_READS: Final = 16
"""How many frames of a device are taken before others get their turn."""


@implementer(IReadDescriptor)
@define(eq=False)
class _Ear:
    """A socket on a device, for one purpose.

    What comes faster than it may waits in the socket's buffer, or is lost: a VM has as much of the process as that.
    """

    _owner: TapFrames
    purpose: Purpose
    device: str
    index: int
    port_id: str
    _taken: int = field(default=0, init=False)
    _since: float = field(default=0.0, init=False)
    _rest: IDelayedCall | None = field(default=None, init=False)
    _socket: socket.socket = field(init=False)

    @_socket.default
    def _open(self) -> socket.socket:
        # Bound to no protocol first: nothing arrives before the filter is there.
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            attach(opened, self.purpose)
            opened.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
            # Those who want all protocols are asked before the bridge is, which takes what it gets.
            opened.bind((self.device, _ETH_P_ALL))
        except OSError:
            opened.close()
            raise
        return opened

    def fileno(self) -> int:
        """See IReadDescriptor."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """See IReadDescriptor."""
        return self.device

    def connectionLost(self, reason: object) -> None:
        """See IReadDescriptor."""
        self.close()

    def doRead(self) -> None:
        """See IReadDescriptor."""
        for _ in range(_READS):
            if not self._may_read():
                return
            try:
                frame, address = self._socket.recvfrom(LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # The device is down or gone, which the kernel says as well.
                return
            self._taken += 1
            if address[2] != _OUTGOING:
                self._owner.received(self, frame)

    def _may_read(self) -> bool:
        """Whether there is some of this second left; else come back in the next one."""
        now = self._owner.reactor.seconds()
        if now - self._since >= 1.0:
            self._since, self._taken = now, 0
        if self._taken < self._owner.frames_per_second:
            return True
        self._owner.reactor.removeReader(self)
        self._rest = self._owner.reactor.callLater(self._since + 1.0 - now, self._owner.reactor.addReader, self)
        return False

    def send(self, frame: bytes) -> None:
        """Give a frame to the VM; lost when its device cannot take it."""
        try:
            self._socket.send(frame)
        except OSError:
            return

    def close(self) -> None:
        """Listen no more."""
        if self._rest is not None and self._rest.active():
            self._rest.cancel()
        # The kernel waits for all its processors before it lets a packet socket go, for tens of milliseconds.
        reactor = self._owner.reactor
        close_after_events(reactor, partial(reactor.callInThread, self._socket.close))


@implementer(IFrames)
@define(eq=False)
class TapFrames(Service):
    """Listens on the devices of ports. ``reply_to`` is the index of a device.

    ``_port_of`` tells, of a device's name and alias, whose it is; None of a device that is not to be answered.
    """

    reactor: Any
    _links: ILinks
    _port_of: Callable[[str, str], str | None]
    frames_per_second: int
    """How many of each purpose a device may send."""
    _ears: dict[str, tuple[_Ear, ...]] = field(factory=dict, init=False)
    _by_index: dict[int, _Ear] = field(factory=dict, init=False)
    _listeners: dict[Purpose, list[Callable[[PortFrame], None]]] = field(factory=dict, init=False)
    _on_connected: list[Callable[[], None]] = field(factory=list, init=False)
    _is_subscribed: bool = field(default=False, init=False)
    _log = Logger()

    @property
    def is_connected(self) -> bool:
        """Whether frames can arrive and leave at the moment."""
        return bool(self._links.is_connected)

    def startService(self) -> None:
        """Listen from now on."""
        super().startService()
        if not self._is_subscribed:
            self._is_subscribed = True
            self._links.on_connected(self._look_at_all)
            self._links.on_links(self._look)
        self._links.start()

    def stopService(self) -> None:
        """Listen no more."""
        super().stopService()
        self._links.stop()
        for device in tuple(self._ears):
            self._close(device)

    def subscribe(self, purpose: Purpose, listener: Callable[[PortFrame], None]) -> None:
        """Call ``listener`` with each frame that arrives for that purpose."""
        self._listeners.setdefault(purpose, []).append(listener)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` each time frames can flow."""
        self._on_connected.append(listener)

    def send(self, reply_to: int, frame: bytes) -> None:
        """Give a frame to the device behind ``reply_to``. Lost without a word when not connected."""
        ear = self._by_index.get(reply_to)
        if ear is not None:
            ear.send(frame)

    def received(self, ear: _Ear, frame: bytes) -> None:
        """Tell of a frame."""
        arrived = PortFrame(ear.purpose, ear.port_id, frame, ear.index)
        for listener in self._listeners.get(ear.purpose, ()):
            # What a VM sends must not cost the process that serves all others.
            with self._log.failuresHandled("a frame of port {port} broke its listener", port=ear.port_id):
                listener(arrived)

    def _look_at_all(self) -> None:
        self._look(frozenset(self._links.links().keys() | self._ears.keys()))
        for listener in tuple(self._on_connected):
            listener()

    def _look(self, devices: frozenset[str]) -> None:
        for device in devices:
            link = self._links.links().get(device)
            port_id = self._port_of(device, link.alias) if link is not None else None
            ears = self._ears.get(device, ())
            index = link.index if link is not None else 0
            if ears and (ears[0].port_id, ears[0].index) != (port_id, index):
                self._close(device)
                ears = ()
            if not ears and port_id is not None:
                self._listen(device, index, port_id)

    def _listen(self, device: str, index: int, port_id: str) -> None:
        ears: list[_Ear] = []
        try:
            # One at a time, so that those that were opened can be closed.
            ears.extend(_Ear(self, purpose, device, index, port_id) for purpose in FILTERS)
        except OSError as error:
            self._log.warn("cannot listen on {device}: {why}", device=device, why=error.strerror)
            for ear in ears:
                ear.close()
            return
        self._ears[device], self._by_index[index] = tuple(ears), ears[0]
        for ear in ears:
            self.reactor.addReader(ear)

    def _close(self, device: str) -> None:
        for ear in self._ears.pop(device):
            self._by_index.pop(ear.index, None)
            self.reactor.removeReader(ear)
            ear.close()

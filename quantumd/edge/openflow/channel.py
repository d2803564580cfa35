"""Frames between a bridge's pipeline and this process, on a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.edge.openflow import actions, messages, replies
from quantumd.edge.openflow.connection import OpenFlowConnection
from quantumd.edge.openflow.framing import Message
from quantumd.edge.openflow.interfaces import IPacketChannel, PacketIn
from quantumd.edge.openflow.link import Link

_EVERY_REASON = 0x3F


@implementer(IPacketChannel)
class OvsPacketChannel:
    """A second connection to the management socket ``path``.

    It takes ``controller_id`` (1 to 65535), which the ``controller`` actions of flows name, so that frames come here
    and nowhere else.
    """

    _log = Logger()

    def __init__(self, reactor: Any, path: str, controller_id: int) -> None:
        self.controller_id = controller_id
        self._link = Link(reactor, path, self._prepare, self._ready, lambda: None)
        self._packet_listeners: list[Callable[[PacketIn], None]] = []
        self._connected_listeners: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin to connect."""
        self._link.start()

    def stop(self) -> Deferred[None]:
        """Disconnect for good."""
        return self._link.stop()

    @property
    def is_connected(self) -> bool:
        """Whether frames can arrive and leave at the moment."""
        return self._link.connection is not None

    def on_packet(self, listener: Callable[[PacketIn], None]) -> None:
        """See IPacketChannel."""
        self._packet_listeners.append(listener)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """See IPacketChannel."""
        self._connected_listeners.append(listener)

    def send(self, ofport: int, frame: bytes) -> None:
        """See IPacketChannel. The frame goes straight to the port, past the flows."""
        connection = self._link.connection
        if connection is not None:
            out = (actions.output(ofport),)
            connection.write(messages.packet_out(actions.CONTROLLER, out, frame, connection.xid()))

    async def _prepare(self, connection: OpenFlowConnection) -> None:
        connection.on_message = self._take
        connection.on_error = self._take_error
        xid = connection.xid
        connection.write(messages.set_controller_id(self.controller_id, xid()))
        connection.write(messages.set_packet_in2(xid()))
        connection.write(messages.set_async(_EVERY_REASON, 0, 0, xid()))
        # Without a length OVS sends no packet-ins on a management socket at all.
        connection.write(messages.set_config(0xFFFF, xid()))
        await connection.barrier()

    def _ready(self) -> None:
        for listener in self._connected_listeners:
            listener()

    def _take(self, message: Message) -> None:
        packet = None
        if message.kind == messages.EXPERIMENTER:
            packet = replies.nicira_packet_in(message.body)
        elif message.kind == messages.PACKET_IN:
            packet = replies.packet_in(message.body)
        if packet is not None:
            for listener in self._packet_listeners:
                listener(packet)

    def _take_error(self, xid: int, error: replies.SwitchError) -> None:
        # A frame for a port that just went is nothing to worry about; it is lost, as frames may be.
        self._log.debug("the switch refused frame {xid}: {error}", xid=xid, error=error)

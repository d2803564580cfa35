"""One Open vSwitch bridge, read and changed over its management socket."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from itertools import chain
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredLock, FirstError, gatherResults
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.edge.openflow import messages, replies
from quantumd.edge.openflow.connection import OpenFlowConnection
from quantumd.edge.openflow.delivery import Delivery
from quantumd.edge.openflow.framing import Message
from quantumd.edge.openflow.interfaces import Flow, Group, ISwitch, Meter, SwitchChange, SwitchPort, SwitchState
from quantumd.edge.openflow.link import Link
from quantumd.errors import EdgeUnavailable

T = TypeVar("T")
_Pack = Callable[[int], bytes]

# Reasons of OFPPR_ADD and OFPPR_DELETE: a port that only changes is nobody's business here.
_PORTS_COME_AND_GO = 0b011


@implementer(ISwitch)
class OvsSwitch:
    """The bridge whose management socket is ``path`` (``<run dir>/<bridge>.mgmt``).

    Reads and changes are done one after the other. A bridge is asked over its management socket only: setting or
    removing a controller would flush its flows.
    """

    _log = Logger()

    def __init__(self, reactor: Any, path: str) -> None:
        self._reactor = reactor
        self._link = Link(reactor, path, self._prepare, self._ready, self._lost)
        self._turn = DeferredLock()
        self._delivery: Delivery | None = None
        self._connected_listeners: list[Callable[[], None]] = []
        self._lost_listeners: list[Callable[[], None]] = []
        self._port_listeners: list[Callable[[SwitchPort, bool], None]] = []
        self._foreign_listeners: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin to connect."""
        self._link.start()

    def stop(self) -> Deferred[None]:
        """Disconnect for good; flows stay as they are."""
        return self._link.stop()

    @property
    def is_connected(self) -> bool:
        """Whether changes can be made at the moment."""
        return self._link.connection is not None

    def on_connected(self, listener: Callable[[], None]) -> None:
        """See ISwitch."""
        self._connected_listeners.append(listener)

    def on_lost(self, listener: Callable[[], None]) -> None:
        """See ISwitch."""
        self._lost_listeners.append(listener)

    def on_port(self, listener: Callable[[SwitchPort, bool], None]) -> None:
        """See ISwitch."""
        self._port_listeners.append(listener)

    def on_foreign_change(self, listener: Callable[[], None]) -> None:
        """See ISwitch. Open vSwitch tells of it from version 2.17 on."""
        self._foreign_listeners.append(listener)

    def read(self) -> Deferred[SwitchState]:
        """See ISwitch."""
        return self._in_turn(self._read)

    def read_drops(self, meter: int) -> Deferred[int]:
        """See ISwitch."""
        return self._in_turn(lambda connection: self._read_drops(connection, meter))

    async def _read_drops(self, connection: OpenFlowConnection, meter: int) -> int:
        found: list[int] = []
        xid = connection.xid()
        await connection.ask(messages.ask_drops(meter, xid), xid, lambda part: found.append(replies.drops(part)))
        return sum(found)

    def change(self, change: SwitchChange) -> Deferred[None]:
        """See ISwitch. More than 20,000 flows take several bundles, each atomic by itself."""

        async def deliver(connection: OpenFlowConnection) -> None:
            self._delivery = Delivery(self._reactor, connection)
            try:
                await self._delivery.deliver(change)
            finally:
                self._delivery = None

        return self._in_turn(deliver)

    def _in_turn(self, work: Callable[[OpenFlowConnection], Coroutine[Deferred[Any], Any, T]]) -> Deferred[T]:
        async def run() -> T:
            connection = self._link.connection
            if connection is None:
                raise EdgeUnavailable("not connected to the switch")
            return await work(connection)

        return self._turn.run(lambda: Deferred.fromCoroutine(run()))

    async def _read(self, connection: OpenFlowConnection) -> SwitchState:
        flows: list[list[Flow]] = []
        groups: list[list[Group]] = []
        meters: list[list[Meter]] = []
        ports: list[list[SwitchPort]] = []

        def ask(pack: _Pack, unpack: Callable[[bytes], list[T]], into: list[list[T]]) -> Deferred[None]:
            xid = connection.xid()
            return connection.ask(pack(xid), xid, lambda part: into.append(unpack(part)))

        answers = (
            ask(messages.ask_flows, replies.flows, flows),
            ask(messages.ask_groups, replies.groups, groups),
            ask(messages.ask_meters, replies.meters, meters),
            ask(messages.ask_ports, replies.ports, ports),
        )
        try:
            await gatherResults(answers, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        chained = chain.from_iterable
        return SwitchState(tuple(chained(flows)), tuple(chained(groups)), tuple(chained(meters)), tuple(chained(ports)))

    async def _prepare(self, connection: OpenFlowConnection) -> None:
        connection.on_message = self._take
        connection.on_error = self._take_error
        # The length only makes OVS send port notices at all; packet-ins are switched off by the second message.
        connection.write(messages.set_config(0xFFFF, connection.xid()))
        connection.write(messages.set_async(0, _PORTS_COME_AND_GO, 0, connection.xid()))
        try:
            xid = connection.xid()
            await connection.ask(messages.ask_to_hear_of_flows(xid), xid)
        except EdgeUnavailable as error:
            self._log.warn("what others change is not heard of, only found by looking: {error}", error=error)
        await connection.barrier()

    def _ready(self) -> None:
        for listener in self._connected_listeners:
            listener()

    def _lost(self) -> None:
        for listener in self._lost_listeners:
            listener()

    def _take(self, message: Message) -> None:
        if message.kind == messages.PORT_STATUS:
            port, is_there = replies.port_status(message.body)
            if is_there is not None:
                for listener in self._port_listeners:
                    listener(port, is_there)
        elif message.kind == messages.MULTIPART_REPLY:
            kind, _, part = replies.multipart(message.body)
            if kind == messages.MULTIPART_MONITOR and replies.is_foreign_change(part):
                for told in self._foreign_listeners:
                    told()

    def _take_error(self, xid: int, error: replies.SwitchError) -> None:
        if self._delivery is None or not self._delivery.take_error(xid, error):
            self._log.error("the switch refused message {xid}: {error}", xid=xid, error=error)

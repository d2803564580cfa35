"""A whole Open vSwitch in memory: its database, one bridge's pipeline and the packet channel, as one world."""

from __future__ import annotations

from collections.abc import Callable

from attrs import Factory, define, field
from twisted.internet.interfaces import IReactorTime

from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.edge.openflow.memory_channel import MemoryPacketChannel
from quantumd.edge.openflow.walk import Walk
from quantumd.edge.ovsdb.interfaces import InterfaceChange
from quantumd.edge.ovsdb.memory import MemoryOvsdb
from quantumd.edge.tracked.memory import MemoryConnections

_FIRST_OFPORTS = {"int-": 50_000, "tun-": 51_000, "mir-": 52_000}


@define(eq=False)
class MemoryOpenVswitch:
    """What a hypervisor and ovs-vswitchd do to the edges. A freed OpenFlow number is given to the next port."""

    clock: IReactorTime
    bridge: str
    controller_id: int
    switch: MemorySwitch = field(default=Factory(lambda self: MemorySwitch(self.clock), takes_self=True))
    ovsdb: MemoryOvsdb = field(init=False)
    channel: MemoryPacketChannel = field(init=False)
    connections: MemoryConnections = field(init=False)
    _numbers: dict[str, int] = field(factory=dict, init=False)

    @ovsdb.default
    def _make_ovsdb(self) -> MemoryOvsdb:
        return MemoryOvsdb(self.clock, self._assign)

    @channel.default
    def _make_channel(self) -> MemoryPacketChannel:
        return MemoryPacketChannel(self.switch, self.controller_id)

    @connections.default
    def _make_connections(self) -> MemoryConnections:
        return MemoryConnections(self.switch)

    def __attrs_post_init__(self) -> None:
        self.ovsdb.on_interfaces(self._noticed)

    def channel_of(self, controller_id: int) -> MemoryPacketChannel:
        """Return another packet channel, of that controller id."""
        return MemoryPacketChannel(self.switch, controller_id)

    def plug(self, port_id: str) -> None:
        """Plug a VM's device by the command of Nova's boot flow."""
        ids = {"iface-id": port_id, "iface-status": "active"}
        self.ovsdb.plug(self.bridge, device_of(port_id), ids)

    def unplug(self, port_id: str) -> None:
        """Take a VM's device away."""
        name = device_of(port_id)
        self.ovsdb.unplug(self.bridge, name)
        self._free(name)

    def restart_switch(self) -> None:
        """Kill ovs-vswitchd and start it again: no flow is left, ports have new numbers."""
        names = sorted(self._numbers, reverse=True)
        self.switch.disconnect()
        for name in names:
            del self.switch.ports[self._numbers.pop(name)]
        self.switch.restart()
        for name in names:
            self.ovsdb.set_ofport(name, None)

    def ofport_of(self, port_id: str) -> int | None:
        """Return the OpenFlow number of a plugged VM."""
        return self._numbers.get(device_of(port_id))

    def listen(self, port_id: str, receive: Callable[[bytes], None]) -> None:
        """Call ``receive`` with each frame that reaches a plugged VM."""
        number = self.ofport_of(port_id)
        if number is not None:
            self.switch.on_output(number, receive)

    def send(self, port_id: str, frame: bytes) -> Walk | None:
        """Let a plugged VM send a frame; return its way, None when the VM is not plugged."""
        number = self.ofport_of(port_id)
        return self.switch.inject(number, frame) if number is not None else None

    def _noticed(self, changes: tuple[InterfaceChange, ...]) -> None:
        """Free the numbers of ports that a transaction has removed."""
        gone = {change.old.name for change in changes if change.new is None and change.old is not None}
        for name in sorted(gone - self.ovsdb.interfaces().keys()):
            self._free(name)

    def _free(self, name: str) -> None:
        if name in self._numbers:
            self.switch.remove_port(self._numbers.pop(name))

    def _assign(self, bridge: str, name: str) -> int:
        if bridge != self.bridge:
            return 1
        first = _FIRST_OFPORTS.get(name[:4], 1)
        taken = set(self._numbers.values())
        number = next(n for n in range(first, first + len(taken) + 1) if n not in taken)
        self._numbers[name] = number
        self.switch.add_port(number, name)
        return number


def device_of(port_id: str) -> str:
    """Return the name of a VM's device, as Nova makes it."""
    return f"tap{port_id[:11]}"

"""Frames over the packet channel of a bridge in memory, whose flows really punt them."""

from __future__ import annotations

from attrs import define, field

from quantumd.edge.frames.channel import ChannelFrames
from quantumd.edge.frames.interfaces import Purpose
from quantumd.edge.frames.userdata import pack_userdata
from quantumd.edge.openflow.actions import controller, instructions
from quantumd.edge.openflow.interfaces import Flow, SwitchChange
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.edge.openflow.memory_channel import MemoryPacketChannel
from tests.contracts.frames import FramesBed, FramesContract

CONTROLLER_ID = 77


@define
class SwitchBed:
    """Hands of a bridge in memory."""

    switch: MemorySwitch = field(factory=MemorySwitch)
    channel: MemoryPacketChannel = field(init=False)
    frames: ChannelFrames = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.channel = MemoryPacketChannel(self.switch, CONTROLLER_ID)
        self.frames = ChannelFrames(self.channel)
        self.channel.start()
        self.switch.start()

    def arrive(self, port_id: str, ofport: int, frame: bytes) -> None:
        """Plug the port, with a flow that sends all it says to the process, and let it say something."""
        punt = instructions(controller(pack_userdata(Purpose.DHCP4, port_id), CONTROLLER_ID))
        self.switch.add_port(ofport, f"tap{ofport}")
        self.switch.change(SwitchChange(put_flows=(Flow(0, 100, match(in_port=ofport), 0, punt),)))
        self.switch.inject(ofport, frame)

    def sent(self) -> list[tuple[int, bytes]]:
        """Return what was sent."""
        return self.channel.sent

    def connect(self) -> None:
        """Connect."""
        self.switch.connect()

    def disconnect(self) -> None:
        """Disconnect."""
        self.switch.disconnect()


class SwitchFramesTests(FramesContract):
    """The contract, over a bridge in memory."""

    __test__ = True

    def make_bed(self) -> FramesBed:
        """Return a connected bed."""
        return SwitchBed()

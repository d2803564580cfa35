"""Frames in memory keep the contract."""

from __future__ import annotations

from attrs import define, field

from quantumd.edge.frames.interfaces import PortFrame, Purpose
from quantumd.edge.frames.memory import MemoryFrames
from tests.contracts.frames import FramesBed, FramesContract


@define
class MemoryBed:
    """Hands of the memory provider."""

    frames: MemoryFrames = field(factory=MemoryFrames)

    def arrive(self, port_id: str, ofport: int, frame: bytes) -> None:
        """Hand in a frame."""
        self.frames.arrive(PortFrame(Purpose.DHCP4, port_id, frame, ofport))

    def sent(self) -> list[tuple[int, bytes]]:
        """Return what was sent."""
        return self.frames.sent

    def connect(self) -> None:
        """Connect."""
        self.frames.connect()

    def disconnect(self) -> None:
        """Disconnect."""
        self.frames.disconnect()


class MemoryFramesTests(FramesContract):
    """The contract, in memory."""

    __test__ = True

    def make_bed(self) -> FramesBed:
        """Return a connected bed."""
        return MemoryBed()

    def test_what_arrives_while_disconnected_is_lost(self) -> None:
        """As it is with a switch."""
        self.bed.frames.subscribe(Purpose.DHCP4, self.seen.append)
        self.bed.disconnect()
        self.bed.arrive("p", 1, b"frame")
        self.assertEqual(self.seen, [])

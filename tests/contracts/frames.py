"""What every provider of frames keeps: its tests are run for the memory and the real one alike."""

from __future__ import annotations

from typing import Protocol

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantumd.edge.frames.interfaces import IFrames, PortFrame, Purpose

PORT_ID = "c2b71a5e-9f53-4f6c-8c3b-0f5f6f6a9a01"
FRAME = b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + b"frame".ljust(46, b"\0")
REPLY = b"\x02" * 6 + b"\x04" * 6 + b"\x88\xb5" + b"reply".ljust(46, b"\0")


class FramesBed(Protocol):
    """A provider, and the hands that move the world behind it."""

    @property
    def frames(self) -> IFrames:
        """The provider."""

    def arrive(self, port_id: str, ofport: int, frame: bytes) -> None:
        """The port's device sends a frame that the pipeline punts for DHCP."""

    def sent(self) -> list[tuple[int, bytes]]:
        """What was put on ports so far: (OpenFlow number or reply_to, frame)."""

    def connect(self) -> None:
        """Frames can flow."""

    def disconnect(self) -> None:
        """Frames are lost."""


class FramesContract(SynchronousTestCase):
    """The tests; a provider's own class mixes in ``make_bed``, which returns a connected one."""

    # Collected only in the classes that say how to make a bed.
    __test__ = False

    def make_bed(self) -> FramesBed:
        """Return a bed whose frames are connected."""
        raise AssertionError("each provider makes its own bed")

    def setUp(self) -> None:
        self.bed = self.make_bed()
        self.seen: list[PortFrame] = []

    def test_it_is_a_provider(self) -> None:
        """All of the interface is there."""
        self.assertTrue(verifyObject(IFrames, self.bed.frames))

    def test_frames_arrive_with_their_port(self) -> None:
        """Purpose, port and bytes are those of the frame."""
        self.bed.frames.subscribe(Purpose.DHCP4, self.seen.append)
        self.bed.arrive(PORT_ID, 7, FRAME)
        (seen,) = self.seen
        self.assertEqual((seen.purpose, seen.port_id, seen.frame), (Purpose.DHCP4, PORT_ID, FRAME))

    def test_a_reply_leaves_by_the_port_that_asked(self) -> None:
        """``reply_to`` is all that is needed."""
        self.bed.frames.subscribe(Purpose.DHCP4, self.seen.append)
        self.bed.arrive(PORT_ID, 7, FRAME)
        self.bed.frames.send(self.seen[0].reply_to, REPLY)
        self.assertEqual(self.bed.sent(), [(7, REPLY)])

    def test_every_listener_is_told(self) -> None:
        """Two who subscribe both hear."""
        others: list[PortFrame] = []
        self.bed.frames.subscribe(Purpose.DHCP4, self.seen.append)
        self.bed.frames.subscribe(Purpose.DHCP4, others.append)
        self.bed.arrive(PORT_ID, 7, FRAME)
        self.assertEqual((len(self.seen), len(others)), (1, 1))

    def test_nobody_listening_is_no_error(self) -> None:
        """The frame is lost."""
        self.bed.arrive(PORT_ID, 7, FRAME)
        self.assertEqual(self.bed.sent(), [])

    def test_a_disconnected_provider_says_so_and_sends_nothing(self) -> None:
        """Lost without a word."""
        self.bed.disconnect()
        self.assertFalse(self.bed.frames.is_connected)
        self.bed.frames.send(7, REPLY)
        self.assertEqual(self.bed.sent(), [])

    def test_each_connection_is_announced(self) -> None:
        """Listeners hear of the second connection too."""
        connected: list[bool] = []
        self.bed.frames.on_connected(lambda: connected.append(bool(self.bed.frames.is_connected)))
        self.bed.disconnect()
        self.bed.connect()
        self.bed.disconnect()
        self.bed.connect()
        self.assertEqual(connected, [True, True])

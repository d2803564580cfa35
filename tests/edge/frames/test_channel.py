"""Frames over the packet channel of a bridge."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from quantumd.edge.frames.channel import ChannelFrames
from quantumd.edge.frames.interfaces import PortFrame, Purpose
from quantumd.edge.frames.userdata import USERDATA_BYTES, Userdata, pack_userdata, unpack_userdata
from quantumd.edge.openflow.interfaces import IPacketChannel, PacketIn
from tests.contracts.frames import PORT_ID, FramesBed, FramesContract


@implementer(IPacketChannel)
@define(eq=False)
class TestChannel:
    """A packet channel without a switch."""

    __test__ = False
    is_connected: bool = True
    sent: list[tuple[int, bytes]] = field(factory=list)
    on_packets: list[Callable[[PacketIn], None]] = field(factory=list)
    on_connects: list[Callable[[], None]] = field(factory=list)

    def start(self) -> None:
        """There is nothing to connect to."""

    def stop(self) -> Deferred[None]:
        """There is nothing to close."""
        return succeed(None)

    def on_packet(self, listener: Callable[[PacketIn], None]) -> None:
        """Remember a listener."""
        self.on_packets.append(listener)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """Remember a listener."""
        self.on_connects.append(listener)

    def send(self, ofport: int, frame: bytes) -> None:
        """Keep what is sent while connected."""
        if self.is_connected:
            self.sent.append((ofport, frame))

    def punt(self, ofport: int, userdata: bytes, frame: bytes) -> None:
        """A flow sends a frame to the process."""
        for listener in self.on_packets:
            listener(PacketIn(ofport, userdata, frame))


@define
class ChannelBed:
    """Hands of a channel."""

    channel: TestChannel = field(factory=TestChannel)
    unknown: list[None] = field(factory=list)
    frames: ChannelFrames = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.frames = ChannelFrames(self.channel, lambda: self.unknown.append(None))

    def arrive(self, port_id: str, ofport: int, frame: bytes) -> None:
        """Punt a frame as the pipeline does."""
        self.channel.punt(ofport, pack_userdata(Purpose.DHCP4, port_id), frame)

    def sent(self) -> list[tuple[int, bytes]]:
        """Return what was sent."""
        return self.channel.sent

    def connect(self) -> None:
        """Connect."""
        self.channel.is_connected = True
        for listener in self.channel.on_connects:
            listener()

    def disconnect(self) -> None:
        """Disconnect."""
        self.channel.is_connected = False


class ChannelFramesTests(FramesContract):
    """The contract, over a packet channel."""

    __test__ = True

    def make_bed(self) -> FramesBed:
        """Return a connected bed."""
        return ChannelBed()


class ForeignFrameTests(SynchronousTestCase):
    """Frames that are not as our flows send them."""

    def setUp(self) -> None:
        self.bed = ChannelBed()
        self.seen: list[PortFrame] = []
        self.bed.frames.subscribe(Purpose.DHCP4, self.seen.append)

    def test_unknown_userdata_is_counted_and_dropped(self) -> None:
        """Too short, too long, none, an unknown purpose."""
        sound = pack_userdata(Purpose.DHCP4, PORT_ID)
        for userdata in (b"", sound[:-1], sound + b"\0", b"\xfe" + sound[1:]):
            self.bed.channel.punt(1, userdata, b"frame")
        self.assertEqual((len(self.bed.unknown), self.seen), (4, []))

    def test_a_sub_port_is_answered_with_its_tag(self) -> None:
        """It sees its frames without; two sub-ports of a port are told apart."""
        ends = bytes.fromhex("ffffffffffff fa163e000001")
        self.bed.channel.punt(7, pack_userdata(Purpose.DHCP4, PORT_ID, 100), ends + b"\x08\x00question")
        (question,) = self.seen
        self.assertEqual(question.frame, ends + b"\x08\x00question")
        self.bed.frames.send(question.reply_to, ends + b"\x08\x00answer")
        self.assertEqual(self.bed.channel.sent, [(7, ends + b"\x81\x00\x00\x64\x08\x00answer")])

    def test_a_broken_listener_does_not_cost_the_connection(self) -> None:
        """Its failure is logged, the next frame is delivered."""

        def broken(frame: PortFrame) -> None:
            raise ZeroDivisionError

        bed = ChannelBed()
        bed.frames.subscribe(Purpose.DHCP4, broken)
        bed.frames.subscribe(Purpose.DHCP4, self.seen.append)
        bed.arrive(PORT_ID, 1, b"frame")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(self.seen), 1)


class UserdataTests(SynchronousTestCase):
    """One byte of purpose, sixteen of the port."""

    @settings(deadline=None)
    @given(st.uuids())
    def test_what_is_packed_is_unpacked(self, port_id: object) -> None:
        """For every UUID."""
        packed = pack_userdata(Purpose.DHCP4, str(port_id))
        self.assertEqual(len(packed), USERDATA_BYTES)
        self.assertEqual(unpack_userdata(packed), Userdata(Purpose.DHCP4, str(port_id)))

    def test_two_more_bytes_are_the_tag_of_a_sub_port(self) -> None:
        """One that frames can have."""
        packed = pack_userdata(Purpose.DHCP4, PORT_ID, 4094)
        self.assertEqual(unpack_userdata(packed), Userdata(Purpose.DHCP4, PORT_ID, 4094))
        for tag in (b"\0\0", b"\x0f\xff", b"\x10\x01"):
            self.assertIsNone(unpack_userdata(packed[:-2] + tag))

    def test_what_is_no_uuid_is_refused(self) -> None:
        """A flow is never made for a port that nobody could find again."""
        for bad in ("", "port", PORT_ID[:-2]):
            self.assertRaises(ValueError, pack_userdata, Purpose.DHCP4, bad)

    @settings(deadline=None)
    @given(st.binary(max_size=20))
    def test_any_bytes_are_unpacked_or_refused(self, userdata: bytes) -> None:
        """Nothing raises."""
        known = unpack_userdata(userdata)
        if known is not None:
            self.assertEqual(pack_userdata(known.purpose, known.port_id, known.vlan_id), userdata)

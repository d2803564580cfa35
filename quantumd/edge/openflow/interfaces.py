"""The switch, as seen over OpenFlow: what a bridge holds, how to change it at once, how frames come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NewType

from attrs import frozen
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

FlowKey = NewType("FlowKey", bytes)
"""table (1 byte), priority (2 bytes, big endian), packed match: what makes two flows the same one."""


@frozen
class Flow:
    """One flow, packed as it travels and as the switch gives it back.

    ``match`` is the OXM fields without the ofp_match header or padding, in the switch's canonical order;
    ``instructions`` the packed OpenFlow 1.4 instructions. ``cookie`` is 64 bits: 8 owner, 8 feature, 48 local number.
    """

    table: int
    priority: int
    match: bytes
    cookie: int
    instructions: bytes

    @property
    def key(self) -> FlowKey:
        """What identifies the flow in a switch."""
        return FlowKey(self.table.to_bytes(1, "big") + self.priority.to_bytes(2, "big") + self.match)


@frozen
class Group:
    """A group of type ALL: every bucket (its packed actions) gets a copy. ``number``: 1 to 0xffffff00."""

    number: int
    buckets: tuple[bytes, ...]


@frozen
class Meter:
    """A meter that drops what is over ``rate`` packets per second, allowing bursts of ``burst`` packets.

    With ``is_kbps`` it counts thousands of bits, from the Ethernet header on, in place of packets.
    """

    number: int
    rate: int
    burst: int
    is_kbps: bool = False


@frozen
class SwitchPort:
    """A port of the bridge: its OpenFlow number and device name."""

    ofport: int
    name: str


@frozen
class SwitchState:
    """All that a bridge holds, as read back from it."""

    flows: tuple[Flow, ...]
    groups: tuple[Group, ...]
    meters: tuple[Meter, ...]
    ports: tuple[SwitchPort, ...]


@frozen
class SwitchChange:
    """What to change on a bridge, in the order in which it happens.

    First meters and groups are put (added or replaced), then flows are put (added or replaced, by their key) and
    removed (by their key) in one atomic bundle, then groups and meters are removed. Removing what is not
    there is no error.
    """

    put_meters: tuple[Meter, ...] = ()
    put_groups: tuple[Group, ...] = ()
    put_flows: tuple[Flow, ...] = ()
    remove_flows: tuple[Flow, ...] = ()
    remove_groups: tuple[int, ...] = ()
    remove_meters: tuple[int, ...] = ()


@frozen
class PacketIn:
    """A frame that a flow sent to us: ``userdata`` is what the flow's action carries."""

    ofport: int
    userdata: bytes
    frame: bytes


class ISwitch(Interface):
    """One bridge, over OpenFlow. Connects by itself and again when the connection is lost."""

    is_connected = Attribute("bool: whether changes can be made at the moment.")

    def start() -> None:
        """Begin to connect."""

    def stop() -> Deferred[None]:
        """Disconnect for good; what the bridge holds stays."""

    def on_connected(listener: Callable[[], None]) -> None:
        """Call ``listener`` each time a connection is ready; what the bridge holds may be anything then."""

    def on_lost(listener: Callable[[], None]) -> None:
        """Call ``listener`` each time the connection is lost."""

    def on_port(listener: Callable[[SwitchPort, bool], None]) -> None:
        """Call ``listener(port, is_there)`` when a port of the bridge appears, is renumbered or goes."""

    def on_foreign_change(listener: Callable[[], None]) -> None:
        """Call ``listener`` after somebody else has changed flows of the bridge; several changes may be told as one."""

    def read() -> Deferred[SwitchState]:
        """Read everything the bridge holds. EdgeUnavailable, EdgeTimeout."""

    def change(change: SwitchChange) -> Deferred[None]:
        """Make a change; fires after the switch's barrier reply, so packets obey it.

        SwitchRefused (an EdgeError) when the switch refuses any part: no flow of the bundle is then changed.
        """


class IPacketChannel(Interface):
    """Frames between the pipeline of one bridge and this process, on a connection of its own."""

    is_connected = Attribute("bool: whether frames can arrive and leave at the moment.")

    def start() -> None:
        """Begin to connect."""

    def stop() -> Deferred[None]:
        """Disconnect for good; what the bridge holds stays."""

    def on_packet(listener: Callable[[PacketIn], None]) -> None:
        """Call ``listener`` with each frame that a flow sends here."""

    def on_connected(listener: Callable[[], None]) -> None:
        """Call ``listener`` each time frames can flow."""

    def send(ofport: int, frame: bytes) -> None:
        """Put a frame on a port of the bridge. Lost without a word when the channel is not connected."""

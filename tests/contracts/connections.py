"""What every IConnections promises: run for the one in memory and for Open vSwitch alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from quantumd.edge.openflow.actions import ct, instructions, output
from quantumd.edge.openflow.interfaces import Flow, ISwitch, SwitchChange
from quantumd.edge.openflow.match import match
from quantumd.edge.tracked.interfaces import Connection, IConnections

_ZONES = (5, 6)


class World(Protocol):
    """What a test may do."""

    @property
    def switch(self) -> ISwitch: ...
    @property
    def connections(self) -> IConnections: ...

    def add_port(self, name: str) -> int: ...
    def inject(self, ofport: int, frame: bytes) -> None: ...
    def until(self, is_so: Callable[[], bool]) -> Awaitable[None]: ...
    def assertEqual(self, first: Any, second: Any, msg: Any = ...) -> None: ...


async def begin(world: World) -> None:
    """Have what comes in by two ports tracked, each in a zone of its own, and send some packets."""
    out = world.add_port("out")
    flows = []
    for zone in _ZONES:
        number = world.add_port(f"zone{zone}")
        for kind in (0x0800, 0x86DD):
            tracked = instructions(ct(commit=True, zone=zone) + output(out))
            flows.append(Flow(0, 9, match(in_port=number, eth_type=kind), 1, tracked))
    await world.switch.change(SwitchChange(put_flows=tuple(flows)))
    head = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    ipv4, ipv6 = IP(src="10.0.0.1", dst="10.0.0.2"), IPv6(src="fd00::1", dst="fd00::2")
    for body in (
        ipv4 / UDP(sport=1000, dport=53),
        ipv4 / UDP(sport=1001, dport=53),
        ipv4 / TCP(sport=1000, dport=80, flags="S"),
        ipv6 / UDP(sport=1000, dport=53),
        IP(src="10.0.0.1", dst="10.0.0.2", proto=47) / (b"\0" * 20),
    ):
        world.inject(2, bytes(head / body))
    world.inject(3, bytes(head / ipv4 / UDP(sport=1000, dport=53)))
    world.inject(3, bytes(head / ipv4 / ICMP(type=8, id=0)))


_UDP, _OTHER_UDP = (Connection(5, 17, "10.0.0.1", "10.0.0.2", port, 53) for port in (1000, 1001))
_TCP = Connection(5, 6, "10.0.0.1", "10.0.0.2", 1000, 80)
_UDP6 = Connection(5, 17, "fd00::1", "fd00::2", 1000, 53)
_GRE = Connection(5, 47, "10.0.0.1", "10.0.0.2")
_IN_OTHER_ZONE = Connection(6, 17, "10.0.0.1", "10.0.0.2", 1000, 53)
_ECHO = Connection(6, 1, "10.0.0.1", "10.0.0.2", 8, 0)
_FIRST_ZONE = {_UDP, _OTHER_UDP, _TCP, _UDP6, _GRE}


class ConnectionsContract:
    """Mixed into a trial TestCase that is a World."""

    async def test_connections_are_read_by_their_zones(self: World) -> None:
        """Of every protocol and family, by the direction of the first packet."""
        await begin(self)
        self.assertEqual(set(await self.connections.read(frozenset({5}))), _FIRST_ZONE)
        self.assertEqual(set(await self.connections.read(frozenset({6, 7}))), {_IN_OTHER_ZONE, _ECHO})

    async def test_a_zone_is_cleared(self: World) -> None:
        """All of it, and nothing of another."""
        await begin(self)
        await self.connections.clear(frozenset({5}))
        self.assertEqual(set(await self.connections.read(frozenset({5, 6}))), {_IN_OTHER_ZONE, _ECHO})
        await self.connections.clear(frozenset({5, 6}))
        self.assertEqual(await self.connections.read(frozenset({5, 6})), ())

    async def test_a_zone_has_no_more_connections_than_its_limit(self: World) -> None:
        """Others have their own."""
        await self.connections.limit(frozenset({5, 6}), 2)
        await begin(self)
        self.assertEqual(set(await self.connections.read(frozenset({5}))), {_UDP, _OTHER_UDP})
        self.assertEqual(set(await self.connections.read(frozenset({6}))), {_IN_OTHER_ZONE, _ECHO})

    async def test_a_limit_can_be_taken_away(self: World) -> None:
        """0 is no limit."""
        for most in (2, 0):
            await self.connections.limit(frozenset({5}), most)
        await begin(self)
        self.assertEqual(set(await self.connections.read(frozenset({5}))), _FIRST_ZONE)

    async def test_exactly_what_is_named_ends(self: World) -> None:
        """Not what differs by a port, a family or a zone."""
        await begin(self)
        await self.connections.end((_UDP, _UDP6, _ECHO))
        self.assertEqual(set(await self.connections.read(frozenset({5}))), _FIRST_ZONE - {_UDP, _UDP6})
        self.assertEqual(set(await self.connections.read(frozenset({6}))), {_IN_OTHER_ZONE})
        await self.connections.end((_TCP, _GRE))
        self.assertEqual(set(await self.connections.read(frozenset({5}))), {_OTHER_UDP})

    async def test_what_is_not_there_can_end(self: World) -> None:
        """It may have expired meanwhile."""
        await begin(self)
        await self.connections.end((_ECHO, _ECHO, Connection(9, 6, "10.0.0.9", "10.0.0.8", 1, 2), _UDP))
        self.assertEqual(set(await self.connections.read(frozenset({5}))), _FIRST_ZONE - {_UDP})

    async def test_flows_settle(self: World) -> None:
        """Within the time that an edge has."""
        await begin(self)
        await self.connections.settle()

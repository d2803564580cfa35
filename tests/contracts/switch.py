"""What every ISwitch and IPacketChannel promises: run for the one in memory and for Open vSwitch alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from attrs import evolve
from twisted.internet.defer import Deferred

from quantumd.edge.openflow.actions import (
    DROP,
    IN_PORT,
    controller,
    ct,
    group,
    instructions,
    load,
    output,
    resubmit,
    set_field,
)
from quantumd.edge.openflow.interfaces import Flow, Group, IPacketChannel, ISwitch, Meter, PacketIn, SwitchChange
from quantumd.edge.openflow.match import mac, match
from quantumd.edge.openflow.refusal import SwitchRefused
from quantumd.errors import EdgeUnavailable

CONTROLLER_ID = 77
FRAME = bytes.fromhex("ffffffffffff fa163e000001 0806 0001080006040001 fa163e000001 0a000001 000000000000 0a000002")
PADDED = FRAME + bytes(60 - len(FRAME))

IP_FLOW = Flow(
    1, 100, match(in_port=3, eth_src=mac("fa:16:3e:00:00:01"), eth_type=0x0800, ipv4_src=(0x0A000000, 0xFF000000)),
    0x5100000000000001, instructions(set_field("reg6", 5) + load("reg0", 3, 4, 8), goto=7),
)  # fmt: skip
OTHER_FLOW = Flow(1, 90, match(reg6=5, vlan_vid=0), 0x5100000000000002, instructions(output(IN_PORT)))
DROP_FLOW = Flow(7, 0, match(), 0x5100000000000003, DROP)
BAD_FLOW = Flow(8, 1, match(ipv4_dst=1), 0x5100000000000004, DROP)
"""No switch takes it: an IPv4 address is matched without the type being IPv4."""


class Stoppable(ISwitch):
    """A switch that can be stopped, as both are."""

    def stop() -> Deferred[None]:
        """Disconnect for good."""


class World(Protocol):
    """What a test may do to the switch behind the switch's back."""

    @property
    def switch(self) -> Stoppable: ...
    @property
    def channel(self) -> IPacketChannel: ...

    def add_port(self, name: str) -> int: ...
    def remove_port(self, name: str) -> None: ...
    def inject(self, ofport: int, frame: bytes) -> None: ...
    def frames_of(self, name: str) -> list[bytes]: ...
    def restart(self) -> None: ...
    def change_by_others(self, flow: Flow) -> None: ...
    def until(self, is_so: Callable[[], bool]) -> Awaitable[None]: ...
    def assertEqual(self, first: Any, second: Any, msg: Any = ...) -> None: ...
    def assertTrue(self, what: Any, msg: Any = ...) -> None: ...
    def assertIn(self, what: Any, where: Any, msg: Any = ...) -> None: ...
    def assertFailure(self, deferred: Deferred[Any], *kinds: type[BaseException]) -> Deferred[Any]: ...


class SwitchContract:
    """Mixed into a trial TestCase that is a World; ``switch`` and ``channel`` are connected when a test begins."""

    async def test_added_flows_are_read_back_byte_by_byte(self: World) -> None:
        """What is put is what is read: cookies, matches and actions alike."""
        flows = (IP_FLOW, OTHER_FLOW, DROP_FLOW)
        await self.switch.change(SwitchChange(put_flows=flows))
        state = await self.switch.read()
        self.assertEqual(set(state.flows), set(flows))

    async def test_what_others_change_is_told(self: World) -> None:
        """A flow that somebody else puts; of what is changed here nothing is told."""
        told: list[None] = []
        self.switch.on_foreign_change(lambda: told.append(None))
        await self.switch.change(SwitchChange(put_flows=(DROP_FLOW,)))
        await self.switch.read()
        self.assertEqual(told, [])
        self.change_by_others(evolve(DROP_FLOW, priority=9))
        await self.until(lambda: bool(told))
        told.clear()
        await self.switch.change(SwitchChange(remove_flows=(DROP_FLOW, evolve(DROP_FLOW, priority=9))))
        await self.switch.read()
        self.assertEqual(told, [])

    async def test_same_key_replaces(self: World) -> None:
        """A flow with the key of another takes its place, with a new cookie and new actions."""
        new = Flow(IP_FLOW.table, IP_FLOW.priority, IP_FLOW.match, 0x5100000000000009, instructions(resubmit(9)))
        await self.switch.change(SwitchChange(put_flows=(IP_FLOW,)))
        await self.switch.change(SwitchChange(put_flows=(new,)))
        self.assertEqual((await self.switch.read()).flows, (new,))

    async def test_removal_takes_exactly_the_key(self: World) -> None:
        """Only the flow of that table, priority and match goes, though others match all that it matches."""
        wider = Flow(IP_FLOW.table, IP_FLOW.priority, match(in_port=3), 1, DROP)
        narrower = Flow(IP_FLOW.table, IP_FLOW.priority, match(in_port=3, eth_type=0x0800, ip_proto=6), 1, DROP)
        await self.switch.change(SwitchChange(put_flows=(wider, narrower, IP_FLOW)))
        await self.switch.change(SwitchChange(remove_flows=(wider,)))
        self.assertEqual(set((await self.switch.read()).flows), {narrower, IP_FLOW})

    async def test_removing_what_is_not_there_is_no_error(self: World) -> None:
        """Flows, groups and meters that are gone already may be removed again."""
        await self.switch.change(SwitchChange(remove_flows=(IP_FLOW,), remove_groups=(4,), remove_meters=(4,)))
        self.assertEqual((await self.switch.read()).flows, ())

    async def test_put_then_removed_in_one_change_is_gone(self: World) -> None:
        """Flows are put before they are removed."""
        await self.switch.change(SwitchChange(put_flows=(IP_FLOW, DROP_FLOW), remove_flows=(IP_FLOW,)))
        self.assertEqual((await self.switch.read()).flows, (DROP_FLOW,))

    async def test_refused_flow_leaves_every_flow_as_it_was(self: World) -> None:
        """One bad flow: none of the change is added, none removed, and the error names the flow."""
        await self.switch.change(SwitchChange(put_flows=(DROP_FLOW,)))
        bad = SwitchChange(put_flows=(IP_FLOW, BAD_FLOW, OTHER_FLOW), remove_flows=(DROP_FLOW,))
        refused = await self.assertFailure(self.switch.change(bad), SwitchRefused)
        self.assertEqual((await self.switch.read()).flows, (DROP_FLOW,))
        self.assertIn("ipv4_dst=0.0.0.1", refused.part)

    async def test_flow_to_an_unknown_group_is_refused(self: World) -> None:
        """A group must be there before the flows that use it."""
        flow = Flow(0, 1, match(), 1, instructions(group(4)))
        await self.assertFailure(self.switch.change(SwitchChange(put_flows=(flow,))), SwitchRefused)
        self.assertEqual((await self.switch.read()).flows, ())

    async def test_flow_through_an_unknown_meter_is_refused(self: World) -> None:
        """A meter must be there before the flows that pass it."""
        flow = Flow(0, 1, match(), 1, instructions(output(1), meter=4))
        await self.assertFailure(self.switch.change(SwitchChange(put_flows=(flow,))), SwitchRefused)
        self.assertEqual((await self.switch.read()).flows, ())

    async def test_goto_goes_forward_only(self: World) -> None:
        """A jump to the same or an earlier table is refused (resubmit may)."""
        flow = Flow(5, 1, match(), 1, instructions(goto=5))
        await self.assertFailure(self.switch.change(SwitchChange(put_flows=(flow,))), SwitchRefused)

    async def test_works_after_a_refusal(self: World) -> None:
        """A refused change does not stand in the way of the next."""
        first = self.switch.change(SwitchChange(put_flows=(BAD_FLOW,)))
        second = self.switch.change(SwitchChange(put_flows=(IP_FLOW,)))
        await self.assertFailure(first, SwitchRefused)
        await second
        self.assertEqual((await self.switch.read()).flows, (IP_FLOW,))

    async def test_groups_are_put_and_replaced(self: World) -> None:
        """A group is added, then replaced while a flow uses it; its buckets are read back byte by byte."""
        one = Group(4, (output(1), set_field("reg5", 2) + resubmit(9)))
        two = Group(4, (output(2),))
        user = Flow(0, 1, match(), 1, instructions(group(4)))
        await self.switch.change(SwitchChange(put_groups=(one,), put_flows=(user,)))
        self.assertEqual((await self.switch.read()).groups, (one,))
        await self.switch.change(SwitchChange(put_groups=(two,)))
        state = await self.switch.read()
        self.assertEqual((state.groups, state.flows), ((two,), (user,)))

    async def test_group_without_buckets(self: World) -> None:
        """A network without ports floods to nobody."""
        await self.switch.change(SwitchChange(put_groups=(Group(4, ()),)))
        self.assertEqual((await self.switch.read()).groups, (Group(4, ()),))

    async def test_a_frame_goes_on_after_a_second_look(self: World) -> None:
        """A SELECT group of one bucket is read back as it was put, and gives each frame to the bucket, once."""
        look = Group(1 << 20, (resubmit(9),), is_select=True)
        number, frames = self.add_port("one"), self.frames_of("one")
        flows = (
            Flow(0, 1, match(), 1, instructions(set_field("reg5", 2) + group(1 << 20))),
            Flow(9, 1, match(reg5=2), 1, instructions(output(IN_PORT))),
        )
        await self.switch.change(SwitchChange(put_groups=(look,), put_flows=flows))
        self.assertEqual((await self.switch.read()).groups, (look,))
        self.inject(number, PADDED)
        await self.until(lambda: bool(frames))
        self.assertEqual(frames, [PADDED])

    async def test_removed_group_takes_its_flows_along(self: World) -> None:
        """As OpenFlow says; whoever removes a group removes or replaces its flows in the same change."""
        user = Flow(0, 1, match(), 1, instructions(group(4)))
        await self.switch.change(SwitchChange(put_groups=(Group(4, ()),), put_flows=(user, DROP_FLOW)))
        await self.switch.change(SwitchChange(remove_groups=(4,)))
        state = await self.switch.read()
        self.assertEqual((state.groups, state.flows), ((), (DROP_FLOW,)))

    async def test_meters_are_put_and_replaced(self: World) -> None:
        """A meter is added, put again, then changed while a flow passes it."""
        user = Flow(0, 1, match(), 1, instructions(output(1), meter=4))
        await self.switch.change(SwitchChange(put_meters=(Meter(4, 100, 20),), put_flows=(user,)))
        await self.switch.change(SwitchChange(put_meters=(Meter(4, 100, 20),)))
        await self.switch.change(SwitchChange(put_meters=(Meter(4, 50, 10),)))
        state = await self.switch.read()
        self.assertEqual((state.meters, state.flows), ((Meter(4, 50, 10),), (user,)))

    async def test_removed_meter_takes_its_flows_along(self: World) -> None:
        """As OpenFlow says; whoever removes a meter removes or replaces its flows in the same change."""
        user = Flow(0, 1, match(), 1, instructions(output(1), meter=4))
        await self.switch.change(SwitchChange(put_meters=(Meter(4, 100, 20),), put_flows=(user, DROP_FLOW)))
        await self.switch.change(SwitchChange(remove_meters=(4,)))
        state = await self.switch.read()
        self.assertEqual((state.meters, state.flows), ((), (DROP_FLOW,)))

    async def test_flow_moves_off_a_meter_that_goes(self: World) -> None:
        """Meters go last: a flow that is replaced in the same change stays."""
        metered = Flow(0, 1, match(), 1, instructions(output(1), meter=4))
        free = Flow(0, 1, match(), 2, instructions(output(1)))
        await self.switch.change(SwitchChange(put_meters=(Meter(4, 100, 20),), put_flows=(metered,)))
        await self.switch.change(SwitchChange(put_flows=(free,), remove_meters=(4,)))
        state = await self.switch.read()
        self.assertEqual((state.meters, state.flows), ((), (free,)))

    async def test_what_a_meter_drops_is_counted(self: World) -> None:
        """Nothing yet; of a meter that is not there nothing is known."""
        await self.switch.change(SwitchChange(put_meters=(Meter(4 << 16, 100, 20),)))
        self.assertEqual(await self.switch.read_drops(4 << 16), 0)
        await self.assertFailure(self.switch.read_drops(5), EdgeUnavailable)

    async def test_empty_change(self: World) -> None:
        """Nothing to do is done at once."""
        await self.switch.change(SwitchChange())

    async def test_ports_come_and_go(self: World) -> None:
        """Each port that appears or goes is told, and read."""
        told: list[tuple[str, int, bool]] = []
        self.switch.on_port(lambda port, is_there: told.append((port.name, port.ofport, is_there)))
        number = self.add_port("one")
        await self.until(lambda: len(told) == 1)
        state = await self.switch.read()
        self.assertIn(("one", number), [(port.name, port.ofport) for port in state.ports])
        self.remove_port("one")
        await self.until(lambda: len(told) == 2)
        self.assertEqual(told, [("one", number, True), ("one", number, False)])

    async def test_restart_is_noticed(self: World) -> None:
        """The loss is told, then the new connection; everything is gone and can be put again."""
        told: list[str] = []
        self.switch.on_lost(lambda: told.append("lost"))
        self.switch.on_connected(lambda: told.append("connected"))
        everything = SwitchChange((Meter(4, 9, 1),), (Group(4, ()),), (IP_FLOW, DROP_FLOW))
        await self.switch.change(everything)
        self.restart()
        await self.until(lambda: told == ["lost", "connected"])
        state = await self.switch.read()
        self.assertEqual((state.flows, state.groups, state.meters), ((), (), ()))
        await self.switch.change(everything)
        self.assertEqual(set((await self.switch.read()).flows), {IP_FLOW, DROP_FLOW})

    async def test_stopped_switch_is_unavailable(self: World) -> None:
        """After stop nothing is changed any more, and whoever tries is told."""
        await self.switch.stop()
        self.assertEqual(self.switch.is_connected, False)
        await self.assertFailure(self.switch.change(SwitchChange(put_flows=(IP_FLOW,))), EdgeUnavailable)
        await self.assertFailure(self.switch.read(), EdgeUnavailable)

    async def test_frames_come_with_userdata(self: World) -> None:
        """A flow sends a frame here whole, with what the flow's action says and the port where it came in."""
        seen: list[PacketIn] = []
        self.channel.on_packet(seen.append)
        number = self.add_port("one")
        punt = instructions(set_field("eth_src", mac("fa:16:3e:00:00:09")) + controller(b"arp of one", CONTROLLER_ID))
        await self.switch.change(SwitchChange(put_flows=(Flow(0, 1, match(in_port=number), 1, punt),)))
        self.inject(number, PADDED + bytes(1400))
        await self.until(lambda: bool(seen))
        changed = PADDED[:6] + bytes.fromhex("fa163e000009") + PADDED[12:] + bytes(1400)
        self.assertEqual(seen, [PacketIn(number, b"arp of one", changed)])

    async def test_frames_for_another_controller_do_not_come(self: World) -> None:
        """Only frames sent to the channel's own controller id arrive."""
        seen: list[PacketIn] = []
        self.channel.on_packet(seen.append)
        number = self.add_port("one")
        both = controller(b"theirs", CONTROLLER_ID + 1) + controller(b"ours", CONTROLLER_ID)
        await self.switch.change(SwitchChange(put_flows=(Flow(0, 1, match(), 1, instructions(both)),)))
        self.inject(number, PADDED)
        await self.until(lambda: bool(seen))
        self.assertEqual([packet.userdata for packet in seen], [b"ours"])

    async def test_sent_frame_leaves_by_its_port(self: World) -> None:
        """A frame is put on one port, whatever the flows say."""
        number = self.add_port("one")
        frames = self.frames_of("one")
        self.channel.send(number, PADDED)
        await self.until(lambda: bool(frames))
        self.assertEqual(frames, [PADDED])

    async def test_frame_to_a_port_that_is_gone_is_lost(self: World) -> None:
        """Sending to nowhere harms nobody."""
        self.channel.send(4321, PADDED)
        number = self.add_port("one")
        frames = self.frames_of("one")
        self.channel.send(number, PADDED)
        await self.until(lambda: bool(frames))
        self.assertTrue(self.channel.is_connected)

    async def test_channel_comes_back_after_a_restart(self: World) -> None:
        """After the switch restarted, frames come again, with all that a new connection needs set up."""
        told: list[str] = []
        seen: list[PacketIn] = []
        self.channel.on_connected(lambda: told.append("channel"))
        self.switch.on_connected(lambda: told.append("switch"))
        self.channel.on_packet(seen.append)
        number = self.add_port("one")
        self.restart()
        await self.until(lambda: sorted(told) == ["channel", "switch"])
        punt = instructions(controller(b"again", CONTROLLER_ID))
        await self.switch.change(SwitchChange(put_flows=(Flow(0, 1, match(), 1, punt),)))
        self.inject(number, PADDED)
        await self.until(lambda: bool(seen))
        self.assertEqual(seen, [PacketIn(number, b"again", PADDED)])

    async def test_frame_is_punted_after_conntrack(self: World) -> None:
        """Connection tracking hands a copy to the table that it names."""
        seen: list[PacketIn] = []
        self.channel.on_packet(seen.append)
        number = self.add_port("one")
        track = Flow(0, 1, match(eth_type=0x0800), 1, instructions(ct(zone=9, table=5)))
        new = Flow(5, 1, match(ct_state=(0x21, 0x21), ct_zone=9), 1, instructions(controller(b"new", CONTROLLER_ID)))
        await self.switch.change(SwitchChange(put_flows=(track, new)))
        self.inject(number, UDP)
        await self.until(lambda: bool(seen))
        self.assertEqual([packet.userdata for packet in seen], [b"new"])


UDP = bytes.fromhex(
    "fa163e000002 fa163e000001 0800 4500 0020 0001 0000 40 11 66ca 0a000001 0a000002 0400 0500 000c 0000 61626364"
) + bytes(14)

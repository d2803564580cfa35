"""OpenFlow on a real Open vSwitch: the contract, and that what is sent is what is read back."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from operator import eq
from pathlib import Path
from time import monotonic

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import FailTest, TestCase

from quantumd.edge.openflow.actions import conjunction, group, instructions, output
from quantumd.edge.openflow.channel import OvsPacketChannel
from quantumd.edge.openflow.interfaces import Flow, Group, Meter, SwitchChange
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.edge.openflow.switch import OvsSwitch
from quantumd.edge.openflow.text import flow_text
from tests.bed.openvswitch import PrivateOvs
from tests.contracts.switch import CONTROLLER_ID, SwitchContract
from tests.edge.openflow.pipeline import CHANGE, FRAMES, ONE, THREE, TWO
from tests.edge.openflow.samples import ACTIONS, MATCHES

_WAIT_SECONDS = 10.0
_WIRE_ID = 99


class OvsTestCase(TestCase):
    """One Open vSwitch for all tests of a class, an empty bridge for each."""

    timeout = 60
    ovs: PrivateOvs

    @classmethod
    def setUpClass(cls) -> None:
        cls.ovs = PrivateOvs(Path(tempfile.mkdtemp(prefix="quantumd-of-")))
        cls.ovs.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.ovs.stop()
        shutil.rmtree(cls.ovs.directory)

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        self.ovs.add_bridge("br-int")
        # Frames that leave br-int by a port arrive here, and go to a second channel.
        self.ovs.add_bridge("br-wire")
        self.switch = OvsSwitch(reactor, self.path("br-int"))
        self.channel = OvsPacketChannel(reactor, self.path("br-int"), CONTROLLER_ID)
        self.wires: list[OvsPacketChannel] = []
        self.peers: dict[int, int] = {}
        self.switch.start()
        self.channel.start()
        await self.until(lambda: self.switch.is_connected and self.channel.is_connected)

    async def tearDown(self) -> None:  # type: ignore[override]  # trial waits for it
        await self.switch.stop()
        for channel in (self.channel, *self.wires):
            await channel.stop()
        self.ovs.vsctl("--if-exists", "del-br", "br-int", "--", "--if-exists", "del-br", "br-wire")

    def path(self, bridge: str) -> str:
        """The management socket of a bridge."""
        return f"{self.ovs.directory}/{bridge}.mgmt"

    async def until(self, is_so: Callable[[], bool], seconds: float = _WAIT_SECONDS) -> None:
        """Wait until something is so."""
        deadline = monotonic() + seconds
        while not is_so():
            self.assertLess(monotonic(), deadline, "waited too long")
            await deferLater(reactor, 0.005)

    def add_port(self, name: str) -> int:
        """Plug a patch port whose other end is on br-wire."""
        self.ovs.vsctl(
            "add-port", "br-int", name, "--", "set", "interface", name, "type=patch", f"options:peer={name}-w",
            "--", "add-port", "br-wire", f"{name}-w",
            "--", "set", "interface", f"{name}-w", "type=patch", f"options:peer={name}",
        )  # fmt: skip
        number = self._ofport(name)
        self.peers[number] = self._ofport(f"{name}-w")
        return number

    def _ofport(self, interface: str) -> int:
        return int(self.ovs.vsctl("get", "interface", interface, "ofport"))

    def remove_port(self, name: str) -> None:
        """Unplug a port."""
        self.ovs.vsctl("del-port", "br-int", name)

    def inject(self, ofport: int, frame: bytes) -> None:
        """Let a frame come in by a port."""
        # From the other end: a packet-out that names a patch port as in_port is lost on its way through conntrack.
        out = f"in_port=LOCAL packet={frame.hex()} actions=output:{self.peers[ofport]}"
        self.ovs.ofctl("packet-out", out, bridge="br-wire")

    def frames_of(self, name: str) -> list[bytes]:
        """Return the list to which frames that leave by a port will be added."""
        frames: list[bytes] = []
        number = self._ofport(f"{name}-w")
        self.ovs.ofctl("add-flow", f"in_port={number} actions=controller(userdata=01,id={_WIRE_ID})", bridge="br-wire")
        wire = OvsPacketChannel(reactor, self.path("br-wire"), _WIRE_ID)
        wire.on_packet(lambda packet: frames.append(packet.frame) if packet.ofport == number else None)
        wire.start()
        self.wires.append(wire)
        return frames

    def restart(self) -> None:
        """Kill and start ovs-vswitchd."""
        self.ovs.kill("ovs-vswitchd")
        self.ovs.start_vswitchd()

    def change_by_others(self, flow: Flow) -> None:
        """Put a flow that drops everything of its table."""
        self.ovs.ofctl("add-flow", f"table={flow.table},priority={flow.priority},actions=drop")


class OvsSwitchContractTests(SwitchContract, OvsTestCase):
    """The contract, kept by OvsSwitch and OvsPacketChannel."""

    async def test_sent_frame_leaves_by_its_port(self) -> None:
        """A frame is put on one port, whatever the flows say."""
        number = self.add_port("one")
        frames = self.frames_of("one")
        await self.until(lambda: self.wires[0].is_connected)
        self.channel.send(number, b"\xff" * 60)
        await self.until(lambda: bool(frames))
        self.assertEqual(frames, [b"\xff" * 60])

    async def test_frame_to_a_port_that_is_gone_is_lost(self) -> None:
        """Sending to nowhere harms nobody."""
        self.channel.send(4321, b"\xff" * 60)
        number = self.add_port("one")
        frames = self.frames_of("one")
        await self.until(lambda: self.wires[0].is_connected)
        self.channel.send(number, b"\xff" * 60)
        await self.until(lambda: bool(frames))
        self.assertTrue(self.channel.is_connected)


class CanonicalTests(OvsTestCase):
    """A restart with an empty process plans nothing, because OVS gives back the very bytes it was sent."""

    async def test_every_match_is_read_back_as_sent(self) -> None:
        """Each field, masked or not, alone and with all others."""
        flows = tuple(Flow(1, n, match(**fields), n, b"") for n, fields in enumerate(MATCHES))
        await self.switch.change(SwitchChange(put_flows=flows))
        await self._assert_read(flows)

    async def test_every_action_is_read_back_as_sent(self) -> None:
        """Each action of the builders."""
        flows = tuple(
            Flow(1, n, match(**needs), n, instructions(packed)) for n, (packed, needs) in enumerate(ACTIONS.values())
        )
        await self.switch.change(SwitchChange((Meter(1, 9, 9),), (Group(7, ()),), flows))
        await self._assert_read(flows)

    async def test_every_action_is_read_back_as_sent_in_a_group(self) -> None:
        """Each action that needs nothing of the packet, as a bucket."""
        buckets = tuple(packed for packed, needs in ACTIONS.values() if not needs)
        usable = tuple(b for b in buckets if not b.startswith((group(7), conjunction(3, 1, 2))))
        await self.switch.change(SwitchChange((Meter(1, 9, 9),), (Group(7, usable),)))
        self.assertEqual((await self.switch.read()).groups, (Group(7, usable),))

    async def test_every_mix_of_instructions_is_read_back_as_sent(self) -> None:
        """Meter, actions and goto, each with and without the others."""
        mixes = [(acts, goto, meter) for acts in (b"", output(1)) for goto in (None, 9) for meter in (None, 1)]
        flows = tuple(
            Flow(2, n, match(), n, instructions(acts, goto=goto, meter=meter))
            for n, (acts, goto, meter) in enumerate(mixes)
        )
        await self.switch.change(SwitchChange((Meter(1, 9, 9),), (), flows))
        await self._assert_read(flows)

    async def test_meters_are_read_back_as_sent(self) -> None:
        """Of packets and of bits, and a changed one as it was changed."""
        meters = (Meter(1, 9, 8), Meter(3 << 16 | 1, 4_000_000_000, 7, is_kbps=True))
        await self.switch.change(SwitchChange(meters))
        self.assertEqual(set((await self.switch.read()).meters), set(meters))
        await self.switch.change(SwitchChange((Meter(1, 5, 4, is_kbps=True),), remove_meters=(3 << 16 | 1,)))
        self.assertEqual((await self.switch.read()).meters, (Meter(1, 5, 4, is_kbps=True),))

    async def _assert_read(self, flows: tuple[Flow, ...]) -> None:
        read = {(flow.table, flow.priority): flow for flow in (await self.switch.read()).flows}
        for flow in flows:
            found = read.get((flow.table, flow.priority))
            self.assertEqual(flow, found, f"\nsent {flow_text(flow)}\nread {found and flow_text(found)}")
        self.assertEqual(len(read), len(flows))


class BulkTests(OvsTestCase):
    """Tens of thousands of flows, without stopping the reactor."""

    async def test_fifty_thousand_flows_arrive_and_are_read(self) -> None:
        """More than two bundles' worth: all there, byte by byte."""
        flows = tuple(
            Flow(1, 5, match(in_port=n, eth_type=0x0800, ipv4_src=n), n, instructions(output(n), goto=4))
            for n in range(1, 50_001)
        )
        await self.switch.change(SwitchChange(put_flows=flows))
        self.assertEqual(set((await self.switch.read()).flows), set(flows))
        await self.switch.change(SwitchChange(remove_flows=flows))
        self.assertEqual((await self.switch.read()).flows, ())

    async def test_changes_wait_for_each_other(self) -> None:
        """Asked for at once, done one after the other: the last one wins."""
        flows = [Flow(1, 5, match(in_port=1), n, b"") for n in range(20)]
        changes = [self.switch.change(SwitchChange(put_flows=(flow,))) for flow in flows]
        for change in changes:
            await change
        self.assertEqual((await self.switch.read()).flows, (flows[-1],))

    async def test_connections_are_neither_controllers_nor_flush(self) -> None:
        """The bridge has no controller: stopping and starting leaves its flows alone."""
        flow = Flow(1, 5, match(in_port=1), 7, b"")
        await self.switch.change(SwitchChange(put_flows=(flow,)))
        await self.switch.stop()
        self.assertEqual(self.ovs.vsctl("get-controller", "br-int").strip(), "")
        self.switch.start()
        await self.until(lambda: self.switch.is_connected)
        self.assertEqual((await self.switch.read()).flows, (flow,))


class WalkTests(OvsTestCase):
    """The walker in memory says what Open vSwitch does."""

    async def test_same_lookups_and_outputs_as_a_trace(self) -> None:
        """For each frame: the same flows in the same order, and the same ports, as ofproto/trace says."""
        for number in (ONE, TWO, THREE):
            self.ovs.vsctl(
                "add-port", "br-int", f"t{number}", "--", "set", "interface", f"t{number}", "type=internal",
                f"ofport_request={number}",
            )  # fmt: skip
        await self.switch.change(CHANGE)
        memory = memory_bridge()
        for name, (ofport, frame) in FRAMES.items():
            walk = memory.walk(ofport, frame)
            trace = self.ovs.appctl("ofproto/trace", "br-int", f"in_port={ofport}", frame.hex())
            lookups, outputs = traced(trace, ofport)
            walked = [(hop.table, hop.flow.priority if hop.flow else None) for hop in walk.hops]
            self.assertEqual(walked, lookups, f"{name}\n{walk}\n{trace}")
            self.assertEqual([out.ofport for out in walk.outputs], outputs, f"{name}\n{walk}\n{trace}")

    async def test_same_frames_leave(self) -> None:
        """For each frame: the very bytes that the walker says leave by the very ports."""
        heard: dict[int, list[bytes]] = {}
        for number in (ONE, TWO, THREE):
            self.assertEqual(self.add_port(f"t{number}"), number)
            heard[number] = self.frames_of(f"t{number}")
        heard[0] = []
        self.channel.on_packet(lambda packet: heard[0].append(packet.frame))
        await self.until(lambda: all(wire.is_connected for wire in self.wires))
        await self.switch.change(CHANGE)
        memory = memory_bridge()
        for name, (ofport, frame) in FRAMES.items():
            walk = memory.walk(ofport, frame)
            expected: dict[int, list[bytes]] = {number: [] for number in (ONE, TWO, THREE)}
            expected[0] = [punt.packet.frame for punt in walk.punted]
            for out in walk.outputs:
                expected[out.ofport].append(out.frame)
            self.inject(ofport, frame)
            with contextlib.suppress(FailTest):
                await self.until(partial(eq, heard, expected), seconds=1.0)
            self.assertEqual(heard, expected, f"{name}\n{walk}")
            for frames in heard.values():
                frames.clear()


def memory_bridge() -> MemorySwitch:
    """The same pipeline in memory."""
    memory = MemorySwitch()
    memory.start()
    for number in (ONE, TWO, THREE):
        memory.add_port(number, f"t{number}")
    memory.change(CHANGE)
    return memory


def traced(text: str, in_port: int) -> tuple[list[tuple[int, int | None]], list[int]]:
    """Return the lookups (table, priority; None for a miss) and the output ports that a trace shows."""
    lookups: list[tuple[int, int | None]] = []
    outputs: list[int] = []
    for line in text.splitlines():
        if lookup := re.match(r"\s*(\d+)\. (.*)", line):
            priority = re.search(r"priority (\d+)", lookup[2])
            lookups.append((int(lookup[1]), int(priority[1]) if priority else None))
        elif port := re.match(r"\s*(?:output:|-> output port is )(\d+)$", line):
            outputs.append(int(port[1]))
        elif line.strip() == "IN_PORT":
            outputs.append(in_port)
        elif "skipping output" in line or "Nonexistent output" in line:
            outputs.pop()
    return lookups, outputs

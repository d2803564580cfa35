"""What OpenFlow costs: encoding and decoding a flow, and a bundle and a reading of 10,000 on a real Open vSwitch.

Run as root: ``python -m bench.openflow``. Without root, the figures of the switch are left out.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from statistics import median
from time import perf_counter
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from quantumd.edge.openflow import messages, replies
from quantumd.edge.openflow.actions import ct, instructions, load, set_field
from quantumd.edge.openflow.interfaces import Flow, SwitchChange
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.switch import OvsSwitch
from quantumd.edge.openflow.text import flow_text
from tests.bed.openvswitch import PrivateOvs

FLOWS = 10_000


def build(n: int) -> Flow:
    """One flow much like those of a port."""
    packed = instructions(set_field("reg5", n) + load("reg0", 1, 0, 8) + ct(zone="reg6", table=9), goto=40)
    found = match(in_port=n, eth_src=0xFA163E000000 + n, eth_type=0x0800, ipv4_src=n)
    return Flow(20, 100, found, 0x5101_0000_0000_0000 + n, packed)


def stats_part(flows: list[Flow]) -> bytes:
    """Flows as a list reply carries them."""
    parts = []
    for flow in flows:
        head = len(flow.match) + 4
        body = flow.match + bytes(-head % 8) + flow.instructions
        length = 48 + 4 + len(body)
        fixed = length.to_bytes(2, "big") + bytes((flow.table, 0)) + bytes(8) + flow.priority.to_bytes(2, "big")
        rest = bytes(10) + flow.cookie.to_bytes(8, "big") + bytes(16) + b"\0\1" + head.to_bytes(2, "big")
        parts.append(fixed + rest + body)
    return b"".join(parts)


def row(what: str, value: float, unit: str) -> None:
    """Print one line of the table."""
    print(f"| {what:<52} | {value:>9.2f} {unit:<3} |")


def timed(work: Callable[[], Any]) -> float:
    """Seconds that the quickest of five runs takes."""
    times = []
    for _ in range(5):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)


def codec() -> None:
    """Figures that need no switch."""
    flows = [build(n) for n in range(FLOWS)]
    part = stats_part(flows)
    each = 1e6 / FLOWS
    row("build a flow (4 fields, 3 actions, goto)", timed(lambda: [build(n) for n in range(FLOWS)]) * each, "us")
    row("  of it the match", timed(lambda: [_match(n) for n in range(FLOWS)]) * each, "us")
    pack = messages.bundled_flow_mod
    row("pack it into a bundle", timed(lambda: [pack(1, messages.ADD, flow, 1) for flow in flows]) * each, "us")
    row("unpack it from a list", timed(lambda: replies.flows(part)) * each, "us")
    row("put it into words", timed(lambda: [flow_text(flow) for flow in flows[:1000]]) * 1e3, "us")


def _match(n: int) -> bytes:
    return match(in_port=n, eth_src=0xFA163E000000 + n, eth_type=0x0800, ipv4_src=n)


@define
class Turns:
    """Watches how long the reactor is away, by asking for a turn as often as it can."""

    reactor: Any
    longest: float = 0.0
    _last: float = field(factory=perf_counter)
    _is_over: bool = False

    def watch(self) -> None:
        """Note how long the last turn took."""
        now = perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now
        if not self._is_over:
            self.reactor.callLater(0, self.watch)

    async def during(self, work: Callable[[], Deferred[Any]]) -> tuple[float, float]:
        """Return seconds that the work took, and the longest turn in them."""
        start = self._last = perf_counter()
        self.longest = 0.0
        await work()
        return perf_counter() - start, self.longest


async def on_switch(reactor: Any, path: str) -> None:
    """Figures of a real switch."""
    switch = OvsSwitch(reactor, path)
    switch.start()
    while not switch.is_connected:
        await deferLater(reactor, 0.01)
    few = tuple(build(n) for n in range(5))
    times = []
    for _ in range(200):
        start = perf_counter()
        await switch.change(SwitchChange(put_flows=few))
        times.append(perf_counter() - start)
    row("change of 5 flows, until its last barrier (p50)", median(times) * 1e3, "ms")
    turns = Turns(reactor)
    turns.watch()
    flows = tuple(build(n) for n in range(FLOWS))
    for what, work in (
        ("put 10,000 flows", lambda: switch.change(SwitchChange(put_flows=flows))),
        ("read 10,000 flows", switch.read),
        ("remove 10,000 flows", lambda: switch.change(SwitchChange(remove_flows=flows))),
    ):
        took, longest = await turns.during(work)
        row(what, took * 1e3, "ms")
        row("  longest reactor turn", longest * 1e3, "ms")
    turns._is_over = True
    await switch.stop()


async def main(reactor: Any) -> None:
    """Print the table."""
    codec()
    if os.geteuid() != 0:
        print("(not root: nothing measured on Open vSwitch)")
        return
    ovs = PrivateOvs(Path(tempfile.mkdtemp(prefix="quantumd-bench-")))
    try:
        ovs.start()
        ovs.add_bridge()
        await on_switch(reactor, f"{ovs.directory}/br-int.mgmt")
    finally:
        ovs.stop()
        rmtree(ovs.directory)


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor)))

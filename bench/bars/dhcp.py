"""Leases: how fast, at the first try, under a flood, and how many."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.bars.bed import Bed, Row, bed, stall_row, turns
from quantumd.dhcp.message import MessageType
from tests.bed.dhcp_client import Udhcpc
from tests.bed.host import Guest
from tests.bed.load import FrameStream
from tests.bed.wire import Wire
from tests.dhcp.client import frame_of, request_payload

FLOOD_PER_SECOND = 1000
PERFDHCP_RATE = 300
PERFDHCP_SECONDS = 5


def dhcp_bar() -> Iterator[Row]:
    """Leases of ordinary clients, and one port's lease while another floods the server."""
    with bed() as here, tempfile.TemporaryDirectory() as directory:
        network_id = here.make_network()
        yield from _leases(here, network_id, Path(directory))
        yield from _flood(here, network_id)
        yield stall_row("leases and a flood", *turns(here.appliance))
    with bed(dhcp__rate_per_port_pps="10000") as here:
        yield from _perfdhcp(here)


def _leases(here: Bed, network_id: str, directory: Path) -> Iterator[Row]:
    early = []
    for number in range(10):
        vm = here.make_vm(network_id)
        is_early = number % 2 == 0
        client = Udhcpc(vm, directory / str(number))
        began = time.monotonic()
        if is_early:
            client.start()
        here.ovs.plug(vm)
        here.appliance.await_status(vm.port_id, "ACTIVE", 10.0)
        if not is_early:
            client.start()
        client.await_event("bound")
        if is_early:
            early.append(time.monotonic() - began)
        client.stop()
        here.ovs.remove_vm(vm)
    served = [float(ms) for ms in re.findall(r"request of port .*: ack in ([\d.]+) ms", here.appliance.log())]
    yield Row(
        "first DISCOVER after ACTIVE → ACK, in the server, worst", "< 20 ms", f"{max(served):.1f} ms", max(served) < 20
    )
    first = max(early)
    yield Row("client started with the plug (it retries each second)", "1 retry", f"{first:.2f} s", first < 2)


def _flood(here: Bed, network_id: str) -> Iterator[Row]:
    guests = []
    for _ in range(2):
        vm = here.make_vm(network_id)
        here.ovs.plug(vm)
        here.appliance.await_status(vm.port_id, "ACTIVE", 10.0)
        guests.append(Guest(here.appliance.show("port", vm.port_id), vm))
    noisy, quiet = guests
    slowest = 0.0
    with FrameStream(FLOOD_PER_SECOND, source=noisy, frame=_ask(noisy, 1)), Wire(quiet.vm.namespace) as wire:
        time.sleep(0.5)
        for xid in range(2, 32):
            began = time.monotonic()
            wire.send(_ask(quiet, xid))
            if wire.await_frame(_is_answer) is None:
                raise TimeoutError("no answer during the flood")
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.1)
    figure = f"{slowest * 1000:.1f} ms"
    yield Row(
        f"{FLOOD_PER_SECOND} DISCOVER/s from one port: another's answer, worst of 30", "< 50 ms", figure, slowest < 0.05
    )


def _ask(guest: Guest, xid: int) -> bytes:
    return frame_of(request_payload(MessageType.DISCOVER, mac=guest.mac, xid=xid), source_mac=guest.mac)


def _is_answer(frame: bytes) -> bool:
    return frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[34:38] == b"\x00\x43\x00\x44"


def _perfdhcp(here: Bed) -> Iterator[Row]:
    network_id = here.make_network()
    vm = here.make_vm(network_id)
    here.ovs.plug(vm)
    here.appliance.await_status(vm.port_id, "ACTIVE", 10.0)
    server = here.appliance.request("GET", f"/v2.0/ports?network_id={network_id}&device_owner=network:dhcp").body
    address = here.appliance.show("port", vm.port_id)["fixed_ips"][0]["ip_address"]
    vm.run("ip", "address", "add", f"{address}/16", "dev", "eth0")
    before = here.appliance.cpu_seconds()
    command = ("perfdhcp", "-4", "-l", address, "-R", "1", "-b", f"mac={vm.mac}", "-r", str(PERFDHCP_RATE))
    target = server["ports"][0]["fixed_ips"][0]["ip_address"]
    # It exits with 3 when anything was dropped, which is what the row shows.
    printed = subprocess.run(
        ("ip", "netns", "exec", vm.namespace, *command, "-p", str(PERFDHCP_SECONDS), target),
        capture_output=True, text=True, check=False, timeout=60,
    ).stdout  # fmt: skip
    exchanges = PERFDHCP_RATE * PERFDHCP_SECONDS
    cost = (here.appliance.cpu_seconds() - before) / exchanges * 1000
    drops = [int(number) for number in re.findall(r"drops: (\d+)", printed)]
    delays = re.findall(r"avg delay: ([\d.]+) ms", printed)
    figure = f"{sum(drops)} dropped, {' / '.join(delays)} ms"
    yield Row(f"perfdhcp, {PERFDHCP_RATE}/s for {PERFDHCP_SECONDS} s: dropped, OFFER / ACK delay", "-", figure, None)
    yield Row("  server CPU per exchange of four", "-", f"{cost:.2f} ms", None)

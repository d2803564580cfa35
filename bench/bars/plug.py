"""From the plug to ACTIVE."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator

from bench.bars.bed import Bed, Row, bed, log_lines, stall_row, time_of, turns
from tests.bed.openvswitch import Vm

PLUGS = 50
IN_DATABASE = 10_000
_BULK = 500
PAUSE_SECONDS = 0.1
"""Between plugs: Open vSwitch goes on for a while after a port is there."""

WAIT_SECONDS = 10.0


def plug_once(here: Bed, vm: Vm) -> tuple[float, float, float]:
    """Plug a VM; return ms from the command's start to ACTIVE, our own share, and Open vSwitch's share."""
    time.sleep(PAUSE_SECONDS)
    start = here.appliance.log_bytes
    began = time.time()
    here.ovs.plug(vm)
    # The log is watched, not the API: a client that polls would slow down what is measured.
    while f"port {vm.port_id} is ACTIVE" not in here.appliance.log_after(start):
        if time.time() - began > WAIT_SECONDS:
            raise TimeoutError(f"port {vm.port_id} is not ACTIVE")
        time.sleep(0.01)
    lines = log_lines(here.appliance, start)
    active = time_of(lines, f"port {vm.port_id} is ACTIVE")
    # Its number and its port come over two connections; the later of the two is when the work can begin.
    numbered = time_of(lines, f"device {vm.tap} ")
    world = sum(
        float(found[1])
        for line in lines
        if line.at >= numbered and (found := re.search(r"l2 did .* world_ms=([\d.]+)", line.text))
    )
    return (active - began) * 1000, (active - numbered) * 1000 - world, (numbered - began) * 1000 + world


def plug_bar() -> Iterator[Row]:
    """Plug → ACTIVE, with few and with many plugged."""
    with bed() as here:
        network_id = here.make_network()
        yield from _plugs(here, network_id, "fewer than 60 plugged", 30, 60)
        _create(here, network_id, IN_DATABASE)
        yield from _plugs(here, network_id, f"fewer than 60 plugged, {IN_DATABASE} in the database", 40)
        for count in (200, 1000):
            here.fill(network_id, count)
            yield from _plugs(here, network_id, f"{count} plugged")
        here.appliance.request("GET", "/v2.0/ports")
        full = here.appliance.pss_kib() / 1024
        yield Row("PSS with 1,000 plugged ports and a full list", "-", f"{full:.0f} MiB", None)
        yield stall_row("1,000 plugs", *turns(here.appliance))
        seconds = here.appliance.restart("/readyz")
        yield Row("restart with 1,000 plugged → ready", "-", f"{seconds:.2f} s", None)
        yield stall_row("a start with 1,000 plugged", *turns(here.appliance))


def _create(here: Bed, network_id: str, count: int) -> None:
    """Make ports that are nowhere, of other projects: they are in other security groups than those that are plugged."""
    for number in range(count // _BULK):
        some = [{"network_id": network_id, "project_id": f"project-{number}"}] * _BULK
        answer = here.appliance.request("POST", "/v2.0/ports", {"ports": some}, timeout_seconds=60)
        if answer.status != 201:
            raise RuntimeError(f"{answer.status} {answer.body}")


def _plugs(here: Bed, network_id: str, what: str, *limits: int) -> Iterator[Row]:
    """Plug some; ``limits`` are those of the p50 and of the p95, in ms, as far as there are any."""
    vms = [here.make_vm(network_id) for _ in range(PLUGS)]
    times = [plug_once(here, vm) for vm in vms]
    whole, own, switch = (sorted(column) for column in zip(*times, strict=True))
    p50, p95 = whole[len(whole) // 2], whole[int(len(whole) * 0.95)]
    limit = f"< {' / '.join(map(str, limits))} ms" if limits else "-"
    met = all(value < most for value, most in zip((p50, p95), limits, strict=False)) if limits else None
    yield Row(f"plug → ACTIVE, p50 / p95 over {PLUGS}, {what}", limit, f"{p50:.0f} / {p95:.0f} ms", met)
    ours, theirs = statistics.median(own), statistics.median(switch)
    yield Row(f"  quantumd's own share, median, {what}", "< 15 ms", f"{ours:.1f} ms", ours < 15)
    yield Row(f"  Open vSwitch's and ovs-vsctl's share, median, {what}", "-", f"{theirs:.1f} ms", None)
    here.ovs.remove_vms()

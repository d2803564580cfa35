"""How long a plug takes while a VM sends all it can."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from bench.bars.bed import Bed, Row, bed
from bench.bars.plug import plug_once
from tests.bed.flood import KINDS
from tests.bed.openvswitch import Vm

PORTS = 500
PLUGS = 6
LIMIT_MS = 1000.0
WARM_SECONDS = 2.0


@frozen
class _Booted:
    """A port and its VM."""

    port: dict[str, Any]
    vm: Vm


def storms_bar() -> Iterator[Row]:
    """Plug → ACTIVE on a network with many ports on the host, with and without a storm; the meters are the default."""
    yield from _storms("by default")
    yield from _storms("without meters", l2__storm_rate_pps="0")


def _storms(how: str, **settings: str) -> Iterator[Row]:
    with bed(quota__port="-1", **settings) as here:
        network_id = here.make_network()
        here.fill(network_id, PORTS)
        sender, hearer = _boot(here, network_id), _boot(here, network_id)
        quiet = _plugs(here, network_id)
        yield Row(f"plug → ACTIVE, median, {PORTS} ports of the network plugged, {how}", "-", f"{quiet:.0f} ms", None)
        for kind in KINDS:
            with _flood(kind, sender, hearer):
                yield _row(kind, how, _plugs(here, network_id) - quiet)
        with _bridged(here, network_id, sender, hearer):
            yield _row("bridging two of its ports", how, _plugs(here, network_id) - quiet)


def _row(kind: str, how: str, delay_ms: float) -> Row:
    return Row(f"  longer while a VM sends: {kind}, {how}", "< 1 s", f"{delay_ms:.0f} ms", delay_ms < LIMIT_MS)


def _boot(here: Bed, network_id: str, **said: Any) -> _Booted:
    port = here.appliance.create("port", network_id=network_id, **said)
    vm = here.ovs.make_vm(port["id"], port["mac_address"])
    here.ovs.plug(vm)
    here.appliance.await_status(port["id"])
    return _Booted(port, vm)


def _plugs(here: Bed, network_id: str) -> float:
    time.sleep(WARM_SECONDS)
    return statistics.median(plug_once(here, here.make_vm(network_id))[0] for _ in range(PLUGS))


@contextmanager
def _flood(kind: str, sender: _Booted, hearer: _Booted) -> Iterator[None]:
    ends = [word for each in (sender, hearer) for word in (each.vm.mac, each.port["fixed_ips"][0]["ip_address"])]
    command = ["ip", "netns", "exec", sender.vm.namespace, sys.executable, "-m", "tests.bed.flood", kind, *ends]
    flood = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        flood.send_signal(signal.SIGINT)
        flood.wait(10)


@contextmanager
def _bridged(here: Bed, network_id: str, sender: _Booted, hearer: _Booted) -> Iterator[None]:
    free = {"port_security_enabled": False, "security_groups": []}
    first, second = (_boot(here, network_id, **free).vm for _ in range(2))
    # Both devices into the first VM, which bridges them: each broadcast goes round.
    second.run("ip", "link", "set", "eth0", "name", "eth1")
    second.run("ip", "link", "set", "eth1", "netns", first.namespace)
    first.run("ip", "link", "add", "br0", "type", "bridge")
    for device in ("eth0", "eth1", "br0"):
        if device != "br0":
            first.run("ip", "link", "set", device, "master", "br0")
        first.run("ip", "link", "set", device, "up")
    with _flood("broadcast", sender, hearer):
        time.sleep(WARM_SECONDS)
    yield
    first.run("ip", "link", "set", "br0", "down")

"""DNS: how many questions of VMs are answered, of names of ports and of names that others are asked."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench.bars.bed import Bed, Row, routed_bed, stall_row, turns
from tests.bed.dns_upstream import PORT, DnsUpstream
from tests.bed.openvswitch import Vm

CLIENTS = 8
COUNT = 4000
_DOMAIN = "bench.example"
_NAME = "web"
_START_SECONDS = 10.0


def dns_bar() -> Iterator[Row]:
    """One VM that asks by UDP, the next question when the last is answered."""
    settings = {
        "dns__enabled": "true",
        "dns__upstream": f'["127.0.0.1:{PORT}"]',
        "dns__rate_per_port": "100000",
        "network__dns_domain": _DOMAIN,
        "l2__service_rate_pps": "100000",
    }
    with routed_bed(**settings) as here:
        upstream = DnsUpstream(here.ovs.namespace)
        upstream.start()
        try:
            vm, server = _asking_vm(here)
            for name, what in ((f"{_NAME}.{_DOMAIN}", "a port's name"), ("a.small", "a name of others")):
                yield from _row(_ask(vm, server, name, COUNT), f"DNS, {CLIENTS} at once, {what}")
            yield stall_row("DNS", *turns(here.appliance))
        finally:
            upstream.stop()


def _row(told: dict[str, Any], what: str) -> Iterator[Row]:
    taken = sorted(told["taken"])
    if told["wrong"]:
        raise RuntimeError(f"{len(told['wrong'])} questions were not answered: {told['wrong'][0]}")
    p50, p99 = (taken[len(taken) * part // 100] * 1000 for part in (50, 99))
    yield Row(f"{what}: questions", "-", f"{len(taken) / told['seconds']:.0f}/s", None)
    yield Row(f"{what}: p99", "-", f"{p99:.1f} ms (p50 {p50:.1f})", None)


def _ask(vm: Vm, server: str, name: str, count: int) -> dict[str, Any]:
    words = ("-m", "bench.bars.dns_load", server, name, str(CLIENTS), str(count))
    told: dict[str, Any] = json.loads(vm.run(sys.executable, *words, timeout_seconds=60))
    return told


def _asking_vm(here: Bed) -> tuple[Vm, str]:
    """Return a VM, whose port is the one with a name, and the server of its network, once that answers."""
    network_id = here.make_network()
    query = f"/v2.0/ports?network_id={network_id}&device_owner=network:dhcp"
    (serving,) = here.appliance.request("GET", query).body["ports"]
    server = str(serving["fixed_ips"][0]["ip_address"])
    vm = here.make_addressed_vm(network_id, dns_name=_NAME)
    deadline = time.monotonic() + _START_SECONDS
    while not _is_known(vm, server):
        if time.monotonic() > deadline:
            raise TimeoutError("no DNS")
        time.sleep(0.1)
    return vm, server


def _is_known(vm: Vm, server: str) -> bool:
    try:
        return bool(vm.run("dig", f"@{server}", "+short", "+tries=1", "+time=1", f"{_NAME}.{_DOMAIN}").strip())
    except subprocess.CalledProcessError:
        return False

"""Metadata: how many requests of VMs are passed on to Nova, and how long each takes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.bars.bed import Bed, Row, routed_bed, stall_row, turns
from tests.bed.metadata_api import PORT, SECRET
from tests.bed.openvswitch import Vm

CLIENTS = 8
COUNT = 3000
_START_SECONDS = 10.0


def metadata_bar() -> Iterator[Row]:
    """One VM that asks over a few connections, which it keeps, or makes anew for each request."""
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write(SECRET)
        secret.flush()
        yield from _measured(secret.name)


def _measured(secret_file: str) -> Iterator[Row]:
    settings = {
        "metadata__enabled": "true",
        "metadata__nova_url": f"http://127.0.0.1:{PORT}",
        "metadata__secret_file": secret_file,
        "metadata__rate_per_port": "100000",
        "l2__service_rate_pps": "100000",
    }
    with routed_bed(**settings) as here, _nova(here):
        vm = _asking_vm(here)
        for kind, words in (("kept", "connections that are kept"), ("new", "a connection for each")):
            yield from _row(_ask(vm, kind), f"metadata, {CLIENTS} at once, {words}")
        yield stall_row("metadata", *turns(here.appliance))


def _row(told: dict[str, Any], what: str) -> Iterator[Row]:
    taken = sorted(told["taken"])
    if told["wrong"]:
        raise RuntimeError(f"{len(told['wrong'])} requests were not answered: {told['wrong'][0]}")
    rate = len(taken) / told["seconds"]
    p99 = taken[len(taken) * 99 // 100] * 1000
    yield Row(f"{what}: requests", ">= 300/s", f"{rate:.0f}/s", rate >= 300)
    yield Row(f"{what}: p99", "< 50 ms", f"{p99:.1f} ms (p50 {taken[len(taken) // 2] * 1000:.1f})", p99 < 50)


def _ask(vm: Vm, kind: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        vm.run(sys.executable, "-m", "bench.bars.metadata_load", str(CLIENTS), str(COUNT), kind, timeout_seconds=60)
    )
    return told


def _asking_vm(here: Bed) -> Vm:
    vm = here.make_addressed_vm(here.make_network(), device_id="5d668efa-f9c9-4d3d-886a-8546bb9d438f")
    vm.run("ip", "route", "add", "169.254.169.254/32", "dev", "eth0")
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(vm):
        if time.monotonic() > deadline:
            raise TimeoutError("no metadata")
        time.sleep(0.1)
    return vm


def _answers(vm: Vm) -> bool:
    try:
        vm.run("curl", "-sf", "-o", "/dev/null", "--max-time", "1", "http://169.254.169.254/")
    except subprocess.CalledProcessError:
        return False
    return True


@contextmanager
def _nova(here: Bed) -> Iterator[None]:
    command = ("ip", "netns", "exec", here.ovs.namespace, sys.executable, "-m", "bench.bars.metadata_nova", str(PORT))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as nova:
        try:
            assert nova.stdout is not None
            nova.stdout.readline()
            yield
        finally:
            nova.kill()

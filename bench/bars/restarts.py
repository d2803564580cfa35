"""Restarts of the daemon and of the switch, under traffic."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.bars.bed import Bed, Row, bed, stall_row, turns
from tests.bed.dhcp_client import Udhcpc
from tests.bed.host import Guest
from tests.bed.load import EchoStream, RequestStream
from tests.bed.openvswitch import Vm

RESTARTS = 10
ECHOES_PER_SECOND = 1000
REQUESTS_PER_SECOND = 100


def daemon_bar() -> Iterator[Row]:
    """Restarts of the daemon under a stream of pings and one of requests."""
    with bed() as here, tempfile.TemporaryDirectory() as directory:
        network_id = here.make_network()
        one, two = (_leased(here, network_id, Path(directory)) for _ in range(2))
        path = f"/v2.0/ports?network_id={network_id}&device_owner=&fields=status"
        flows = _flow_count(here)
        with ExitStack() as streams:
            echoes = streams.enter_context(EchoStream(ECHOES_PER_SECOND, source=one, target=two))
            asked = [streams.enter_context(_requests(here, path, is_kept)) for is_kept in (True, False)]
            began = time.monotonic()
            for _ in range(RESTARTS):
                time.sleep(0.5)
                here.appliance.restart("/readyz")
            time.sleep(0.5)
            seconds = time.monotonic() - began
            youngest = min(_flow_ages(here))
        deleted = flows - sum(age > seconds - 1 for age in _flow_ages(here))
        broken, sent = sum(len(s.broken) for s in asked), sum(s.sent for s in asked)
        is_met = echoes.lost == 0 and broken == 0 and deleted == 0
        figure = f"{echoes.lost}, {deleted}, {broken} of {echoes.sent}, {flows}, {sent}"
        yield Row(f"{RESTARTS} restarts: lost packets, deleted flows, broken requests", "0, 0, 0", figure, is_met)
        longest = max(s.longest_seconds for s in asked)
        yield Row("  the longest request during the restarts", "-", f"{longest:.2f} s", None)
        yield Row("  the youngest flow after so long", "-", f"{youngest:.0f} s after {seconds:.0f} s", None)
        yield stall_row("the last start under load", *turns(here.appliance))


def _requests(here: Bed, path: str, is_kept: bool) -> RequestStream:
    host, port = here.appliance.host, here.appliance.port
    return RequestStream(REQUESTS_PER_SECOND // 2, host=host, port=port, path=path, is_kept=is_kept)


def _leased(here: Bed, network_id: str, directory: Path) -> Guest:
    vm = here.make_vm(network_id)
    here.ovs.plug(vm)
    here.appliance.await_status(vm.port_id, "ACTIVE", 10.0)
    client = Udhcpc(vm, directory)
    client.start()
    client.await_event("bound")
    client.stop()
    return Guest(here.appliance.show("port", vm.port_id), vm)


def _flow_ages(here: Bed) -> list[float]:
    return [float(age) for age in re.findall(r" duration=([0-9.]+)s,", here.ovs.ofctl("dump-flows"))]


def _flow_count(here: Bed) -> int:
    return len(_flow_ages(here))


def switch_bar() -> Iterator[Row]:
    """Death of ovs-vswitchd: until traffic is back, counted from its socket being back."""
    with bed() as here, tempfile.TemporaryDirectory() as directory:
        network_id = here.make_network()
        one, two = (_leased(here, network_id, Path(directory)) for _ in range(2))
        here.fill(network_id, 198)
        waits = []
        for _ in range(5):
            here.ovs.kill("ovs-vswitchd")
            socket_path = here.ovs.directory / f"{here.ovs.bridge}.mgmt"
            socket_path.unlink(missing_ok=True)
            here.ovs.start_vswitchd()
            while not socket_path.exists():
                time.sleep(0.002)
            began = time.monotonic()
            while subprocess.run(_one_ping(one.vm, two.ip), capture_output=True, check=False).returncode:
                if time.monotonic() - began > 20:
                    raise TimeoutError("traffic is not back after 20 s")
            waits.append(time.monotonic() - began)
        worst = max(waits)
        yield Row(
            "ovs-vswitchd killed, 200 plugged: traffic back, worst of 5", "< 1.5 s", f"{worst:.2f} s", worst < 1.5
        )
        yield stall_row("restarts of ovs-vswitchd", *turns(here.appliance))


def _one_ping(vm: Vm, address: str) -> tuple[str, ...]:
    return ("ip", "netns", "exec", vm.namespace, "ping", "-c", "1", "-W", "0.1", "-n", address)

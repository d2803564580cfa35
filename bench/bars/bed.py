"""What the bars are measured on, and what a bar is."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import define, frozen

from tests.bed.appliance import Appliance
from tests.bed.openvswitch import PrivateOvs, Vm

FAR_BRIDGE = "br-far"
SUBNET = "10.0.0.0/16"


@frozen
class Row:
    """One bar: what it says, what was measured."""

    bar: str
    limit: str
    figure: str
    is_met: bool | None


@define
class Bed:
    """A switch and an appliance, with a network."""

    ovs: PrivateOvs
    appliance: Appliance
    filled: int = 0

    def make_network(self, cidr: str = SUBNET) -> str:
        """Make a network with one subnet; return its id."""
        network = self.appliance.create("network", name="bench")
        self.appliance.create("subnet", network_id=network["id"], ip_version=4, cidr=cidr)
        return str(network["id"])

    def make_vm(self, network_id: str) -> Vm:
        """Make a port and a VM for it, not plugged."""
        port = self.appliance.create("port", network_id=network_id)
        return self.ovs.make_vm(port["id"], port["mac_address"])

    def make_addressed_vm(self, network_id: str, **attributes: Any) -> Vm:
        """Make a port and a VM for it, plugged, ACTIVE and with its address."""
        port = self.appliance.create("port", network_id=network_id, **attributes)
        vm = self.ovs.make_vm(port["id"], port["mac_address"])
        self.ovs.plug(vm)
        self.appliance.await_status(vm.port_id)
        length = SUBNET.partition("/")[2]
        vm.run("ip", "address", "add", f"{port['fixed_ips'][0]['ip_address']}/{length}", "dev", "eth0")
        return vm

    def fill(self, network_id: str, count: int) -> None:
        """Plug more ports that have no device (patch ports) until there are so many, and wait until all are ACTIVE."""
        while self.filled < count:
            some = [{"network_id": network_id} for _ in range(min(100, count - self.filled))]
            made = self.appliance.request("POST", "/v2.0/ports", {"ports": some}).body["ports"]
            plug_patches(self.ovs, [port["id"] for port in made])
            self.filled += len(made)
        self.await_active(network_id, count)

    def await_active(self, network_id: str, count: int, limit_seconds: float = 60.0) -> float:
        """Wait until so many ports of the network are ACTIVE; return the seconds that took."""
        began = time.monotonic()
        path = f"/v2.0/ports?network_id={network_id}&status=ACTIVE&fields=id"
        while len(self.appliance.request("GET", path).body["ports"]) < count:
            if time.monotonic() - began > limit_seconds:
                raise TimeoutError(f"not {count} ports ACTIVE within {limit_seconds} s")
            time.sleep(0.05)
        return time.monotonic() - began


def plug_patches(ovs: PrivateOvs, port_ids: list[str]) -> None:
    """Plug ports that are wired to a bridge of strangers, in one transaction.

    A patch port without a peer would not do: Open vSwitch tries it anew and tells its error again with every change of
    the bridge, which no port of a VM makes it do.
    """
    words = ["--", "--may-exist", "add-br", FAR_BRIDGE, "--", "set", "bridge", FAR_BRIDGE]
    words += ["datapath_type=netdev", "fail_mode=secure"]
    for port_id in port_ids:
        name, far = f"tap{port_id[:11]}", f"far{port_id[:11]}"
        words += ["--", "add-port", FAR_BRIDGE, far, "--", "set", "Interface", far]
        words += ["type=patch", f"options:peer={name}"]
        words += ["--", "add-port", ovs.bridge, name, "--", "set", "Interface", name, "type=patch"]
        words += [f"options:peer={far}", f"external-ids:iface-id={port_id}"]
    ovs.vsctl(*words)


@contextmanager
def bed(**settings: str) -> Iterator[Bed]:
    """Run a switch and an appliance on it."""
    with _bed(settings, where_switch=False) as here:
        yield here


@contextmanager
def routed_bed(**settings: str) -> Iterator[Bed]:
    """Run a switch and an appliance in the same namespace, which makes devices there."""
    with _bed(settings, where_switch=True) as here:
        yield here


@contextmanager
def _bed(settings: Mapping[str, str], where_switch: bool) -> Iterator[Bed]:
    with tempfile.TemporaryDirectory(prefix="quantumd-bench-") as directory:
        ovs = PrivateOvs(Path(directory) / "ovs")
        dotted = {name.replace("__", "."): value for name, value in settings.items()}
        where = ovs.namespace if where_switch else ""
        appliance = Appliance(Path(directory) / "state", ovs.directory, dotted, namespace=where)
        try:
            ovs.start()
            appliance.start()
            yield Bed(ovs, appliance)
        finally:
            appliance.close()
            ovs.stop()


def load(port: int, clients: int, count: int, requests: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Make ``count`` requests, (method, path, body, headers) in turn, in a process of its own; see bench.bars.load."""
    wanted = json.dumps({"port": port, "clients": clients, "count": count, "requests": requests})
    command = [sys.executable, "-m", "bench.bars.load"]
    printed = subprocess.run(command, input=wanted, capture_output=True, text=True, check=True, timeout=150)
    result: dict[str, Any] = json.loads(printed.stdout)
    return result


@frozen
class Seen:
    """A line of the log: when (seconds since the epoch) and what."""

    at: float
    text: str


def log_lines(appliance: Appliance, start: int) -> list[Seen]:
    """Return the log's lines after the first ``start`` bytes, with their times."""
    lines = []
    for line in appliance.log_after(start).splitlines():
        stamp, _, text = line.partition(" ")
        if stamp.endswith("Z"):
            at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
            lines.append(Seen(at.timestamp(), text))
    return lines


def time_of(lines: list[Seen], *words: str) -> float:
    """Return the time of the last line that holds all the words."""
    return max(line.at for line in lines if all(word in line.text for word in words))


def turns(appliance: Appliance) -> tuple[int, float]:
    """Return how many reactor stalls there were and the longest turn in ms."""
    metrics = appliance.metrics()
    return int(metrics["quantumd_reactor_stalls_total"]), metrics["quantumd_reactor_longest_turn_seconds"] * 1000


def stall_row(what: str, stalls: int, longest_ms: float) -> Row:
    """Return the bar of the reactor for one bench."""
    return Row(f"reactor stalls over 50 ms during {what}", "0", f"{stalls} (longest {longest_ms:.0f} ms)", stalls == 0)

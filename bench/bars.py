"""The bars of the appliance: each measured on the real thing, printed as one table.

Needs root and Open vSwitch; runs a private one in a namespace of its own. ``python -m bench.bars [NAME…]`` runs those
named: start, plug, creates, dhcp, switch.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from attrs import define, frozen

from tests.bed.appliance import Appliance
from tests.bed.dhcp_client import Udhcpc
from tests.bed.openvswitch import PrivateOvs, Vm

PLUGS = 50
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
    """Plug ports that have no device behind them, in one transaction."""
    words: list[str] = []
    for port_id in port_ids:
        name = f"tap{port_id[:11]}"
        words += ["--", "add-port", ovs.bridge, name, "--", "set", "Interface", name, "type=patch"]
        words += [f"options:peer=no{port_id[:11]}", f"external-ids:iface-id={port_id}"]
    ovs.vsctl(*words)


@contextmanager
def bed(**settings: str) -> Iterator[Bed]:
    """Run a switch and an appliance on it."""
    with tempfile.TemporaryDirectory(prefix="quantumd-bench-") as directory:
        ovs = PrivateOvs(Path(directory) / "ovs")
        dotted = {name.replace("__", "."): value for name, value in settings.items()}
        appliance = Appliance(Path(directory) / "state", ovs.directory, dotted)
        try:
            ovs.start()
            appliance.start()
            yield Bed(ovs, appliance)
        finally:
            appliance.close()
            ovs.stop()


# --- what the log says


@frozen
class Seen:
    """A line of the log: when (seconds since the epoch) and what."""

    at: float
    text: str


def log_lines(appliance: Appliance) -> list[Seen]:
    """Return the log's lines with their times."""
    lines = []
    for line in appliance.log().splitlines():
        stamp, _, text = line.partition(" ")
        if stamp.endswith("Z"):
            at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
            lines.append(Seen(at.timestamp(), text))
    return lines


def time_of(lines: list[Seen], *words: str) -> float:
    """Return the time of the last line that holds all the words."""
    return max(line.at for line in lines if all(word in line.text for word in words))


# --- the bars


def start_bar() -> Iterator[Row]:
    """Start of the process to its first 200."""
    with bed() as here:
        seconds = [here.appliance.restart() for _ in range(7)]
        stalls, longest = turns(here.appliance)
        idle = here.appliance.pss_kib() / 1024
    median = statistics.median(seconds)
    yield Row("start of the process → first 200, median of 7", "< 1.5 s", f"{median:.2f} s", median < 1.5)
    yield Row("PSS idle", "< 90 MiB", f"{idle:.0f} MiB", idle < 90)
    yield stall_row("start", stalls, longest)


def turns(appliance: Appliance) -> tuple[int, float]:
    """Return how many reactor stalls there were and the longest turn in ms."""
    metrics = appliance.metrics()
    return int(metrics["quantumd_reactor_stalls_total"]), metrics["quantumd_reactor_longest_turn_seconds"] * 1000


def stall_row(what: str, stalls: int, longest_ms: float) -> Row:
    """Return the bar of the reactor for one bench."""
    return Row(f"reactor stalls over 50 ms during {what}", "0", f"{stalls} (longest {longest_ms:.0f} ms)", stalls == 0)


def plug_once(here: Bed, vm: Vm) -> tuple[float, float, float]:
    """Plug a VM; return ms from the command's start to ACTIVE, our own share, and Open vSwitch's share."""
    began = time.time()
    here.ovs.plug(vm)
    here.appliance.await_status(vm.port_id, "ACTIVE", 10.0)
    lines = [line for line in log_lines(here.appliance) if line.at >= began - 0.002]
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
        yield from _plugs(here, network_id, "fewer than 60 plugged", has_bar=True)
        for count in (200, 1000):
            here.fill(network_id, count)
            yield from _plugs(here, network_id, f"{count} plugged", has_bar=False)
        here.appliance.request("GET", "/v2.0/ports")
        full = here.appliance.pss_kib() / 1024
        yield Row("PSS with 1,000 plugged ports and a full list", "-", f"{full:.0f} MiB", None)
        yield stall_row("1,000 plugs", *turns(here.appliance))
        seconds = here.appliance.restart("/readyz")
        yield Row("restart with 1,000 plugged → ready", "-", f"{seconds:.2f} s", None)
        yield stall_row("a start with 1,000 plugged", *turns(here.appliance))


def _plugs(here: Bed, network_id: str, what: str, has_bar: bool) -> Iterator[Row]:
    vms = [here.make_vm(network_id) for _ in range(PLUGS)]
    times = [plug_once(here, vm) for vm in vms]
    whole, own, switch = (sorted(column) for column in zip(*times, strict=True))
    p50, p95 = whole[len(whole) // 2], whole[int(len(whole) * 0.95)]
    limit = "< 30 / 60 ms" if has_bar else "-"
    met = (p50 < 30 and p95 < 60) if has_bar else None
    yield Row(f"plug → ACTIVE, p50 / p95 over {PLUGS}, {what}", limit, f"{p50:.0f} / {p95:.0f} ms", met)
    ours, theirs = statistics.median(own), statistics.median(switch)
    yield Row(f"  quantumd's own share, median, {what}", "< 15 ms", f"{ours:.1f} ms", ours < 15)
    yield Row(f"  Open vSwitch's and ovs-vsctl's share, median, {what}", "-", f"{theirs:.1f} ms", None)
    here.ovs.remove_vms()


def creates_bar() -> Iterator[Row]:
    """Port creates by many clients."""
    with bed() as here:
        network_id = here.make_network()
        body = json.dumps({"port": {"network_id": network_id}})
        _load(here, 32, 500, body)
        wide = _load(here, 200, 2000, body)
        failures = sum(number for status, number in wide["statuses"].items() if status != "201")
        is_met = failures == 0 and wide["distinct_addresses"] == 2000
        figure = f"{failures} failed, {wide['distinct_addresses']} addresses, {2000 / wide['seconds']:.0f}/s"
        yield Row("2,000 ports by 200 clients: none fails, none equal", "0", figure, is_met)
        rates, costs = [], []
        for _ in range(3):
            before = here.appliance.cpu_seconds()
            done = _load(here, 32, 2000, body)
            rates.append(2000 / done["seconds"])
            costs.append((here.appliance.cpu_seconds() - before) / 2000 * 1000)
        rate, cost = statistics.median(rates), statistics.median(costs)
        yield Row("creates by 32 clients, median of 3", "≥ 700/s", f"{rate:.0f}/s", rate >= 700)
        yield Row("  server CPU per create", "-", f"{cost:.2f} ms", None)
        yield Row("  answer p50 / p99", "-", f"{done['p50_ms']:.0f} / {done['p99_ms']:.0f} ms", None)
        began = time.monotonic()
        listed = len(here.appliance.request("GET", "/v2.0/ports", timeout_seconds=60).body["ports"])
        seconds = time.monotonic() - began
        yield Row(f"one full list of {listed} ports", "-", f"{seconds:.2f} s", None)
        yield stall_row("creates and a full list", *turns(here.appliance))
    yield from memory_bar()


def memory_bar() -> Iterator[Row]:
    """Memory with 1,000 plugged ports, after a thousand creates by many clients and one full list."""
    with bed() as here:
        network_id = here.make_network()
        _load(here, 32, 1000, json.dumps({"port": {"network_id": network_id}}))
        ports = here.appliance.request("GET", "/v2.0/ports", timeout_seconds=60).body["ports"]
        ids = [port["id"] for port in ports if not port["device_owner"]]
        for start in range(0, len(ids), 100):
            plug_patches(here.ovs, ids[start : start + 100])
        here.await_active(network_id, 1000)
        here.appliance.request("GET", "/v2.0/ports", timeout_seconds=60)
        pss = here.appliance.pss_kib() / 1024
        yield Row("PSS with 1,000 ports, after creates and a full list", "< 140 MiB", f"{pss:.0f} MiB", pss < 140)
        yield stall_row("1,000 creates and plugs", *turns(here.appliance))


def _load(here: Bed, clients: int, requests: int, body: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.load", str(here.appliance.port), str(clients), str(requests)]
    printed = subprocess.run([*command, "/v2.0/ports", body], capture_output=True, text=True, check=True, timeout=150)
    result: dict[str, float] = json.loads(printed.stdout)
    return result


def dhcp_bar() -> Iterator[Row]:
    """A lease, from a client that starts when its port is ACTIVE, and from one that starts with the plug."""
    with bed() as here, tempfile.TemporaryDirectory() as directory:
        network_id = here.make_network()
        for number in range(10):
            vm = here.make_vm(network_id)
            here.ovs.plug(vm)
            here.appliance.await_status(vm.port_id, "ACTIVE", 10.0)
            client = Udhcpc(vm, Path(directory) / str(number))
            client.start()
            client.await_event("bound")
            client.stop()
            here.ovs.remove_vm(vm)
        found = re.findall(r"request of port .*: ack in ([\d.]+) ms", here.appliance.log())
        waits = [float(ms) for ms in found]
        worst = max(waits)
        yield Row("REQUEST → ACK in the server, worst of 10", "< 20 ms", f"{worst:.1f} ms", worst < 20)
        early = []
        for number in range(5):
            vm = here.make_vm(network_id)
            client = Udhcpc(vm, Path(directory) / f"early{number}")
            client.start()
            began = time.monotonic()
            here.ovs.plug(vm)
            client.await_event("bound")
            early.append(time.monotonic() - began)
            client.stop()
            here.ovs.remove_vm(vm)
        yield Row(
            "client started with the plug: lease (it retries every 1 s)",
            "1 retry",
            f"{max(early):.2f} s",
            max(early) < 2,
        )


def switch_bar() -> Iterator[Row]:
    """Death of ovs-vswitchd: until traffic is back, counted from its socket being back."""
    with bed() as here, tempfile.TemporaryDirectory() as directory:
        network_id = here.make_network()
        one, two = here.make_vm(network_id), here.make_vm(network_id)
        address = ""
        for vm in (one, two):
            here.ovs.plug(vm)
            here.appliance.await_status(vm.port_id, "ACTIVE", 10.0)
            client = Udhcpc(vm, Path(directory))
            client.start()
            address = client.await_event("bound").ip_address
            client.stop()
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
            while subprocess.run(_one_ping(one, address), capture_output=True, check=False).returncode:
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


BARS: dict[str, Callable[[], Iterator[Row]]] = {
    "start": start_bar,
    "plug": plug_bar,
    "creates": creates_bar,
    "dhcp": dhcp_bar,
    "switch": switch_bar,
}


def main(names: list[str]) -> None:
    """Run bars and print the table as it grows."""
    print(f"{'bar':<72} {'limit':<14} {'measured':<28} met")
    for name in names or list(BARS):
        for row in BARS[name]():
            met = {True: "yes", False: "NO", None: ""}[row.is_met]
            print(f"{row.bar:<72} {row.limit:<14} {row.figure:<28} {met}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Several hosts: one API process, two hosts with L2 and DHCP roles, a RabbitMQ, and a cable between the hosts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from bench.bars.bed import Row, log_lines, stall_row, time_of, turns
from bench.bars.cluster import FLAT, VLAN, ClusterBed, cluster_bed
from tests.bed.appliance import Appliance
from tests.bed.cluster import Host
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest
from tests.bed.load import EchoStream, echo_answers, echo_request
from tests.bed.wire import Wire

PLUGS = 50
CHANGES = 200
BROKER_DOWN_SECONDS = 60.0
CHANGES_MEANWHILE = 50
DATABASE_DOWN_SECONDS = 30.0
ECHOES_PER_SECOND = 200
REBOOT_PORTS = 200
LIMIT_SECONDS = 60.0


def multihost_bar() -> Iterator[Row]:
    """Boots, changes, restarts, a broker that is away, a reboot; then a database that is away."""
    with cluster_bed() as here:
        yield from _boots(here)
        yield from _changes(here)
        yield from _restarts(here)
        yield from _broker_away(here)
        yield stall_row("all this, of the API process", *turns(here.api))
    with cluster_bed() as here:
        yield from _reboot(here)
    with cluster_bed(on_postgresql=True) as here:
        yield from _database_away(here)


def _boots(here: ClusterBed) -> Iterator[Row]:
    one, other = here.cluster.hosts
    for name, kind, cidr in (("VLAN", VLAN, "10.1.0.0/16"), ("flat", FLAT, "10.2.0.0/16")):
        network = here.make_network(cidr, **kind)
        guests = [here.boot(host, network) for host in (one, other)]
        reached = guests[0].can_reach(guests[1].ip) and guests[1].can_reach(guests[0].ip)
        yield Row(f"{name}: lease on either host, ping across", "works", "works" if reached else "does not", reached)
    hosts = cycle(here.cluster.hosts)
    # A host that was told of the network before has only the port to do, as in the bars of one process.
    waits = sorted(_plug(here, next(hosts), network) for _ in range(PLUGS))
    p50, p95 = waits[len(waits) // 2] * 1000, waits[int(len(waits) * 0.95)] * 1000
    yield Row(
        f"plug → ACTIVE, p50 / p95 over {PLUGS}", "< 50 / 80 ms", f"{p50:.0f} / {p95:.0f} ms", p50 < 50 and p95 < 80
    )
    texts = "".join(host.dhcp.log() for host in here.cluster.hosts)
    served = [float(ms) for ms in re.findall(r"request of port .*: ack in ([\d.]+) ms", texts)]
    worst = max(served)
    yield Row(f"REQUEST → ACK, in the server, worst of {len(served)}", "< 40 ms", f"{worst:.1f} ms", worst < 40)


def _plug(here: ClusterBed, host: Host, network: dict[str, Any]) -> float:
    guest = here.make_guest(host, network)
    time.sleep(0.1)
    start, began = here.api.log_bytes, time.time()
    host.ovs.plug(guest.vm)
    text = f"port {guest.id} is ACTIVE"
    _until(lambda: text in here.api.log_after(start), text)
    seconds = time_of(log_lines(here.api, start), text) - began
    host.ovs.remove_vm(guest.vm)
    return seconds


def _changes(here: ClusterBed) -> Iterator[Row]:
    """From the request to the switch's being so; either of a change of the port's being up or not."""
    host = here.cluster.hosts[1]
    guest = here.boot(host, here.make_network("10.3.0.0/24", **VLAN))
    waits = sorted(_change(here, host.l2, guest, number % 2 == 1) for number in range(CHANGES))
    p50, p99 = waits[len(waits) // 2] * 1000, waits[int(len(waits) * 0.99)] * 1000
    yield Row(
        f"change in the API → realised on a remote host, p50 / p99 of {CHANGES}", "< 40 / 200 ms",
        f"{p50:.1f} / {p99:.1f} ms", p50 < 40 and p99 < 200,
    )  # fmt: skip


def _change(here: ClusterBed, role: Appliance, guest: Guest, is_up: bool) -> float:
    start, began = role.log_bytes, time.time()
    _update(here, guest, is_up)
    _until(lambda: "l2 did " in role.log_after(start), "realised")
    seconds = time_of(log_lines(role, start), "l2 did ") - began
    time.sleep(0.02)
    return seconds


def _restarts(here: ClusterBed) -> Iterator[Row]:
    network = here.make_network("10.4.0.0/24", **VLAN)
    one, two = (here.boot(host, network) for host in here.cluster.hosts)
    processes = [process for host in here.cluster.hosts for process in host.processes]
    with EchoStream(ECHOES_PER_SECOND, source=one, target=two) as echoes:
        for process in processes:
            process.stop()
            process.launch()
            time.sleep(3)
        here.api.restart("/readyz")
    yield Row(
        "every process restarted, one at a time: packets lost", "0", f"{echoes.lost} of {echoes.sent}", echoes.lost == 0
    )


def _broker_away(here: ClusterBed) -> Iterator[Row]:
    network = here.make_network("10.5.0.0/24", **VLAN)
    one, two = (here.boot(host, network) for host in here.cluster.hosts)
    changed = [here.boot(host, network) for host, _ in zip(cycle(here.cluster.hosts), range(4), strict=False)]
    client = changed.pop()
    for guest in changed:
        _update(here, guest, is_up=False)
        here.api.await_status(guest.id, "DOWN")
    with EchoStream(ECHOES_PER_SECOND, source=one, target=two) as echoes:
        here.cluster.broker.kill()
        ends = time.monotonic() + BROKER_DOWN_SECONDS
        leased = udhcpc(client.vm, here.directory).ip_address == client.ip
        for number in range(CHANGES_MEANWHILE):
            _update(here, changed[number % len(changed)], is_up=number // len(changed) % 2 == 0)
        for guest in changed:
            _update(here, guest, is_up=True)
        time.sleep(max(0.0, ends - time.monotonic()))
        here.cluster.broker.start()
        began = time.monotonic()
        for guest in changed:
            here.api.await_status(guest.id, "ACTIVE", LIMIT_SECONDS)
        seconds = time.monotonic() - began
    yield Row(
        f"broker down for {BROKER_DOWN_SECONDS:.0f} s: packets lost", "0", f"{echoes.lost} of {echoes.sent}",
        echoes.lost == 0,
    )  # fmt: skip
    yield Row("  DHCP still answered", "yes", "yes" if leased else "no", leased)
    yield Row("  changes made meanwhile realised after it is back", "< 3 s", f"{seconds:.2f} s", seconds < 3)


def _reboot(here: ClusterBed) -> Iterator[Row]:
    """Everything that lives in the memory of a host goes; its database of the switch stays."""
    far, host = here.cluster.hosts
    network = here.make_network("10.6.0.0/16", **VLAN)
    prober = here.boot(far, network)
    guests = [here.make_guest(host, network) for _ in range(REBOOT_PORTS)]
    _plug_all(host, guests)
    for guest in guests:
        here.api.await_status(guest.id, limit_seconds=LIMIT_SECONDS)
    _await_answers(prober, guests)
    for process in host.processes:
        process.kill()
    host.ovs.stop()
    # What the machine and its hypervisor do by themselves is not counted: devices, and guests that start again.
    host.ovs.make_namespace()
    here.cluster.wire_again(host)
    guests = [Guest(guest.port, host.ovs.make_vm(guest.id, guest.mac)) for guest in guests]
    for guest in guests:
        guest.configure(16)
    began = time.monotonic()
    host.ovs.start_ovsdb()
    host.ovs.start_vswitchd()
    for process in host.processes:
        process.launch()
    seconds = _await_answers(prober, guests, began)
    yield Row(
        f"host rebooted, {REBOOT_PORTS} ports: start of its switch and roles → all carry traffic", "< 10 s",
        f"{seconds:.1f} s", seconds < 10,
    )  # fmt: skip


def _plug_all(host: Host, guests: list[Guest]) -> None:
    words: list[str] = []
    for guest in guests:
        guest.configure(16)
        words += ["--", "add-port", host.ovs.bridge, guest.vm.tap, "--", "set", "Interface", guest.vm.tap]
        words += [f"external-ids:iface-id={guest.id}", "external-ids:iface-status=active"]
        words += [f"external-ids:attached-mac={guest.mac}"]
    host.ovs.vsctl(*words)


def _await_answers(prober: Guest, guests: list[Guest], began: float | None = None) -> float:
    """Ask all until each has answered once; return the seconds since ``began``."""
    began = time.monotonic() if began is None else began
    silent = set(range(len(guests)))
    with Wire(prober.vm.namespace) as wire:
        while silent:
            if time.monotonic() - began > LIMIT_SECONDS:
                raise TimeoutError(f"{len(silent)} ports carry no traffic after {LIMIT_SECONDS:.0f} s")
            wire.send(*(echo_request(prober, guests[number], number) for number in sorted(silent)))
            time.sleep(0.25)
            silent -= echo_answers(wire.received())
    return time.monotonic() - began


def _database_away(here: ClusterBed) -> Iterator[Row]:
    network = here.make_network("10.7.0.0/24", **VLAN)
    one, two = (here.boot(host, network) for host in here.cluster.hosts)
    client = here.boot(here.cluster.hosts[0], network)
    database = here.database
    if database is None:
        raise ValueError("this needs a database that can be stopped")
    with EchoStream(ECHOES_PER_SECOND, source=one, target=two) as echoes:
        ends = time.monotonic() + DATABASE_DOWN_SECONDS
        database.kill()
        leased = udhcpc(client.vm, here.directory).ip_address == client.ip
        time.sleep(1)
        refused = here.api.request("GET", "/v2.0/ports", timeout_seconds=30)
        time.sleep(max(0.0, ends - time.monotonic()))
        database.start()
        began = time.monotonic()
        _until(lambda: here.api.request("GET", "/v2.0/ports").status == 200, "the API")
        # A write may be refused for half a second more: the writer connects by itself.
        down = {"port": {"admin_state_up": False}}
        _until(lambda: here.api.request("PUT", f"/v2.0/ports/{client.id}", down).status == 200, "a write")
        seconds = time.monotonic() - began
        here.api.await_status(client.id, "DOWN")
    yield Row(
        f"database down for {DATABASE_DOWN_SECONDS:.0f} s: packets lost", "0", f"{echoes.lost} of {echoes.sent}",
        echoes.lost == 0,
    )  # fmt: skip
    yield Row("  DHCP still answered", "yes", "yes" if leased else "no", leased)
    told = f"{refused.status}, Retry-After: {refused.headers.get('Retry-After')}"
    yield Row("  requests meanwhile", "503, Retry-After", told, refused.status == 503 and told[-4:] != "None")
    # That a change is realised then is awaited above: without it there is no row.
    yield Row("  a read and then a write are done after it is back", "-", f"{seconds:.2f} s", None)


def _update(here: ClusterBed, guest: Guest, is_up: bool) -> None:
    answer = here.api.request("PUT", f"/v2.0/ports/{guest.id}", {"port": {"admin_state_up": is_up}})
    if answer.status != 200:
        raise ValueError(f"an update answered {answer.status}: {answer.body}")


def _until(is_so: Any, what: str) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {LIMIT_SECONDS:.0f} s")
        time.sleep(0.005)

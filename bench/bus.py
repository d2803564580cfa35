"""What goes over the broker, and what hosts cost the server: ``python -m bench.bus [outage|hosts|groups] [--quick]``.

The broker is a RabbitMQ of its own, the API process a process of its own on SQLite, the hosts are simulated: their
roles on memory edges, in this process, each with connections of its own.

outage: one host; the broker is killed and started again after a minute (``--quick``: six seconds and fewer ports), and
meanwhile some ports are changed. What goes over the bus between the host and the API process from then on is counted,
in messages and bytes of their bodies: it has to follow the number of changes, not that of ports.

hosts: more and more hosts with 200 ports each, on one network; the ports of one of them are changed one by one.

groups: more and more hosts that guard ports, with 20 ports each, all in one group whose rules name the group. Members
are added one by one on one host: what each costs in messages and bytes, by hosts, and when the last of them knows.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react
from twisted.internet.threads import deferToThread

from quantumd.config import AmqpSettings
from quantumd.model.security_records import AddressSetRecord
from tests.bed.rabbitmq import RabbitmqServer
from tests.bed.simulated_hosts import SimulatedHost
from tests.bed.simulated_site import SimulatedSite

reactor: Any = twisted_reactor
PORTS_PER_HOST = 200
MEMBERS_PER_HOST = 20
SETTLE_SECONDS = 120.0


@frozen
class Size:
    """How much is measured."""

    outage_seconds: float
    ports: Sequence[int]
    changes: Sequence[int]
    hosts: Sequence[int]
    changed: int
    added: int


FULL = Size(60.0, (5000,), (0, 10, 500), (1, 10, 50), 200, 50)
QUICK = Size(6.0, (200, 1000), (0, 10, 50), (1, 5), 100, 10)


@contextmanager
def _broker() -> Iterator[RabbitmqServer]:
    broker = RabbitmqServer()
    try:
        broker.start()
        yield broker
    finally:
        broker.close()


async def outage(size: Size, site: SimulatedSite, broker: RabbitmqServer) -> None:
    """Print a row for each number of ports and of changes."""
    print(f"\n{'ports':>6} {'changes':>8} {'down s':>7} {'right after s':>14} {'messages':>9} {'KB':>8}   by kind")
    for number, ports in enumerate(size.ports):
        host = await site.add_host(f"host-{number}", ports)
        ids = [port_id for port_id, name in site.ports.items() if name == host.name]
        for changes in size.changes:
            down, right = await _one_outage(size.outage_seconds, site, broker, ids[:changes])
            told = host.bus.messages
            kinds = " ".join(f"{kind}={count}" for kind, count in sorted(told.items()))
            print(
                f"{ports:>6} {changes:>8} {down:>7.0f} {right:>14.1f} {told.total():>9}"
                f" {host.bus.bytes.total() / 1000:>8.1f}   {kinds}",
                flush=True,
            )


async def _one_outage(
    seconds: float, site: SimulatedSite, broker: RabbitmqServer, changed: Sequence[str]
) -> tuple[float, float]:
    """Return how long the broker was away, and after how long then all was right."""
    await site.until_quiet()
    await deferToThread(broker.kill)
    began = time.monotonic()
    await site.change(changed)
    await deferLater(reactor, max(0.0, seconds - (time.monotonic() - began)))
    site.forget()
    await deferToThread(broker.start)
    back, down = time.monotonic(), time.monotonic() - began
    await site.until_right(SETTLE_SECONDS)
    right = time.monotonic() - back
    await site.until(lambda: site.is_connected, "the connections", SETTLE_SECONDS)
    await site.until_quiet(3.0)
    return down, right


async def hosts(size: Size, site: SimulatedSite, broker: RabbitmqServer) -> None:
    """Print a row for each number of hosts."""
    print(
        f"\n{'hosts':>6} {'ports':>6} {'changes':>8} {'ms CPU a change':>16} {'known p50 ms':>13} {'p95':>5}"
        f" {'messages a change':>18} {'to others':>10} {'ms CPU/s idle':>14}"
    )
    for number in size.hosts:
        while len(site.hosts) < number:
            await site.add_host(f"host-{len(site.hosts)}", PORTS_PER_HOST)
        await _changes_on_one(size.changed, site)


async def _changes_on_one(count: int, site: SimulatedSite) -> None:
    idle = await _idle_cpu(site)
    host = site.hosts["host-0"]
    mine = [port_id for port_id, name in site.ports.items() if name == host.name]
    site.forget()
    began, cpu = time.monotonic(), site.api.cpu_seconds()
    known = sorted([await _known_after(site, host, port_id) for port_id in mine[:count]])
    cpu, seconds = site.api.cpu_seconds() - cpu, time.monotonic() - began
    told = host.bus.messages
    others = sum(each.bus.messages["update"] for each in site.hosts.values() if each is not host)
    print(
        f"{len(site.hosts):>6} {len(site.ports):>6} {count:>8} {1000 * (cpu - idle * seconds) / count:>16.2f}"
        f" {1000 * known[count // 2]:>13.0f} {1000 * known[count * 95 // 100]:>5.0f}"
        f" {(told['update'] + told['report'] * 2) / count:>18.2f} {others:>10} {1000 * idle:>14.1f}",
        flush=True,
    )


async def _known_after(site: SimulatedSite, host: SimulatedHost, port_id: str) -> float:
    """Change a port; return after how many seconds from the API's answer its host has realised that."""
    await site.change([port_id])
    began = time.monotonic()
    while host.connected[port_id].device_owner != site.owners[port_id]:
        if time.monotonic() - began > SETTLE_SECONDS:
            raise TimeoutError(f"{host.name} does not know a change of {port_id}")
        await deferLater(reactor, 0.001)
    return time.monotonic() - began


async def _idle_cpu(site: SimulatedSite) -> float:
    """Return what a second costs in which nothing changes: hosts compare once a minute, so it is a mean over one."""
    began, cpu = time.monotonic(), site.api.cpu_seconds()
    await deferLater(reactor, 60.0)
    return (site.api.cpu_seconds() - cpu) / (time.monotonic() - began)


async def groups(size: Size, site: SimulatedSite, broker: RabbitmqServer) -> None:
    """Print a row for each number of hosts."""
    print(
        f"\n{'hosts':>6} {'members':>8} {'added':>6} {'hosts told':>11} {'messages':>9} {'KB':>7} {'KB a host':>10}"
        f" {'ms CPU':>7} {'all know p50 ms':>16} {'p95':>5}   each but the first three: of one added member"
    )
    for number in size.hosts:
        while len(site.hosts) < number:
            await site.add_host(f"host-{len(site.hosts)}", MEMBERS_PER_HOST)
        await _members_on_one(size.added, site)


async def _members_on_one(count: int, site: SimulatedSite) -> None:
    await site.until_quiet()
    site.forget()
    cpu, members = site.api.cpu_seconds(), len(site.ports)
    known = sorted([await _known_by_all(site) for _ in range(count)])
    await site.until_quiet(1.0)
    told, size = site.messages["update"], site.bytes["update"] / 1000
    hosts_told = sum(bool(each.bus.messages["update"]) for each in site.hosts.values())
    print(
        f"{len(site.hosts):>6} {members:>8} {count:>6} {hosts_told:>11} {told / count:>9.1f} {size / count:>7.1f}"
        f" {size / count / len(site.hosts):>10.2f} {1000 * (site.api.cpu_seconds() - cpu) / count:>7.1f}"
        f" {1000 * known[count // 2]:>16.0f} {1000 * known[count * 95 // 100]:>5.0f}",
        flush=True,
    )


async def _known_by_all(site: SimulatedSite) -> float:
    """Add a member on the first host; return after how many seconds from the API's answer every host knows it."""
    address = await site.add_member("host-0")
    began = time.monotonic()
    await site.until(lambda: all(address in members_known(host) for host in site.hosts.values()), "the member")
    return time.monotonic() - began


def members_known(host: SimulatedHost) -> frozenset[str]:
    """Return the addresses of members that a host knows."""
    sets = (each for each in host.records.of_kind(AddressSetRecord.kind) if isinstance(each, AddressSetRecord))
    return frozenset(address.partition("/")[0] for each in sets for address in each.addresses)


Section = Callable[[Size, SimulatedSite, RabbitmqServer], Coroutine[Any, Any, None]]
SECTIONS: dict[str, Section] = {"outage": outage, "hosts": hosts, "groups": groups}


async def run(names: Sequence[str], size: Size) -> None:
    """Run sections, each at a site of its own."""
    for name in names:
        with _broker() as broker, tempfile.TemporaryDirectory(prefix="quantumd-bench-") as folder:
            amqp = AmqpSettings(urls=(broker.url,), password_file=str(broker.password_file))
            site = SimulatedSite(Path(folder), amqp, amqp, name == "groups")
            try:
                await site.start()
                await SECTIONS[name](size, site, broker)
            finally:
                await site.stop()


def main(_reactor: Any, names: Sequence[str], is_quick: bool) -> Deferred[None]:
    """Run in the reactor."""
    return Deferred.fromCoroutine(run(names, QUICK if is_quick else FULL))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), help=" or ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="less of everything")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - SECTIONS.keys()
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    react(main, (arguments.sections, arguments.quick))

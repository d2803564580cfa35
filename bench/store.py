"""What the store does in a second: ``python -m bench.store [--seconds N] [--folder DIR] [--database postgresql]``.

Writes look like the creation of a port: three selects, three inserts and a journal row each.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, insert, select
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from quantumd.config import DatabaseSettings
from quantumd.store.schema import ensure_schema
from quantumd.store.store import Store
from quantumd.store.tables import ip_allocations, networks, ports, realisations, subnets
from quantumd.store.transaction import Transaction
from tests.bed.databases import SERVERS, new_database

_WAITING = (1, 8, 32, 64)
_STANDARD = {
    "project_id": "p",
    "name": "bench",
    "description": "",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "revision_number": 0,
}
_NETWORK = select(networks).where(networks.c.id == bindparam("wanted"))
_SUBNETS = select(subnets).where(subnets.c.network_id == bindparam("wanted"))
_TAKEN = select(ip_allocations.c.ip_key).where(
    ip_allocations.c.subnet_id == bindparam("wanted"), ip_allocations.c.ip_key == bindparam("key")
)
_ADD_PORT = insert(ports)
_ADD_ADDRESS = insert(ip_allocations)
_ADD_REALISATION = insert(realisations)
_LIST = select(ports, ip_allocations.c.ip_address).join(ip_allocations, ip_allocations.c.port_id == ports.c.id)
_NAMES = [str(name) for name in _LIST.selected_columns.keys()]  # noqa: SIM118 - not a dict
_NUMBERS = count(1)


def create_port(transaction: Transaction) -> str:
    """Write as much as the creation of a port does."""
    connection, number = transaction.connection, next(_NUMBERS)
    port_id, key = f"{number:036}", f"{number:08x}"
    connection.execute(_NETWORK, {"wanted": "n"}).one()
    connection.execute(_SUBNETS, {"wanted": "n"}).all()
    connection.execute(_TAKEN, {"wanted": "s", "key": key}).all()
    version = transaction.journal(
        resource="port",
        resource_id=port_id,
        project_id="p",
        request_id="req-bench",
        operation="create",
        after={"id": port_id, "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.1"}], "text": "x" * 600},
    )
    connection.execute(_ADD_PORT, _port(port_id, number, version))
    address = {"subnet_id": "s", "ip_key": key, "port_id": port_id, "ordinal": 0, "ip_address": f"10.{number}"}
    connection.execute(_ADD_ADDRESS, address)
    connection.execute(
        _ADD_REALISATION, {"port_id": port_id, "role": "l2", "host": "h", "version": 0, "plugged": False}
    )
    return port_id


def _port(port_id: str, number: int, version: int) -> dict[str, Any]:
    return {
        **_STANDARD,
        "id": port_id,
        "network_id": "n",
        "mac_address": f"{number:017x}",
        "admin_state_up": True,
        "status": "DOWN",
        "device_id": "",
        "device_owner": "",
        "host_id": "h",
        "vnic_type": "normal",
        "vif_type": "ovs",
        "vif_details": "{}",
        "profile": "{}",
        "record_version": version,
    }


def prepare(transaction: Transaction) -> None:
    """Write the network and the subnet of the ports."""
    network = {**_STANDARD, "id": "n", "admin_state_up": True, "status": "ACTIVE", "mtu": 1500}
    transaction.connection.execute(insert(networks), {**network, "network_type": "local", "record_version": 1})
    subnet = {**_STANDARD, "id": "s", "network_id": "n", "ip_version": 4, "cidr": "10.0.0.0/8", "enable_dhcp": True}
    lists = {"allocation_pools": "[]", "dns_nameservers": "[]", "host_routes": "[]"}
    transaction.connection.execute(insert(subnets), {**subnet, **lists})


def list_ports(connection: Connection) -> Iterator[bytes]:
    """Yield every port as JSON, in chunks of 256 KiB."""
    parts: list[bytes] = []
    size = 0
    for row in connection.execution_options(yield_per=200).execute(_LIST):
        part = orjson.dumps(dict(zip(_NAMES, row, strict=True)))
        parts.append(part)
        size += len(part) + 1
        if size > 250_000:
            yield b",".join(parts)
            parts, size = [], 0
    yield b",".join(parts) or b" "


async def write_for(store: Store, waiting: int, seconds: float) -> None:
    """Keep ``waiting`` changes waiting, print what came of it."""
    until = time.perf_counter() + seconds
    latencies: list[float] = []

    async def client() -> None:
        while (begun := time.perf_counter()) < until:
            await store.write(create_port)
            latencies.append(time.perf_counter() - begun)

    before, cpu, wall = store.figures.commits, time.process_time(), time.perf_counter()
    for running in [Deferred.fromCoroutine(client()) for _ in range(waiting)]:
        await running
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done, commits = len(latencies), store.figures.commits - before
    latencies.sort()
    print(
        f"{waiting:>8} {done / wall:>10.0f} {1000 * cpu / done:>10.3f} {done / commits:>10.1f}"
        f" {1000 * latencies[done // 2]:>10.2f} {1000 * latencies[done * 95 // 100]:>10.2f}"
    )


async def list_once(store: Store) -> None:
    """List every port, print how long it took and how long the reactor was kept from its work."""
    turns: list[float] = []
    running = True

    def turn() -> None:
        turns.append(time.perf_counter())
        if running:
            reactor.callLater(0.001, turn)

    turn()
    stream, size, wall, cpu = store.stream(list_ports), 0, time.perf_counter(), time.process_time()
    while not stream.is_finished:
        size += len(await stream.next() or b"")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    running = False
    longest = max((later - earlier for earlier, later in pairwise(turns)), default=0.0)
    rows = await store.read(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM ports").scalar())
    print(
        f"\nlist of {rows} ports: {size / 1e6:.1f} MB in {wall:.2f} s, {cpu:.2f} s CPU,"
        f" longest turn of the reactor {1000 * longest:.0f} ms"
    )


async def run(url: str, connections: int, seconds: float) -> None:
    """Run everything on a database that has no tables yet."""
    ensure_schema(url)
    settings = DatabaseSettings(waiting_limit=100_000, connections=connections)
    store = Store(reactor, settings, url)  # type: ignore[arg-type]
    store.start()
    await store.write(prepare)
    print("port-like creates, durable\n")
    print(f"{'waiting':>8} {'per s':>10} {'ms CPU':>10} {'per commit':>10} {'p50 ms':>10} {'p95 ms':>10}")
    for waiting in _WAITING:
        await write_for(store, waiting, seconds)
    await list_once(store)
    await store.stop()
    print(f"most memory at any time: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB RSS")


def main(clock: Any, database: str, folder: str | None, connections: int, seconds: float) -> Deferred[None]:
    """Run in the reactor."""
    home = tempfile.TemporaryDirectory(prefix="quantumd-bench-", dir=folder)
    url = f"sqlite:///{os.path.join(home.name, 'bench.db')}" if database == "sqlite" else new_database(database)
    running = Deferred.fromCoroutine(run(url, connections, seconds))

    def tidy(result: Any) -> Any:
        home.cleanup()
        return result

    return running.addBoth(tidy)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each number of waiting changes is tried")
    parser.add_argument("--folder", help="where the database is made; the disk is part of what is measured")
    parser.add_argument("--database", choices=("sqlite", *SERVERS), default="sqlite", help="a server is started for it")
    parser.add_argument("--connections", type=int, default=1, help="how many threads write, on a server")
    arguments = parser.parse_args()
    react(main, (arguments.database, arguments.folder, arguments.connections, arguments.seconds))

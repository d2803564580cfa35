"""The API's requests: creates, shows, updates, lists, pages and filters, with few and with many ports.

The server runs over memory edges; the load is made by a process of its own on the second core.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from bench.bars.bed import Row, load, stall_row, turns
from tests.bed.appliance import Appliance
from tests.bed.databases import new_database

MANY = 10_000
VERY_MANY = 100_000
BULK = 500
TAGGED = 50
"""Of the ports, so many have the tag that is asked for."""


@define(eq=False)
class ApiBed:
    """An appliance over memory edges, and the ports that were made in it."""

    appliance: Appliance
    ports: list[dict[str, Any]] = field(factory=list)

    def make_network(self, cidr: str = "10.0.0.0/8") -> str:
        """Make a network with one subnet that has room for all; return its id."""
        network = self.appliance.create("network", name="bench")
        self.appliance.create("subnet", network_id=network["id"], ip_version=4, cidr=cidr, enable_dhcp=False)
        return str(network["id"])

    def fill(self, network_id: str, count: int) -> None:
        """Make ports until there are ``count``; each has a device_id of its own."""
        while len(self.ports) < count:
            number = min(BULK, count - len(self.ports))
            bodies = [{"network_id": network_id, "device_id": f"vm-{len(self.ports) + at}"} for at in range(number)]
            answer = self.appliance.request("POST", "/v2.0/ports", {"ports": bodies}, timeout_seconds=60)
            self.ports += answer.body["ports"]

    def load(self, clients: int, count: int, requests: Sequence[Sequence[Any]]) -> tuple[dict[str, Any], float]:
        """Make requests; return what came of them and the server's CPU ms per request."""
        before = self.appliance.cpu_seconds()
        done = load(self.appliance.port, clients, count, requests)
        cost = (self.appliance.cpu_seconds() - before) / count * 1000
        wrong = {status: number for status, number in done["statuses"].items() if status not in ("200", "201", "304")}
        if wrong:
            raise RuntimeError(f"answers that nobody wants: {wrong}")
        return done, cost

    def timed(self, path: str) -> tuple[float, Any]:
        """Ask once; return the ms until the last byte of the answer was here, and its body, which is parsed after."""
        connection = http.client.HTTPConnection("127.0.0.1", self.appliance.port, timeout=60)
        try:
            began = time.perf_counter()
            connection.request("GET", path)
            raw = connection.getresponse().read()
            milliseconds = (time.perf_counter() - began) * 1000
        finally:
            connection.close()
        return milliseconds, json.loads(raw)


@contextmanager
def api_bed(settings: Mapping[str, str]) -> Iterator[ApiBed]:
    """Run an appliance without a switch."""
    with tempfile.TemporaryDirectory(prefix="quantumd-bench-") as directory:
        appliance = Appliance(Path(directory), None, settings)
        try:
            appliance.start()
            yield ApiBed(appliance)
        finally:
            appliance.close()


UNBOUNDED = {"quota.network": "-1", "quota.port": "-1", "quota.subnet": "-1"}


def _settings(kind: str) -> Mapping[str, str]:
    return UNBOUNDED if kind == "sqlite" else {**UNBOUNDED, "database.url": new_database(kind)}


def api_bar(kind: str = "sqlite") -> Iterator[Row]:
    """Every request of the table, on one kind of database; bars are those of SQLite."""
    with api_bed(_settings(kind)) as here:
        yield from _creates(here, here.make_network())
        yield from _ones(here)
        yield stall_row("creates, shows and updates", *turns(here.appliance))
    with api_bed(_settings(kind)) as here:
        network_id = here.make_network()
        here.fill(network_id, MANY)
        yield from _lists(here)
        yield from _pages(here, MANY)
        yield stall_row("lists and pages", *turns(here.appliance))
        here.fill(network_id, VERY_MANY)
        yield from _pages(here, VERY_MANY)
        yield from _filters(here)
        yield from _full_network(here, network_id)
        yield stall_row(f"everything with {VERY_MANY} ports", *turns(here.appliance))


def postgresql_bar() -> Iterator[Row]:
    """The same on PostgreSQL."""
    yield from api_bar("postgresql")


def mariadb_bar() -> Iterator[Row]:
    """The same on MariaDB."""
    yield from api_bar("mariadb")


def _create(network_id: str, **more: Any) -> tuple[str, str, str]:
    return "POST", "/v2.0/ports", json.dumps({"port": {"network_id": network_id, **more}})


def _creates(here: ApiBed, network_id: str) -> Iterator[Row]:
    one = [_create(network_id)]
    here.load(32, 300, one)
    done, _ = here.load(1, 500, one)
    p50, p99 = done["p50_ms"], done["p99_ms"]
    figure = f"{p50:.1f} / {p99:.1f} ms"
    yield Row("create port, one client, p50 / p99", "2.5 / 10 ms", figure, p50 < 2.5 and p99 < 10)
    for clients in (8, 32):
        runs = [here.load(clients, 2000, one) for _ in range(3)]
        rate = statistics.median(2000 / each["seconds"] for each, _ in runs)
        p99 = statistics.median(each["p99_ms"] for each, _ in runs)
        cost = statistics.median(cpu for _, cpu in runs)
        met = rate >= 700 and p99 < 100 and cost <= 1.4
        figure = f"{rate:.0f}/s, {p99:.0f} ms, {cost:.2f} ms"
        yield Row(f"create port, {clients} clients: rate, p99, CPU", "≥ 700/s, 100, 1.4", figure, met)
    runs = [here.load(32, 1000, [_create(network_id, **{"binding:host_id": "host-a"})]) for _ in range(3)]
    rate = statistics.median(1000 / each["seconds"] for each, _ in runs)
    cost = statistics.median(cpu for _, cpu in runs)
    yield Row("create port bound to a host, 32 clients", "≥ 500/s", f"{rate:.0f}/s, {cost:.2f} ms CPU", rate >= 500)
    bulk = ("POST", "/v2.0/ports", json.dumps({"ports": [{"network_id": network_id}] * 100}))
    done, _ = here.load(1, 20, [bulk])
    yield Row("bulk create of 100 ports, p50", "< 50 ms", f"{done['p50_ms']:.0f} ms", done["p50_ms"] < 50)


def _ones(here: ApiBed) -> Iterator[Row]:
    some = here.timed("/v2.0/ports?limit=500")[1]["ports"]
    shows = [("GET", f"/v2.0/ports/{port['id']}") for port in some]
    alone, _ = here.load(1, 1000, shows)
    crowd, cost = here.load(8, 6000, shows)
    rate = 6000 / crowd["seconds"]
    met = alone["p50_ms"] < 1.5 and rate >= 1400 and cost <= 0.7
    figure = f"{alone['p50_ms']:.2f} ms, {rate:.0f}/s, {cost:.2f} ms"
    yield Row("show port: p50 alone, rate of 8, CPU", "1.5 ms, 1400/s, 0.7", figure, met)
    path = f"/v2.0/ports/{some[0]['id']}"
    etag = {key.lower(): text for key, text in here.appliance.request("GET", path).headers.items()}["etag"]
    cheap, cheap_cost = here.load(8, 6000, [("GET", path, "", {"If-None-Match": etag})])
    if set(cheap["statuses"]) != {"304"}:
        raise RuntimeError(f"not only 304: {cheap['statuses']}")
    figure = f"{6000 / cheap['seconds']:.0f}/s, {cheap_cost:.2f} ms"
    yield Row("  304 to If-None-Match: rate, CPU", "cheaper", figure, cheap_cost < cost)
    renames = [
        ("PUT", f"/v2.0/ports/{port['id']}", json.dumps({"port": {"name": f"n{turn}"}}))
        for turn in range(4)
        for port in some
    ]
    alone, _ = here.load(1, 500, renames)
    crowd, cost = here.load(8, 2000, renames[500:])
    rate = 2000 / crowd["seconds"]
    figure = f"{alone['p50_ms']:.2f} ms, {rate:.0f}/s, {cost:.2f} ms CPU"
    yield Row("update port: p50 alone, rate of 8", "3 ms, 600/s", figure, alone["p50_ms"] < 3 and rate >= 600)


def _lists(here: ApiBed) -> Iterator[Row]:
    here.timed("/v2.0/ports")
    before = here.appliance.pss_kib() / 1024
    times = [here.timed("/v2.0/ports")[0] for _ in range(20)]
    grown = here.appliance.pss_kib() / 1024 - before
    number = len(here.timed("/v2.0/ports")[1]["ports"])
    median = statistics.median(times)
    yield Row(f"list {number} ports, all fields, median of 20", "< 350 ms", f"{median:.0f} ms", median < 350)
    yield Row("  PSS grown after 20 lists", "≤ 30 MiB", f"{grown:.1f} MiB", grown <= 30)
    yield _shows_beside_lists(here)
    median = statistics.median(here.timed("/v2.0/ports?fields=id")[0] for _ in range(10))
    yield Row(f"list {number} ports, fields=id, median of 10", "< 80 ms", f"{median:.0f} ms", median < 80)


def _shows_beside_lists(here: ApiBed) -> Row:
    ends = threading.Event()

    def list_on() -> None:
        while not ends.is_set():
            here.timed("/v2.0/ports")

    lister = threading.Thread(target=list_on)
    lister.start()
    try:
        shows = [("GET", f"/v2.0/ports/{port['id']}") for port in here.ports[:200]]
        done, _ = here.load(1, 1500, shows)
    finally:
        ends.set()
        lister.join()
    return Row("  show beside such lists, p99", "< 30 ms", f"{done['p99_ms']:.1f} ms", done["p99_ms"] < 30)


def _pages(here: ApiBed, count: int) -> Iterator[Row]:
    marker, times = "", []
    while True:
        milliseconds, body = here.timed(f"/v2.0/ports?limit=100{marker}")
        page = body["ports"]
        if len(page) < 100:
            break
        times.append(milliseconds)
        marker = f"&marker={page[-1]['id']}"
    tenth = max(1, len(times) // 10)
    first, last = statistics.median(times[:tenth]), statistics.median(times[-tenth:])
    figure = f"{statistics.median(times):.1f}, first {first:.1f}, last {last:.1f} ms"
    met = max(first, last, statistics.median(times)) < 10
    yield Row(f"a page of 100 of {count} ports, median; first, last tenth", "< 10 ms", figure, met)


def _filters(here: ApiBed) -> Iterator[Row]:
    ports = here.ports
    for port in ports[:: len(ports) // TAGGED][:TAGGED]:
        here.appliance.request("PUT", f"/v2.0/ports/{port['id']}/tags/bench", None)
    small = here.make_network("192.168.0.0/24")
    for _ in range(20):
        here.appliance.create("port", network_id=small)
    middle = ports[len(ports) // 2]
    ids = "&".join(f"id={port['id']}" for port in ports[:: len(ports) // 50][:50])
    asked = {
        "device_id": f"device_id={middle['device_id']}",
        "network_id": f"network_id={small}",
        "mac_address": f"mac_address={middle['mac_address']}",
        "fixed_ips": f"fixed_ips=ip_address%3D{middle['fixed_ips'][0]['ip_address']}",
        "tags": "tags=bench",
        "50 ids": ids,
    }
    for name, query in asked.items():
        found = here.timed(f"/v2.0/ports?{query}")[1]["ports"]
        times = [here.timed(f"/v2.0/ports?{query}")[0] for _ in range(15)]
        median = statistics.median(times)
        what = f"filter on {name} at {VERY_MANY} ports ({len(found)} found)"
        yield Row(what, "< 10 ms", f"{median:.1f} ms", median < 10 and bool(found))


def _full_network(here: ApiBed, network_id: str) -> Iterator[Row]:
    empty = here.make_network("172.16.0.0/12")
    costs = {}
    for name, target in (("empty", empty), ("full", network_id)):
        runs = [here.load(1, 300, [_create(target)])[0]["p50_ms"] for _ in range(3)]
        costs[name] = statistics.median(runs)
    ratio = costs["full"] / costs["empty"]
    figure = f"{costs['full']:.2f} / {costs['empty']:.2f} ms, x{ratio:.2f}"
    yield Row(f"create port where {VERY_MANY} are / in an empty network, p50", "the same", figure, ratio < 1.2)

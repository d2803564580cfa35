"""Several quantumds on one PostgreSQL or MariaDB, and what they do when it goes away."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field, frozen
from sqlalchemy import Engine, create_engine, select
from twisted.trial.unittest import SynchronousTestCase

from quantumd.store.engine import database_url
from quantumd.store.journal import read_after
from quantumd.store.tables import ip_allocations, journal, networks
from tests.bed.appliance import Appliance
from tests.bed.clients import Clients, Reply
from tests.bed.counts import count as times
from tests.bed.database_server import DatabaseServer
from tests.bed.databases import lacking, new_database, new_server

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as _TestCase
else:
    _TestCase = object

CLIENTS = 100
POOL = 253
"""Addresses that a /24 gives: without network, broadcast and gateway."""


@define
class Follower:
    """Reads the journal while it grows, as a consumer does: only what comes after the last position it has seen."""

    engine: Engine
    seen: list[int] = field(factory=list)
    _is_ended: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin at the start of the journal."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> list[int]:
        """Read what is left and return the positions in the order in which they were seen."""
        self._is_ended.set()
        if self._thread is not None:
            self._thread.join(60)
        self._read()
        return self.seen

    def _run(self) -> None:
        while not self._is_ended.wait(0.002):
            self._read()

    def _read(self) -> None:
        with self.engine.connect() as connection:
            rows = read_after(connection, self.seen[-1] if self.seen else 0, 100_000)
        self.seen += [row.position for row in rows]


class SharedRules(_TestCase):
    """Two processes with memory edges on one database."""

    kind = ""

    def setUp(self) -> None:
        """Start them at the same moment, on a database without tables."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-shared-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        url = new_database(self.kind)
        self.engine = create_engine(database_url(url))
        self.addCleanup(self.engine.dispose)
        self.processes = [self._launch(Path(folder.name) / name, name, url) for name in ("host-a", "host-b")]
        for process in self.processes:
            process.await_answer()

    def _launch(self, directory: Path, name: str, url: str) -> Appliance:
        settings = {
            "host.name": name,
            "database.url": url,
            "network.tenant_network_types": '["vlan"]',
            "network.vlan_ranges": '["physnet1:100:149"]',
            "l2.bridge_mappings": '["physnet1:br-ex"]',
        }
        process = Appliance(directory, settings=settings)
        self.addCleanup(process.close)
        process.launch()
        return process

    def post(self, path: str, bodies: list[Any]) -> list[Reply]:
        """Send the bodies with all clients at once, half of them to each process. No request may break."""
        sides = [Clients(process.host, process.port, CLIENTS // 2) for process in self.processes]
        with ThreadPoolExecutor(2) as threads:
            halves = list(threads.map(lambda side, some: side.post(path, some), sides, (bodies[::2], bodies[1::2])))
        self.assertEqual([side.broken for side in sides], [[], []])
        return [reply for half in halves for reply in half]

    def test_no_address_is_given_twice(self) -> None:
        """A hundred clients of two processes get every address of a subnet once, and then are told that none is left.

        Meanwhile a consumer of the journal sees every change once and in order.
        """
        follower = Follower(self.engine)
        follower.start()
        network_id = self.processes[0].create("network", name="shared")["id"]
        self.processes[1].create("subnet", network_id=network_id, cidr="10.0.0.0/24", ip_version=4)
        replies = self.post("/v2.0/ports", [{"port": {"network_id": network_id}} for _ in range(300)])
        # One has the DHCP port.
        self.assertEqual(Counter(reply.status for reply in replies), {201: POOL - 1, 409: 300 - POOL + 1})
        self.assertEqual({reply.error_type for reply in replies if reply.status == 409}, {"IpAddressGenerationFailure"})
        given = [reply.body["port"]["fixed_ips"][0]["ip_address"] for reply in replies if reply.status == 201]
        self.assertEqual(len(set(given)), POOL - 1)
        with self.engine.connect() as connection:
            self.assertEqual(len(connection.scalars(select(ip_allocations.c.ip_address)).all()), POOL)
            positions = list(connection.scalars(select(journal.c.position).order_by(journal.c.position)))
        self.assertEqual(follower.finish(), positions)

    def test_quotas_hold(self) -> None:
        """A project's quota is not overrun by requests that arrive at both processes."""
        answer = self.processes[0].request("PUT", "/v2.0/quotas/alice", {"quota": {"network": 30}})
        self.assertEqual(answer.status, 200, answer.body)
        replies = self.post("/v2.0/networks", [{"network": {"project_id": "alice"}} for _ in range(120)])
        self.assertEqual(Counter(reply.status for reply in replies), {201: 30, 409: 90})

    def test_no_segment_is_given_twice(self) -> None:
        """Networks made at both processes get VLANs of their own until there are no more."""
        body = {"network": {"provider:network_type": "vlan", "provider:physical_network": "physnet1"}}
        self.processes[0].request("PUT", "/v2.0/quotas/alice", {"quota": {"network": -1}})
        body["network"]["project_id"] = "alice"
        replies = self.post("/v2.0/networks", [body] * 120)
        given = [reply.body["network"]["provider:segmentation_id"] for reply in replies if reply.status == 201]
        self.assertEqual(sorted(given), list(range(100, 150)))
        self.assertEqual({reply.status for reply in replies}, {201, 503})


@frozen
class _Asked:
    name: str
    status: int
    retry_after: str | None
    at: float


@define
class Load:
    """Clients that create networks with names of their own, one after the other, until they are told to stop."""

    process: Appliance
    number: int
    asked: list[_Asked] = field(factory=list)
    broken: list[str] = field(factory=list)
    _names: Any = field(factory=count)
    _is_ended: threading.Event = field(factory=threading.Event)
    _threads: list[threading.Thread] = field(factory=list)

    def start(self) -> None:
        """Begin."""
        for _ in range(self.number):
            self._threads.append(threading.Thread(target=self._run, daemon=True))
            self._threads[-1].start()

    def finish(self) -> None:
        """Wait for the last answers."""
        self._is_ended.set()
        for thread in self._threads:
            thread.join(90)

    def answered(self, status: int, since: float = 0.0) -> int:
        """How many requests were answered so since then."""
        return sum(each.status == status and each.at >= since for each in self.asked)

    def _run(self) -> None:
        connection = HTTPConnection(self.process.host, self.process.port, timeout=60)
        while not self._is_ended.is_set():
            name = f"n{next(self._names)}"
            try:
                body = json.dumps({"network": {"name": name, "project_id": f"p-{name}"}})
                connection.request("POST", "/v2.0/networks", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                asked = _Asked(name, response.status, response.headers.get("Retry-After"), time.monotonic())
                self.asked.append(asked)
                if asked.status == 503:
                    time.sleep(0.05)
            except (OSError, HTTPException) as error:
                self.broken.append(repr(error))
                connection.close()
        connection.close()


class OutageRules(_TestCase):
    """A quantumd under load, whose database is killed and started again."""

    kind = ""

    def setUp(self) -> None:
        """Start both."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-outage-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.server: DatabaseServer = new_server(self.kind)
        self.addCleanup(self.server.close)
        url = self.server.create("quantumd_outage")
        self.process = Appliance(Path(folder.name) / "quantumd", settings={"database.url": url})
        self.addCleanup(self.process.close)
        self.process.start()

    def test_nothing_is_lost_or_repeated(self) -> None:
        """Meanwhile requests get 503 with Retry-After. What was answered 201 is there once, what got 503 is not."""
        load = Load(self.process, 16)
        load.start()
        for how in (self.server.kill, self.server.stop) * times(1, 10):
            self._await_answers(load, 201)
            how()
            self._await_answers(load, 503)
            self.server.start()
            self._await_answers(load, 201)
        load.finish()
        self.assertEqual(load.broken, [])
        self.assertEqual({each.status for each in load.asked}, {201, 503}, self.process.log()[-3000:])
        self.assertEqual({each.retry_after for each in load.asked if each.status == 503}, {"1"})
        stored = self._stored()
        self.assertEqual([name for name, number in stored.items() if number > 1], [])
        self.assertEqual({each.name for each in load.asked if each.status == 201}, set(stored))

    def _await_answers(self, load: Load, status: int) -> None:
        """Wait until many requests were answered so from now on."""
        begun = time.monotonic()
        while load.answered(status, begun) < 50:
            self.assertLess(time.monotonic(), begun + 60, self.process.log()[-3000:])
            time.sleep(0.02)

    def _stored(self) -> Counter[str]:
        engine = create_engine(database_url(self.server.url("quantumd_outage")))
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            names = Counter(connection.scalars(select(networks.c.name)).all())
            told = connection.scalars(
                select(journal.c.resource_id).where(journal.c.resource == "network", journal.c.operation == "create")
            )
            self.assertEqual(sorted(told), sorted(connection.scalars(select(networks.c.id))))
        return names


@pytest.mark.slow
@pytest.mark.time_limit(400)
class PostgresqlSharedTests(SharedRules, SynchronousTestCase):
    """PostgreSQL."""

    kind = "postgresql"
    skip = lacking("postgresql")


@pytest.mark.slow
@pytest.mark.time_limit(400)
class MariadbSharedTests(SharedRules, SynchronousTestCase):
    """MariaDB."""

    kind = "mariadb"
    skip = lacking("mariadb")


@pytest.mark.slow
@pytest.mark.time_limit(300 + times(0, 600))
class PostgresqlOutageTests(OutageRules, SynchronousTestCase):
    """PostgreSQL."""

    kind = "postgresql"
    skip = lacking("postgresql")


@pytest.mark.slow
@pytest.mark.time_limit(300 + times(0, 600))
class MariadbOutageTests(OutageRules, SynchronousTestCase):
    """MariaDB."""

    kind = "mariadb"
    skip = lacking("mariadb")

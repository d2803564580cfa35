"""Asking hosts what their ports have sent and received, and what their routers have counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve
from sqlalchemy import insert
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.hosts.counters import METERS, PORTS, HostCounters, WrongCounters
from quantumd.bus.memory import MemoryBus
from quantumd.converge.client import RecordsClient
from quantumd.converge.counting import meters_counted, ports_counted
from quantumd.converge.records import Records
from quantumd.errors import EdgeUnavailable
from quantumd.model.counters import MOST_COUNTED, CountersReply, PortCount, PortCounters
from quantumd.model.host_life import HostLife
from quantumd.model.messages import Ack
from quantumd.model.meter_counts import MeterCount
from quantumd.model.records import RecordKey
from quantumd.store.memory import MemoryStore
from quantumd.store.tables import hosts
from quantumd.store.times import utc_text
from quantumd.store.transaction import Transaction

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SOME = PortCounters(1, 2, 3, 4, 5, 6)


class Loop:
    """Takes what changes."""

    def records_changed(self, changed: frozenset[RecordKey], is_complete: bool) -> None:
        """See TakesRecords."""


class CountersTests(SynchronousTestCase):
    """A host's roles l2 and l3, and an API process."""

    def setUp(self) -> None:
        """Have them on a bus."""
        self.clock, self.store = Clock(), MemoryStore()
        self.bus = MemoryBus(self.clock)
        self.counters: dict[str, PortCounters] = {}
        self.meters: list[MeterCount] = []
        self.reads = 0
        for role, answers in (("l2", ports_counted(self.read)), ("l3", meters_counted(lambda: succeed(self.meters)))):
            RecordsClient(
                self.bus, self.clock, "host-a", role, Records(), Loop(), lambda: Deferred(), answers
            ).startService()
        self.asking = HostCounters(self.bus, self.store, HostLife(150), PORTS, "", lambda: NOW)

    def read(self) -> Deferred[Mapping[str, PortCounters]]:
        """Read the switch."""
        self.reads += 1
        return succeed(self.counters)

    def asked(self, host: str = "host-a") -> Deferred[Any]:
        """Ask a host."""
        answer: Deferred[Any] = self.asking.read(host).addCallback(
            lambda counts: [(each.port_id, each.counters) for each in counts]
        )
        self.clock.pump([0.0] * 20)
        return answer

    def heard(self, host: str, role: str, seconds_ago: int) -> None:
        """Have heard a role."""
        at = utc_text(NOW - timedelta(seconds=seconds_ago))
        row = {"host": host, "role": role, "quantumd_version": "1", "vif_details": "{}", "reported_at": at}

        def write(tx: Transaction) -> None:
            tx.connection.execute(insert(hosts), row)

        self.successResultOf(self.store.write(write))

    def test_all_ports_of_a_host_are_told(self) -> None:
        """However many they are: no message has more than it may."""
        self.counters = {f"p{number:05}": evolve(SOME, incoming_bytes=number) for number in range(2 * MOST_COUNTED + 1)}
        self.assertEqual(dict(self.successResultOf(self.asked())), self.counters)
        self.assertEqual(self.reads, 3)

    def test_all_meters_of_a_host_are_told(self) -> None:
        """However many they are, of one router or of several."""
        names = [(f"r{router}", f"l{label:04}") for router in range(2) for label in range(MOST_COUNTED)]
        self.meters = [MeterCount(router, label, 3, 300) for router, label in names]
        asked = HostCounters(self.bus, self.store, HostLife(150), METERS).read("host-a")
        self.clock.pump([0.0] * 20)
        self.assertEqual(self.successResultOf(asked), self.meters)

    def test_a_host_without_ports_is_asked_once(self) -> None:
        """And tells nothing."""
        self.assertEqual(self.successResultOf(self.asked()), [])
        self.assertEqual(self.reads, 1)

    def test_a_host_that_is_away_is_an_error(self) -> None:
        """That the round goes on after."""
        self.failureResultOf(self.asked("nowhere"), EdgeUnavailable)

    def test_a_host_that_talks_nonsense_is_an_error(self) -> None:
        """So is one that answers something else."""
        self.bus.consume("l2.host-a", lambda message: Ack())
        self.failureResultOf(self.asked(), WrongCounters)

    def test_a_host_that_repeats_itself_is_asked_no_more(self) -> None:
        """Or it would be for ever."""
        same = CountersReply((PortCount("p1", SOME),), True)
        self.bus.consume("l2.host-a", lambda message: same)
        self.assertEqual(self.successResultOf(self.asked()), [("p1", SOME)])

    def test_hosts_that_live_are_asked(self) -> None:
        """Those with a role l2; the silent ones would only be waited for."""
        for host, role, seconds in (("b", "l2", 10), ("a", "l2", 150), ("dead", "l2", 151), ("c", "dhcp", 0)):
            self.heard(host, role, seconds)
        self.assertEqual(self.successResultOf(self.asking.hosts()), ["a", "b"])

    def test_a_process_without_others_asks_itself(self) -> None:
        """Whether or not it has reported."""
        alone = HostCounters(self.bus, self.store, HostLife(150), PORTS, "me", lambda: NOW)
        self.assertEqual(self.successResultOf(alone.hosts()), ("me",))

"""From committed changes to a Nova in memory: what it is told, how often, and what happens when it is not well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve
from prometheus_client import CollectorRegistry, Counter
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from quantumd.api.nova import CURSOR
from quantumd.api.nova.events import CHANGED, DELETED, PLUGGED
from quantumd.api.nova.notifier import MOST_EVENTS, Notifier
from quantumd.api.nova.service import ROWS, make_client
from quantumd.config import KeystoneSettings, NovaSettings
from quantumd.errors import SettingsError
from quantumd.store.consumer import Consumer, ConsumerLimits, NoConsumer
from quantumd.store.journal import all_cursors, find_cursor
from quantumd.store.memory import MemoryStore
from quantumd.store.transaction import Transaction
from tests.api.nova.ports import OTHER_SERVER, SERVER, port, write
from tests.bed.compute_api import BROKEN, HANGS, WELL, ComputeApi
from tests.bed.keystone_memory import MemoryKeystone, serve_in_memory

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NOVA = "http://nova.example:8774/v2.1"
LIMITS = ConsumerLimits(rows=ROWS, lease=120.0, handle=60.0, retry=1.0, retry_most=30.0, stop=3.0)
LOGIN = "POST /v3/auth/tokens"


class Case(SynchronousTestCase):
    """A store, a Keystone, a Nova, and what tells it."""

    settings = NovaSettings(enabled=True)

    def setUp(self) -> None:
        """Start all of them."""
        # Tokens end by the wall clock.
        self.clock = Clock()
        self.keystone_clock = Clock()
        self.keystone_clock.advance(datetime.now(UTC).timestamp())
        self.store = MemoryStore()
        self.keystone = MemoryKeystone(self.keystone_clock)
        self.keystone.catalog = [
            {"type": "compute", "endpoints": [{"interface": "public", "region_id": "RegionOne", "url": NOVA + "/"}]}
        ]
        self.service = self.keystone.make_user("service")
        self.nova = ComputeApi()
        self.counts = Counter("events", "Events.", ("name", "outcome"), registry=CollectorRegistry())
        self.endpoints = serve_in_memory(self._answer, self.clock)
        self.consumer = self.start()

    def _answer(self, method: str, path: str, headers: Any, body: bytes) -> Any:
        if path.startswith("/v3/"):
            return self.keystone.answer(method, path, headers, body)
        said = {name.decode(): values[0].decode() for name, values in headers.getAllRawHeaders()}
        return self.nova.answer(method, path, {name.title(): value for name, value in said.items()}, body)

    def start(self) -> Consumer:
        """Start what tells Nova, as a process of the same name does."""
        keystone = KeystoneSettings(
            auth_url=self.keystone.url,
            user=self.service.name,
            project=self.service.project.name if self.service.project else "",
            password=self.service.password,
        )
        client = make_client(self.settings, keystone, self.clock, self.endpoints.endpoint_of)
        consumer = Consumer(
            self.clock, self.store, CURSOR, "h1", Notifier(client, self.counts).handle, LIMITS,
            lambda: BEGIN + timedelta(seconds=self.clock.seconds()), begins_at_end=True,
        )  # fmt: skip
        consumer.startService()
        return consumer

    def change(self, before: Any, after: Any, operation: str = "update") -> None:
        """Commit one change, and let it be told."""
        self.commit((before, after, operation))

    def commit(self, *changes: tuple[Any, Any, str]) -> None:
        """Commit changes in one transaction, and let them be told."""

        def work(tx: Transaction) -> None:
            for before, after, operation in changes:
                write(tx, before, after, operation)

        self.successResultOf(self.store.write(work))
        self.endpoints.flush()

    def plug(self, **named: Any) -> None:
        """Let a port become ACTIVE."""
        self.change(port(**named), port(**named, status="ACTIVE"), "status")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(seconds * 2)):
            self.clock.advance(0.5)
            self.endpoints.flush()

    def position(self) -> int:
        """Return how far the cursor stands."""
        cursor = self.successResultOf(self.store.read(lambda connection: find_cursor(connection, CURSOR)))
        return -1 if cursor is None else int(cursor.position)


class TellingTests(Case):
    """A Nova that is well."""

    def test_it_is_told(self) -> None:
        """With quantumd's own token, at the endpoint of the catalogue."""
        self.plug()
        self.assertEqual(self.nova.names(), [PLUGGED])
        self.assertEqual(self.keystone.asked, [LOGIN])
        self.assertTrue(self.keystone.is_live(self.nova.requests[0]["X-Auth-Token"]))

    def test_the_cursor_is_written_with_each_acknowledgement(self) -> None:
        """Without a moment in between, so that a crash repeats hardly anything."""
        self.plug()
        self.assertEqual(self.position(), 1)

    def test_what_is_none_of_novas_is_written_down_later(self) -> None:
        """Other changes cost no commit each."""
        self.change(port(), port(name="x"))
        self.assertEqual(self.position(), 0)
        self.wait(1)
        self.assertEqual(self.position(), 1)
        self.assertEqual(self.nova.requests, [])

    def test_changes_of_one_commit_are_one_request(self) -> None:
        """They are in its order."""
        self.commit(
            (port(), port(status="ACTIVE"), "status"),
            (port(status="ACTIVE"), port(status="ACTIVE", fixed_ips=[]), "update"),
            (port(), None, "delete"),
        )
        self.assertEqual((self.nova.names(), len(self.nova.requests)), ([PLUGGED, CHANGED, DELETED], 1))

    def test_requests_are_bounded(self) -> None:
        """However many changes wait."""
        down, up = port(status="DOWN"), port(status="ACTIVE", fixed_ips=[])
        self.commit(*[(down, up, "update"), (up, down, "update")] * ROWS)
        self.assertEqual(len(self.nova.acknowledged), 4 * ROWS)
        self.assertEqual(len(self.nova.requests), 4 * ROWS // MOST_EVENTS)

    def test_a_token_is_used_until_it_is_refused(self) -> None:
        """Then a new one is, and nothing is lost."""
        self.plug()
        self.nova.is_good = self.keystone.is_live
        self.keystone.revoke_all()
        self.plug()
        self.assertEqual(self.nova.names(), [PLUGGED, PLUGGED])
        self.assertEqual(self.keystone.asked, [LOGIN, LOGIN])

    def test_servers_that_are_gone_are_let_go(self) -> None:
        """As servers without a host are; what became of events is counted."""
        self.nova.known = {SERVER}
        self.nova.homeless = {SERVER}
        self.commit(
            (port(), port(status="ACTIVE"), "status"),
            (port(device_id=OTHER_SERVER), port(device_id=OTHER_SERVER, status="ACTIVE"), "status"),
        )
        self.wait(60)
        self.assertEqual(len(self.nova.requests), 1)
        self.assertEqual(self.counted(), {(PLUGGED, "gone"): 1.0, (PLUGGED, "unplaced"): 1.0})

    def test_an_event_that_makes_no_sense_takes_no_others_with_it(self) -> None:
        """The others are told, each once, and it is left out."""
        self.nova.senseless = {OTHER_SERVER}
        self.commit(
            (port(), port(status="ACTIVE"), "status"),
            (port(device_id=OTHER_SERVER), port(device_id=OTHER_SERVER, status="ACTIVE"), "status"),
            (port(), None, "delete"),
        )
        self.assertEqual(self.nova.names(), [PLUGGED, DELETED])
        self.assertEqual(self.counted()[PLUGGED, "refused"], 1.0)
        self.assertEqual(self.position(), 3)

    def counted(self) -> dict[tuple[str, str], float]:
        """Return how many events became what."""
        samples = next(iter(self.counts.collect())).samples
        return {
            (sample.labels["name"], sample.labels["outcome"]): sample.value
            for sample in samples
            if sample.name.endswith("_total")
        }


class BeginningTests(Case):
    """Switching it on and off."""

    def test_it_begins_with_what_comes(self) -> None:
        """What happened before it was switched on is no news to Nova."""
        self.store = MemoryStore()
        self.plug()
        self.start()
        self.endpoints.flush()
        self.assertEqual(self.nova.names(), [])
        self.plug()
        self.assertEqual(self.nova.names(), [PLUGGED])

    def test_switched_off_it_does_not_hold_the_journal(self) -> None:
        """Nobody would ever move its cursor."""
        self.successResultOf(self.consumer.stopService())
        NoConsumer(self.store, CURSOR).startService()
        self.assertEqual(self.successResultOf(self.store.read(all_cursors)), ())

    def test_settings_are_looked_at_before_the_start(self) -> None:
        """A wrong endpoint, no password."""
        good = KeystoneSettings(password="x")
        for nova, keystone in (
            (NovaSettings(endpoint="nova:8774"), good),
            (NovaSettings(endpoint="http://user:secret@nova"), good),
            (NovaSettings(), evolve(good, password="")),
        ):
            error = self.assertRaises(SettingsError, make_client, nova, keystone, self.clock)
            self.assertNotIn("secret", str(error))


class EndpointTests(Case):
    """nova.endpoint."""

    settings = NovaSettings(enabled=True, endpoint=NOVA)

    def test_it_goes_before_the_catalogue(self) -> None:
        """Nova need not be in it."""
        self.keystone.catalog = []
        self.plug()
        self.assertEqual(self.nova.names(), [PLUGGED])


class IllTests(Case):
    """A Nova, or a Keystone, that is not well."""

    def test_errors_are_waited_out(self) -> None:
        """Later and later; then everything is told, in order, once."""
        self.nova.mood = BROKEN
        self.plug()
        self.change(port(), None, "delete")
        self.wait(40)
        tries = len(self.nova.requests)
        self.assertTrue(4 <= tries <= 7, tries)
        self.assertEqual(self.position(), 0)
        self.nova.mood = WELL
        self.wait(31)
        self.assertEqual(self.nova.names(), [PLUGGED, DELETED])
        self.assertEqual(self.position(), 2)

    def test_a_nova_that_hangs_is_given_up(self) -> None:
        """After nova.timeout_seconds, and asked again."""
        self.nova.mood = HANGS
        self.plug()
        self.wait(self.settings.timeout_seconds)
        self.nova.mood = WELL
        self.wait(3)
        self.assertEqual(self.nova.names(), [PLUGGED])
        self.assertEqual(len(self.nova.requests), 2)

    def test_a_nova_that_is_away_is_waited_for(self) -> None:
        """Its connections are refused; it may come back elsewhere, so the catalogue is read again."""
        self.plug()
        self.endpoints.is_away = True
        self.endpoints.drop()
        self.change(port(), None, "delete")
        self.wait(20)
        self.endpoints.is_away = False
        self.wait(31)
        self.assertEqual(self.nova.names(), [PLUGGED, DELETED])
        self.assertEqual(self.keystone.asked, [LOGIN, LOGIN])

    def test_a_keystone_that_is_broken_is_waited_for(self) -> None:
        """Nothing can be told without a token."""
        self.keystone.is_broken = True
        self.plug()
        self.wait(5)
        self.keystone.is_broken = False
        self.wait(31)
        self.assertEqual(self.nova.names(), [PLUGGED])

    def test_a_catalogue_without_nova_is_waited_for(self) -> None:
        """It may be registered later."""
        catalog, self.keystone.catalog = self.keystone.catalog, []
        self.plug()
        self.wait(5)
        self.keystone.catalog = catalog
        self.wait(31)
        self.assertEqual(self.nova.names(), [PLUGGED])

    def test_a_catalogue_with_urls_that_are_none_is_waited_for(self) -> None:
        """They may be corrected."""
        catalog = self.keystone.catalog
        for url in ("http://", "http://a b/", "http://u:p@nova/", "http://nova:99999/"):
            self.keystone.catalog = [{"type": "compute", "endpoints": [{"interface": "public", "url": url}]}]
            self.plug()
            self.wait(5)
            self.assertEqual(self.nova.names(), [])
        self.keystone.catalog = catalog
        self.wait(61)
        self.assertEqual(len(self.nova.names()), 4)

    def test_a_crash_before_an_acknowledgement_repeats(self) -> None:
        """What Nova has not acknowledged is told by the next process."""
        self.nova.mood = HANGS
        self.plug()
        self.nova.mood = WELL
        # Nothing of the first process runs again: its clock stands still.
        self.clock = Clock()
        self.clock.advance(1)
        self.endpoints = serve_in_memory(self._answer, self.clock)
        self.start()
        self.endpoints.flush()
        self.assertEqual(self.nova.names(), [PLUGGED])

    def test_a_crash_after_an_acknowledgement_repeats_nothing(self) -> None:
        """The cursor was written at once."""
        self.plug()
        self.clock = Clock()
        self.endpoints = serve_in_memory(self._answer, self.clock)
        self.start()
        self.endpoints.flush()
        self.wait(10)
        self.assertEqual(self.nova.names(), [PLUGGED])

    def test_stopping_waits_for_an_acknowledgement(self) -> None:
        """For a while; it is written down before the process ends."""
        self.successResultOf(self.store.write(lambda tx: write(tx, port(), port(status="ACTIVE"), "status")))
        stopped = self.consumer.stopService()
        self.endpoints.flush()
        self.successResultOf(stopped)
        self.assertEqual((self.nova.names(), self.position()), ([PLUGGED], 1))

    def test_stopping_does_not_wait_for_a_nova_that_hangs(self) -> None:
        """A few seconds are enough."""
        self.nova.mood = HANGS
        self.plug()
        stopped = self.consumer.stopService()
        self.clock.advance(LIMITS.stop)
        self.successResultOf(stopped)
        self.assertEqual(self.position(), 0)


class SecretsTests(Case):
    """What is logged."""

    def test_no_secret_is(self) -> None:
        """Neither password nor token, whatever goes wrong."""
        said: list[str] = []

        @implementer(ILogObserver)
        def note(event: Any) -> None:
            said.append(f"{formatEvent(event)} {event!r} {event.get('log_failure')}")

        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        self.plug()
        for mood in (BROKEN, HANGS, WELL):
            self.nova.mood = mood
            self.plug()
            self.wait(15)
        self.keystone.change_password(self.service, "another")
        self.keystone.revoke_all()
        self.nova.is_good = lambda token: False
        self.plug()
        self.wait(15)
        told = "\n".join(said)
        self.assertIn("told Nova", told)
        self.assertIn("refuses quantumd's own user", told)
        secrets = [self.service.password, *(request["X-Auth-Token"] for request in self.nova.requests)]
        self.assertEqual([secret for secret in secrets if secret in told], [])

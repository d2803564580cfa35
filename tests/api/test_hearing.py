"""Since when hosts cannot be heard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import insert, select
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.hosts.hearing import Hearing
from quantumd.bus.memory import MemoryBus
from quantumd.errors import EdgeUnavailable
from quantumd.model.host_life import Deafness
from quantumd.store.memory import MemoryStore
from quantumd.store.tables import hosts
from quantumd.store.times import utc_text
from quantumd.store.transaction import Transaction

T = TypeVar("T")
THEN = datetime(2026, 11, 20, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return a time of the test."""
    return THEN + timedelta(seconds=seconds)


class Broken(MemoryBus):
    """A bus whose broker may be away."""


class AwayStore(MemoryStore):
    """A store whose database may be away."""

    is_away = False

    def write(self, work: Callable[[Transaction], T]) -> Deferred[T]:
        """See IStore."""
        return fail(EdgeUnavailable("away")) if self.is_away else super().write(work)


class HearingTests(SynchronousTestCase):
    """A process starts at ``THEN``; it has clock and wall clock in step."""

    def setUp(self) -> None:
        """Have it, with nobody who ever reported."""
        self.clock = Clock()
        self.store = AwayStore(lambda: utc_text(self.now()))
        self.bus = Broken(self.clock)
        self.addCleanup(setattr, Broken, "is_connected", True)
        self.slept = 0.0
        self.hearing = Hearing(self.bus, self.store, self.clock, "controller", 50.0, self.now)

    def now(self) -> datetime:
        """Return the wall clock's time."""
        return at(self.clock.seconds() + self.slept)

    def start(self) -> None:
        """Start it."""
        self.hearing.startService()
        self.addCleanup(self.hearing.stopService)

    def let_pass(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.pump([1.0] * seconds)

    def heard(self, host: str, role: str, when: datetime) -> None:
        """Have a role's last report in the database."""
        row = {"host": host, "role": role, "quantumd_version": "1", "vif_details": "{}", "reported_at": utc_text(when)}

        def write(tx: Transaction) -> None:
            tx.connection.execute(insert(hosts), row)

        self.successResultOf(self.store.write(write))

    def processes(self) -> list[str]:
        """Return the hosts with API processes."""
        statement = select(hosts.c.host).where(hosts.c.role == "api").order_by(hosts.c.host)
        return list(self.successResultOf(self.store.read(lambda connection: connection.execute(statement).scalars())))

    def test_a_first_start_was_not_deaf(self) -> None:
        """Nobody was there to be heard."""
        self.start()
        self.let_pass(100)
        self.assertIsNone(self.hearing.deafness())

    def test_nobody_heard_what_was_said_between_two_processes(self) -> None:
        """From the last report of any host, or the last sign of life of an API process, to the start."""
        self.heard("host-a", "l2", at(-700))
        self.heard("controller", "api", at(-600))
        self.start()
        self.assertEqual(self.hearing.deafness(), Deafness(at(-600), THEN))
        self.let_pass(100)
        self.assertEqual(self.hearing.deafness(), Deafness(at(-600), THEN))

    def test_a_host_that_is_faster_than_the_look_does_not_end_it(self) -> None:
        """What it says at the start is none of what was said before."""
        self.heard("controller", "api", at(-600))
        self.heard("host-a", "l2", THEN)
        self.start()
        self.assertEqual(self.hearing.deafness(), Deafness(at(-600), THEN))

    def test_nobody_is_heard_without_the_broker(self) -> None:
        """As long as it is away; then that is over."""
        self.start()
        self.let_pass(10)
        Broken.is_connected = False
        self.let_pass(60)
        self.assertEqual(self.hearing.deafness(), Deafness(at(10), at(70)))
        Broken.is_connected = True
        self.let_pass(60)
        self.assertEqual(self.hearing.deafness(), Deafness(at(10), at(71)))

    def test_a_start_without_the_broker_goes_on_what_was_before(self) -> None:
        """It is one silence."""
        self.heard("host-a", "l2", at(-600))
        Broken.is_connected = False
        self.start()
        self.let_pass(60)
        self.assertEqual(self.hearing.deafness(), Deafness(at(-600), at(60)))

    def test_a_machine_that_slept_heard_nothing(self) -> None:
        """However long it was suspended."""
        self.start()
        self.let_pass(10)
        self.slept = 3600
        self.let_pass(1)
        self.assertEqual(self.hearing.deafness(), Deafness(at(10), at(3611)))

    def test_a_database_that_is_away_is_tried_again(self) -> None:
        """Meanwhile nobody turns silent who was not."""
        self.start()
        self.let_pass(2)
        self.assertEqual(self.processes(), ["controller"])
        self.store.is_away = True
        self.let_pass(60)
        self.store.is_away = False
        self.let_pass(100)
        self.assertEqual(self.reported(), [utc_text(at(151))])

    def reported(self) -> list[str]:
        """Return when API processes have reported."""
        statement = select(hosts.c.reported_at).where(hosts.c.role == "api")
        return list(self.successResultOf(self.store.read(lambda connection: connection.execute(statement).scalars())))

    def test_a_process_that_lives_is_noted(self) -> None:
        """The next one, and operators, know until when; who is long gone is forgotten."""
        self.heard("old", "api", at(-8 * 86400))
        self.heard("other", "api", at(-86400))
        self.start()
        self.let_pass(2)
        self.assertEqual(self.processes(), ["controller", "other"])

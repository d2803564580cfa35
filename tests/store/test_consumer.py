"""Consumers see every row at least once, across failures and restarts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.errors import EdgeUnavailable
from quantumd.store.consumer import Consumer, ConsumerLimits, Handle
from quantumd.store.journal import Cursor, JournalRow, add_cursor, all_cursors, find_cursor, take_lease
from quantumd.store.memory import MemoryStore
from quantumd.store.times import utc_text
from quantumd.store.transaction import Transaction
from tests.contracts.store import note
from tests.store.bed import StoreCase

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = ConsumerLimits(rows=10, cursor=1.0, lease=60.0, poll=5.0, handle=20.0, retry=0.5, retry_most=2.0)


class ConsumerTests(SynchronousTestCase):
    """Consumer."""

    def setUp(self) -> None:
        """Make a store, a clock, and a list of what was handled."""
        self.store = MemoryStore()
        self.clock = Clock()
        self.seen: list[int] = []

    def _take(self, rows: Sequence[JournalRow]) -> None:
        self.seen += [row.position for row in rows]

    def _consumer(
        self, handle: Handle | None = None, holder: str = "h1", limits: ConsumerLimits = LIMITS, **more: Any
    ) -> Consumer:
        now = lambda: BEGIN + timedelta(seconds=self.clock.seconds())  # noqa: E731
        consumer = Consumer(self.clock, self.store, "c", holder, handle or self._take, limits, now, **more)
        consumer.startService()
        return consumer

    def _note(self, rows: int = 1) -> None:
        self.successResultOf(self.store.write(lambda t: [note(t) for _ in range(rows)]))

    def _cursor(self) -> Cursor | None:
        return self.successResultOf(self.store.read(lambda c: find_cursor(c, "c")))

    def _position(self) -> int:
        cursor = self._cursor()
        return -1 if cursor is None else cursor.position

    def test_what_was_there_before_is_handled(self) -> None:
        """A new consumer starts at the beginning of the journal."""
        self._note(25)
        self._consumer()
        self.assertEqual(self.seen, list(range(1, 26)))

    def test_a_commit_wakes_it(self) -> None:
        """What is committed is handled without waiting for a timer."""
        self._consumer()
        self._note()
        self._note(2)
        self.assertEqual(self.seen, [1, 2, 3])

    def test_commits_of_others_are_found(self) -> None:
        """What another process commits is found when the journal is looked at the next time."""
        self._consumer()
        self.successResultOf(self.store.beside().write(note))
        self.assertEqual(self.seen, [])
        self.clock.advance(LIMITS.poll)
        self.assertEqual(self.seen, [1])

    def test_commits_are_gathered_after_the_first(self) -> None:
        """A consumer that gathers handles what comes soon after the first commit together with it."""
        calls: list[int] = []
        self._consumer(lambda rows: calls.append(len(rows)), limits=evolve(LIMITS, gather=0.01))
        self.clock.advance(0.01)
        self._note()
        self._note(2)
        self.assertEqual(calls, [])
        self.clock.advance(0.01)
        self.assertEqual(calls, [3])

    def test_a_consumer_that_gathers_rests_three_times_as_long_as_it_works(self) -> None:
        """Under load it does much at once, up to a limit of how long others wait for it."""
        busy: list[Deferred[None]] = []

        def handle(rows: Sequence[JournalRow]) -> Deferred[None]:
            self._take(rows)
            busy.append(Deferred())
            return busy[-1]

        self._consumer(handle, limits=evolve(LIMITS, gather=0.01, gather_most=0.05))
        self.clock.advance(0.01)
        for seconds, rest in ((0.01, 0.03), (0.2, 0.05)):
            self._note()
            self.clock.advance(0.05)
            self._note()
            self.clock.advance(seconds)
            seen = len(self.seen)
            busy[-1].callback(None)
            self.clock.advance(rest - 0.005)
            self.assertEqual(len(self.seen), seen)
            self.clock.advance(0.006)
            self.assertEqual(len(self.seen), seen + 1)
            busy[-1].callback(None)
            self.clock.advance(0.05)

    def test_the_cursor_is_written_once_for_many_rows(self) -> None:
        """The cursor is not written for each row but after a second, also when nothing more happens."""
        self._consumer()
        for _ in range(5):
            self._note()
        self.assertEqual(self._position(), 0)
        self.clock.advance(LIMITS.cursor)
        self.assertEqual(self._position(), 5)

    def test_the_cursor_is_written_at_once_where_that_is_asked_for(self) -> None:
        """For what cannot be undone: a crash in the next moment repeats nothing."""

        async def handle(rows: Sequence[JournalRow]) -> bool:
            return rows[-1].position != 2

        self._consumer(handle)
        positions = []
        for _ in range(3):
            self._note()
            positions.append(self._position())
        self.assertEqual(positions, [1, 1, 3])

    def test_a_new_one_may_begin_at_the_end(self) -> None:
        """What was before is no news to it; one that is known goes on where it was."""
        self._note(3)
        consumer = self._consumer(begins_at_end=True)
        self._note()
        self.successResultOf(consumer.stopService())
        self._note()
        self._consumer(begins_at_end=True)
        self.assertEqual(self.seen, [4, 5])

    def test_waits_are_shortened_by_chance(self) -> None:
        """By half at most, so that those who wait for the same thing do not come back together."""

        def handle(rows: Sequence[JournalRow]) -> None:
            self._take(rows)
            raise EdgeUnavailable("the thing is away")

        self._note()
        self._consumer(handle, chance=lambda: 0.0)
        self.clock.advance(0.24)
        self.assertEqual(self.seen, [1])
        self.clock.advance(0.01)
        self.assertEqual(self.seen, [1, 1])
        # What is away is no bug: it is said without a traceback.
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_after_a_crash_it_goes_on_at_its_cursor(self) -> None:
        """A process of the same name handles again what was handled and not written down, and nothing before it."""
        self._consumer()
        self._note(2)
        self.clock.advance(LIMITS.cursor)
        self._note()
        self.seen.clear()
        self._consumer()
        self.assertEqual(self.seen, [3])

    def test_a_failure_is_tried_again(self) -> None:
        """While handling fails the same rows come again, later and later, and the cursor stays."""
        fails = [True, True, True]

        def handle(rows: Sequence[JournalRow]) -> None:
            self._take(rows)
            if fails and fails.pop():
                raise KeyError

        self._note()
        self._consumer(handle)
        self.assertEqual(self.seen, [1])
        self.clock.advance(0.5)
        self.assertEqual(self.seen, [1, 1])
        self.clock.advance(0.9)
        self.assertEqual(self.seen, [1, 1])
        self.clock.advance(0.1)
        self.assertEqual(self.seen, [1, 1, 1])
        self.assertEqual(self._position(), 0)
        self.clock.pump([2.0, 1.0])
        self.assertEqual(self._position(), 1)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 3)

    def test_a_handler_that_never_answers_is_given_up(self) -> None:
        """Handling has a time limit; then the rows come again."""

        def handle(rows: Sequence[JournalRow]) -> Deferred[None]:
            self._take(rows)
            return Deferred()

        self._note()
        self._consumer(handle)
        self.clock.pump([LIMITS.handle, LIMITS.retry])
        self.assertEqual(self.seen, [1, 1])
        self.assertEqual(len(self.flushLoggedErrors()), 1)

    def test_lag_is_told(self) -> None:
        """What is committed and not handled is told in rows and seconds."""
        answer: Deferred[None] = Deferred()
        consumer = self._consumer(lambda rows: answer)
        self.assertEqual((consumer.lag_rows, consumer.lag_seconds), (0, 0.0))
        self._note(3)
        self.clock.advance(1.5)
        self.assertEqual((consumer.lag_rows, consumer.lag_seconds), (3, 1.5))
        answer.callback(None)
        self.assertEqual((consumer.lag_rows, consumer.lag_seconds), (0, 0.0))

    def test_one_process_at_a_time(self) -> None:
        """A second process waits for the lease, and takes over when the first died and its lease has run out."""
        first: list[int] = []
        self._consumer(lambda rows: first.extend(row.position for row in rows))
        self._consumer(holder="h2")
        self._note()
        self.assertEqual((first, self.seen), ([1], []))

    def test_the_lease_of_a_dead_process_runs_out(self) -> None:
        """After the lease's time another process goes on at the cursor."""

        def die(transaction: Transaction) -> None:
            add_cursor(transaction.connection, "c", 2)
            take_lease(transaction.connection, "c", "dead", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z")

        self.successResultOf(self.store.write(die))
        self._note(3)
        self._consumer()
        self.clock.pump([LIMITS.poll] * 11)
        self.assertEqual(self.seen, [])
        self.clock.pump([LIMITS.poll] * 2)
        self.assertEqual(self.seen, [3])

    def test_where_there_may_be_others_the_lease_is_short(self) -> None:
        """On a database that processes share, the next one goes on within seconds."""
        self.store.is_shared = True
        died = self._consumer(lambda rows: Deferred())
        self.assertTrue(died.has_lease)
        self._note()
        self._consumer(holder="h2")
        self.clock.pump([1.0] * 9)
        self.assertEqual(self.seen, [])
        self.clock.pump([1.0] * 2)
        self.assertEqual(self.seen, [1])

    def test_the_lease_is_kept_while_nothing_happens(self) -> None:
        """An idle consumer renews its lease."""
        self._consumer()
        self.clock.pump([1.0] * 200)
        cursor = self._cursor()
        self.assertIsNotNone(cursor)
        self.assertGreater(str(cursor.lease_expires_at if cursor else ""), utc_text(BEGIN + timedelta(seconds=200)))

    def test_stopping_writes_the_cursor_and_gives_the_lease_back(self) -> None:
        """After a stop nothing comes again, and another process may begin at once."""
        consumer = self._consumer()
        self._note(3)
        self.successResultOf(consumer.stopService())
        self.assertEqual(self.successResultOf(self.store.read(all_cursors)), (Cursor("c", 3, None, None),))

    def test_stopping_waits_for_the_call_under_way(self) -> None:
        """A call that is being handled is waited for."""
        answer: Deferred[None] = Deferred()
        consumer = self._consumer(lambda rows: answer)
        self._note()
        stopped = consumer.stopService()
        self.assertNoResult(stopped)
        answer.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self._position(), 1)

    def test_stopping_does_not_wait_for_ever(self) -> None:
        """A call that does not end is given up, and its rows come again the next time."""
        never: Deferred[Any] = Deferred()
        consumer = self._consumer(lambda rows: never)
        self._note()
        stopped = consumer.stopService()
        self.clock.advance(LIMITS.stop)
        self.successResultOf(stopped)
        self.assertEqual(self._position(), 0)


class StoppedStoreTests(StoreCase):
    """Consumer, on a store that stops."""

    async def test_a_store_that_stops_first_does_no_harm(self) -> None:
        """A consumer whose store has stopped ends quietly."""
        any_reactor: Any = reactor
        called: Deferred[None] = Deferred()
        answer: Deferred[None] = Deferred()

        def handle(rows: Sequence[JournalRow]) -> Deferred[None]:
            called.callback(None)
            return answer

        await self.store.write(note)
        consumer = Consumer(any_reactor, self.store, "c", "h1", handle)
        consumer.startService()
        await called
        stopped = consumer.stopService()
        await self.store.stop()
        answer.callback(None)
        await stopped

"""Changes are committed together, fail alone, and never touch the reactor thread."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from quantumd.store.errors import CommitFailed, StoreBusy, StoreStopped
from quantumd.store.transaction import Transaction
from tests.contracts.store import add, names, note
from tests.store.bed import StoreCase
from tests.store.rows import add_subnet


class _Gate:
    """A change or read that keeps its thread busy until it is opened."""

    def __init__(self) -> None:
        self.entered: Deferred[None] = Deferred()
        self._open = threading.Event()

    def __call__(self, _: object) -> None:
        reactor.callFromThread(self.entered.callback, None)  # type: ignore[attr-defined]
        self._open.wait(20)

    def open(self) -> None:
        self._open.set()


class GroupCommitTests(StoreCase):
    """What waits is committed together."""

    async def test_waiting_changes_share_commits(self) -> None:
        """Changes that gather while a commit runs are committed together, at most 64 at a time."""
        gate = _Gate()
        first = self.store.write(gate)
        await gate.entered
        rest = [self.store.write(add(f"{number:03}")) for number in range(100)]
        gate.open()
        await gatherResults([first, *rest])
        self.assertEqual((self.store.figures.changes, self.store.figures.commits), (101, 3))
        self.assertEqual(len(await self.store.read(names)), 100)

    async def test_a_lone_change_is_not_delayed(self) -> None:
        """A change with nothing behind it is committed on its own."""
        for number in range(3):
            await self.store.write(add(str(number)))
        self.assertEqual(self.store.figures.commits, 3)

    async def test_failures_inside_a_batch_undo_only_themselves(self) -> None:
        """In one commit every second change fails; the others stay, and the journal has no gap."""
        gate = _Gate()
        waiting = [self.store.write(gate)]
        await gate.entered

        def change(number: int) -> Any:
            def work(transaction: Transaction) -> int:
                add(str(number))(transaction)
                position = note(transaction, str(number))
                if number % 2:
                    raise KeyError(number)
                return position

            return work

        tried = [self.store.write(change(number)) for number in range(10)]
        waiting += [self.assertFailure(tried[number], KeyError) for number in range(1, 10, 2)]
        gate.open()
        positions = [await tried[number] for number in range(0, 10, 2)]
        await gatherResults(waiting)
        self.assertEqual(positions, [1, 2, 3, 4, 5])
        self.assertEqual(await self.store.read(names), ["0", "2", "4", "6", "8"])
        self.assertEqual(self.store.figures.commits, 2)

    async def test_one_listener_call_a_commit(self) -> None:
        """Listeners hear once of a commit, and before the changes' own Deferreds fire."""
        gate = _Gate()
        first = self.store.write(gate)
        await gate.entered
        heard: list[Any] = []
        self.store.on_commit(heard.append)
        rest = [self.store.write(note).addCallback(lambda position: heard.append(("own", position))) for _ in "abc"]
        gate.open()
        await gatherResults([first, *rest])
        self.assertEqual(heard, [3, ("own", 1), ("own", 2), ("own", 3)])

    async def test_the_cache_lives_for_one_commit(self) -> None:
        """What one change caches the next of its commit finds, and a later commit does not."""
        gate = _Gate()
        first = self.store.write(gate)
        await gate.entered
        writes = self.store.write(lambda transaction: transaction.cache.update(k="v"))
        reads = self.store.write(lambda transaction: dict(transaction.cache))
        gate.open()
        await gatherResults([first, writes])
        self.assertEqual(await reads, {"k": "v"})
        self.assertEqual(await self.store.write(lambda transaction: dict(transaction.cache)), {})

    async def test_an_undone_change_empties_the_cache(self) -> None:
        """After a change that was undone, the next of its commit finds nothing that may have come from it."""
        gate = _Gate()
        first = self.store.write(gate)
        await gate.entered

        def failing(transaction: Transaction) -> None:
            transaction.cache["k"] = "v"
            raise KeyError

        fails = self.assertFailure(self.store.write(failing), KeyError)
        reads = self.store.write(lambda transaction: dict(transaction.cache))
        gate.open()
        await gatherResults([first, fails])
        self.assertEqual(await reads, {})


class CommitFailureTests(StoreCase):
    """When the commit itself fails."""

    async def test_what_cannot_be_committed_takes_nobody_with_it(self) -> None:
        """A change that is found wrong only at the commit fails; those committed with it are tried alone and stay."""
        gate = _Gate()
        waiting = [self.store.write(gate)]
        await gate.entered

        def dangling(transaction: Transaction) -> None:
            transaction.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            add_subnet(transaction, "s", network_id="nowhere")

        waiting += [self.store.write(add("a")), self.assertFailure(self.store.write(dangling), CommitFailed)]
        waiting += [self.store.write(add("b"))]
        gate.open()
        await gatherResults(waiting)
        self.assertEqual(await self.store.read(names), ["a", "b"])

    async def test_a_change_that_ends_the_transaction_takes_nobody_with_it(self) -> None:
        """A change that makes SQLite undo everything fails alone; the others are tried again."""
        gate = _Gate()
        waiting = [self.store.write(gate)]
        await gate.entered

        def wrecking(transaction: Transaction) -> None:
            transaction.connection.exec_driver_sql("ROLLBACK")

        waiting += [
            self.store.write(add("a")),
            self.assertFailure(self.store.write(wrecking), CommitFailed),
        ]
        waiting += [self.store.write(add("b"))]
        gate.open()
        await gatherResults(waiting)
        self.assertEqual(await self.store.read(names), ["a", "b"])

    async def test_conflicts_arrive_as_the_database_tells_them(self) -> None:
        """A broken constraint arrives as IntegrityError, without the values that were sent."""
        await self.store.write(add("secret-name"))
        failure = await self.assertFailure(self.store.write(add("secret-name")), IntegrityError)
        self.assertNotIn("secret-name", str(failure))


class ThreadTests(StoreCase):
    """Where things run."""

    async def test_sql_never_runs_on_the_reactor_thread(self) -> None:
        """Changes, reads and streams run on threads of the store, and results arrive on the reactor thread."""
        seen: set[int] = set()

        def look(_: object) -> None:
            seen.add(threading.get_ident())

        def stream(connection: Connection) -> Any:
            look(connection)
            yield b"a"
            look(connection)
            yield b"b"

        await self.store.write(look)
        self.assertTrue(threading.current_thread() is threading.main_thread())
        await self.store.read(look)
        chunks = self.store.stream(stream)
        while not chunks.is_finished:
            await chunks.next()
        self.assertNotIn(threading.get_ident(), seen)

    async def test_threads_do_not_keep_the_process(self) -> None:
        """Every thread of the store is a daemon."""
        await self.store.write(add("a"))
        ours = [thread for thread in threading.enumerate() if thread.name.startswith("quantumd-")]
        self.assertEqual(len(ours), 3)
        self.assertTrue(all(thread.daemon for thread in ours))


class BusyTests(StoreCase):
    """A store has a limit to what waits."""

    async def test_too_many_waiting_are_refused(self) -> None:
        """When ``waiting_limit`` requests wait, reads and changes are refused with 503."""
        store = self.open_store(waiting_limit=3)
        gate = _Gate()
        first = store.write(gate)
        await gate.entered
        waiting = [store.write(add(name)) for name in "abc"]
        refused = await self.assertFailure(store.write(add("d")), StoreBusy)
        await self.assertFailure(store.read(names), StoreBusy)
        await self.assertFailure(store.stream(lambda connection: iter((b"a",))).next(), StoreBusy)
        self.assertEqual(refused.status, 503)
        gate.open()
        await gatherResults([first, *waiting])
        self.assertEqual(await store.read(names), ["a", "b", "c"])


class StopTests(StoreCase):
    """A store that is stopped finishes."""

    async def test_stop_finishes_what_waits(self) -> None:
        """Everything that was asked for before the stop is done and answered before the stop fires."""
        done: list[str] = []
        gate = _Gate()
        first = self.store.write(gate)
        await gate.entered
        for number in range(100):
            self.store.write(add(f"{number:03}")).addCallback(done.append)
        stopped: Deferred[None] = self.store.stop()
        gate.open()
        await stopped
        await first
        self.assertEqual(len(done), 100)

    async def test_a_stopped_store_refuses(self) -> None:
        """After the stop nothing is taken any more."""
        await self.store.stop()
        await self.assertFailure(self.store.write(add("a")), StoreStopped)
        await self.assertFailure(self.store.read(names), StoreStopped)

    async def test_stop_gives_up_after_its_time(self) -> None:
        """A stop waits no longer than its limit; what still waits then fails."""
        gate = _Gate()
        stuck = self.store.write(gate)
        await gate.entered
        waiting = self.assertFailure(self.store.write(add("a")), StoreStopped)
        await self.store.stop(timeout_seconds=0.05)
        await waiting
        gate.open()
        await stuck

    async def test_stop_ends_streams(self) -> None:
        """A stream that is under way is ended by the stop."""
        stream = self.store.stream(lambda connection: iter((b"a", b"b", b"c")))
        await stream.next()
        await self.store.stop()
        self.assertTrue(stream.is_finished)

"""What every provider of IStore promises; a mixin for trial's TestCase with ``store`` set in setUp."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from twisted.internet.defer import gatherResults
from zope.interface.verify import verifyObject

from quantumd.interfaces import IByteStream, IStore
from quantumd.store.tables import cursors, journal, tallies
from quantumd.store.transaction import Transaction

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

ADD = insert(cursors)


def add(name: str, position: int = 0) -> Any:
    """Return a change that adds a row named ``name``, and answers with its name."""

    def work(transaction: Transaction) -> str:
        transaction.connection.execute(ADD, {"name": name, "position": position})
        return name

    return work


def note(
    transaction: Transaction, resource_id: str = "n1", operation: str = "create", resource: str = "network"
) -> int:
    """Append to the journal."""
    return transaction.journal(
        resource=resource,
        resource_id=resource_id,
        project_id="p1",
        request_id="req-1",
        operation=operation,
        after={"id": resource_id},
    )


def tallied(connection: Connection) -> list[tuple[str, str, int]]:
    """Return project, resource and number of every tally."""
    return [(row.project_id, row.resource, row.number) for row in connection.execute(select(tallies))]


def names(connection: Connection) -> list[str]:
    """Return the names of the rows, in order."""
    return list(connection.execute(select(cursors.c.name).order_by(cursors.c.name)).scalars())


def _fail() -> bytes:
    raise KeyError("mine")


class StoreContract(_Base):
    """The tests."""

    store: Any

    def test_it_provides_the_interface(self) -> None:
        """The store and its streams have the methods that IStore and IByteStream name."""
        verifyObject(IStore, self.store)
        verifyObject(IByteStream, self.store.stream(lambda connection: iter(())))

    async def test_a_read_that_fails_spoils_no_other(self) -> None:
        """Of reads that come together, one that the database refuses leaves those before and after it alone."""
        await self.store.write(add("a"))
        reads = [self.store.read(names) for _ in range(2)]
        wrong = self.store.read(lambda connection: connection.exec_driver_sql("SELECT nothing FROM nowhere"))
        reads += [self.store.read(names) for _ in range(2)]
        await self.assertFailure(wrong, DBAPIError)
        self.assertEqual(await gatherResults(reads), [["a"]] * 4)

    async def test_what_was_written_is_read(self) -> None:
        """A change is seen by every read that is asked for after its Deferred fired."""
        self.assertEqual(await self.store.write(add("a")), "a")
        self.assertEqual(await self.store.read(names), ["a"])

    async def test_a_failed_change_leaves_nothing(self) -> None:
        """The error of a change arrives as it is, and nothing of the change stays."""

        def work(transaction: Transaction) -> None:
            add("a")(transaction)
            note(transaction)
            raise KeyError("mine")

        with self.assertRaises(KeyError):
            await self.store.write(work)
        self.assertEqual(await self.store.read(names), [])
        self.assertEqual(await self.store.read(lambda c: c.scalar(select(func.count()).select_from(journal))), 0)

    async def test_changes_do_not_share_their_fate(self) -> None:
        """Of changes asked for together the good ones stay when a bad one fails."""
        good = [self.store.write(add(name)) for name in ("a", "b")]
        bad = self.store.write(add("a"))
        more = self.store.write(add("c"))
        await gatherResults([*good, self.assertFailure(bad, IntegrityError), more])
        self.assertEqual(await self.store.read(names), ["a", "b", "c"])

    async def test_a_savepoint_undoes_what_is_inside(self) -> None:
        """A conflict inside a savepoint can be caught, and the change goes on."""

        def work(transaction: Transaction) -> None:
            add("a")(transaction)
            transaction.cache["k"] = "v"
            try:
                with transaction.savepoint():
                    add("b")(transaction)
                    add("a")(transaction)
            except IntegrityError:
                add("c")(transaction)
            self.assertEqual(transaction.cache, {})

        await self.store.write(work)
        self.assertEqual(await self.store.read(names), ["a", "c"])

    async def test_creations_and_deletions_are_tallied(self) -> None:
        """As the journal tells of them, together or one after the other; other operations and resources are not."""
        await gatherResults([self.store.write(lambda tx: note(tx)) for _ in range(3)])
        await self.store.write(lambda tx: note(tx, operation="delete"))
        await self.store.write(lambda tx: (note(tx, operation="update"), note(tx, resource="cursor")))
        self.assertEqual(await self.store.read(tallied), [("p1", "network", 2)])

    async def test_what_is_undone_is_not_tallied(self) -> None:
        """A change that fails, beside others or alone, and a savepoint."""

        def bad(transaction: Transaction) -> None:
            note(transaction)
            raise KeyError("mine")

        def half(transaction: Transaction) -> None:
            note(transaction)
            try:
                with transaction.savepoint():
                    note(transaction)
                    self.assertEqual(transaction.untold("network", "p1"), 2)
                    add("a")(transaction)
                    add("a")(transaction)
            except IntegrityError:
                self.assertEqual(transaction.untold("network", "p1"), 1)

        await self.assertFailure(self.store.write(bad), KeyError)
        together = [self.assertFailure(self.store.write(bad), KeyError), self.store.write(half)]
        await gatherResults([*together, self.assertFailure(self.store.write(bad), KeyError)])
        self.assertEqual(await self.store.read(tallied), [("p1", "network", 1)])

    async def test_journal_positions_rise(self) -> None:
        """Each journal row has a higher position than the one before, also after a change that failed."""

        def failing(transaction: Transaction) -> None:
            note(transaction)
            raise KeyError

        first = await self.store.write(note)
        with self.assertRaises(KeyError):
            await self.store.write(failing)
        second, third = await self.store.write(lambda t: (note(t), note(t)))
        self.assertLess(first, second)
        self.assertEqual(third, second + 1)
        rows = await self.store.read(lambda c: list(c.scalars(select(journal.c.position).order_by(journal.c.position))))
        self.assertEqual(rows, [first, second, third])

    async def test_listeners_hear_the_last_position(self) -> None:
        """After a commit that grew the journal each listener hears the position of the last row; else nothing."""
        heard: list[int] = []
        self.store.on_commit(heard.append)
        await self.store.write(add("a"))
        self.assertEqual(heard, [])
        position = await self.store.write(note)
        self.assertEqual(heard, [position])

    async def test_a_read_cannot_write(self) -> None:
        """A read that tries to change something fails."""
        with self.assertRaises(DBAPIError):
            await self.store.read(lambda c: c.execute(ADD, {"name": "a", "position": 0}))
        self.assertEqual(await self.store.read(names), [])

    async def test_a_change_cannot_commit(self) -> None:
        """A change that commits on its own is refused, and nothing of it stays."""

        def work(transaction: Transaction) -> None:
            add("a")(transaction)
            transaction.connection.commit()

        with self.assertRaises(RuntimeError):
            await self.store.write(work)
        self.assertEqual(await self.store.read(names), [])
        await self.store.write(add("b"))
        self.assertEqual(await self.store.read(names), ["b"])

    async def test_a_change_cannot_roll_back(self) -> None:
        """A change that rolls the transaction back on its own is refused, and takes nobody with it."""

        def work(transaction: Transaction) -> None:
            transaction.connection.rollback()

        good = self.store.write(add("a"))
        with self.assertRaises(RuntimeError):
            await self.store.write(work)
        await good
        self.assertEqual(await self.store.read(names), ["a"])

    async def test_a_stream_gives_its_chunks_in_order(self) -> None:
        """Each ``next`` gives one chunk; the last one says that it is the last, and then there is None."""
        stream = self.store.stream(lambda connection: iter((b"a", b"b", b"c")))
        seen = []
        while not stream.is_finished:
            seen.append(await stream.next())
        self.assertEqual(seen, [b"a", b"b", b"c"])
        self.assertIsNone(await stream.next())

    async def test_a_short_stream_is_finished_with_its_chunk(self) -> None:
        """When a stream has one chunk this is known when it arrives, so that a length can be given."""
        stream = self.store.stream(lambda connection: iter((b"only",)))
        self.assertEqual(await stream.next(), b"only")
        self.assertTrue(stream.is_finished)

    async def test_an_empty_stream_ends_at_once(self) -> None:
        """A stream of nothing gives None."""
        stream = self.store.stream(lambda connection: iter(()))
        self.assertIsNone(await stream.next())
        self.assertTrue(stream.is_finished)

    async def test_a_stream_fails_with_the_error_of_its_work(self) -> None:
        """The error of the work arrives as it is, and ends the stream."""

        def work(connection: Connection) -> Iterator[bytes]:
            yield _fail()

        stream = self.store.stream(work)
        with self.assertRaises(KeyError):
            await stream.next()
        self.assertTrue(stream.is_finished)

    async def test_a_cancelled_stream_is_finished(self) -> None:
        """A stream can be cancelled between two chunks, and twice."""
        stream = self.store.stream(lambda connection: iter((b"a", b"b", b"c")))
        await stream.next()
        stream.cancel()
        stream.cancel()
        self.assertTrue(stream.is_finished)
        self.assertEqual(await self.store.read(names), [])

    async def test_a_stream_reads_rows(self) -> None:
        """A stream's work reads from the connection while chunks are taken."""
        for name in ("a", "b", "c"):
            await self.store.write(add(name))

        def work(connection: Connection) -> Iterator[bytes]:
            rows = connection.execution_options(yield_per=1).execute(select(cursors.c.name).order_by(cursors.c.name))
            for row in rows:
                yield row.name.encode()

        stream = self.store.stream(work)
        seen = []
        while not stream.is_finished:
            seen.append(await stream.next())
        self.assertEqual(seen, [b"a", b"b", b"c"])

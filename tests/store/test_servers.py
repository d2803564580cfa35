"""What only databases on servers can do to a store: conflicts, lost connections, commits in doubt."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, create_engine, insert, select, update
from sqlalchemy.exc import DBAPIError
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from quantumd.config import DatabaseSettings
from quantumd.errors import EdgeUnavailable
from quantumd.store.connecting import REST_SECONDS
from quantumd.store.engine import database_url
from quantumd.store.errors import CommitFailed, OutcomeUnknown
from quantumd.store.journal import last_position
from quantumd.store.store import Store
from quantumd.store.tables import cursors, journal
from quantumd.store.transaction import Transaction
from tests.bed.cut import Cut, Wire
from tests.bed.databases import empty_tables, lacking, server
from tests.contracts.store import add, names, note
from tests.store.bed import StoreCase

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _TestCase

    from tests.store.bed import StoreCase as _StoreCase
else:
    _StoreCase = _TestCase = object


def move(transaction: Transaction, name: str) -> None:
    """Write to the row of that name."""
    transaction.connection.execute(
        update(cursors).where(cursors.c.name == name).values(position=cursors.c.position + 1)
    )


class ConflictRules(_StoreCase):
    """A stranger, who takes no turns, holds what changes want."""

    async def test_a_deadlock_is_tried_again(self) -> None:
        """A change that the database ends in favour of another is run again, and is stored once."""
        for name in "ab":
            await self.store.write(add(name))
        engine = create_engine(database_url(self.url))
        self.addCleanup(engine.dispose)
        stranger = engine.connect()
        self.addCleanup(stranger.close)
        self._look_for_deadlocks_after(stranger, 60)
        stranger.execute(update(cursors).where(cursors.c.name == "b").values(position=100))
        # MariaDB ends the transaction that has written less.
        stranger.execute(insert(cursors), [{"name": f"s{number}", "position": 0} for number in range(50)])
        runs: list[int] = []
        has_first = threading.Event()

        def change(transaction: Transaction) -> int:
            runs.append(1)
            self._look_for_deadlocks_after(transaction.connection, 3)
            move(transaction, "a")
            has_first.set()
            move(transaction, "b")
            return note(transaction)

        changed = self.store.write(change)
        await deferToThread(has_first.wait, 10)
        await deferToThread(self._finish, stranger)
        await changed
        self.assertEqual(len(runs), 2)
        positions = await self.store.read(lambda c: dict(tuple(row) for row in c.execute(_POSITIONS)))
        self.assertEqual((positions["a"], positions["b"]), (8, 101))

    def _look_for_deadlocks_after(self, connection: Connection, seconds: int) -> None:
        """Decide who is ended: on PostgreSQL whoever has waited so long looks for a deadlock, and ends itself."""
        if self.database == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL deadlock_timeout = '{seconds}s'")

    def _finish(self, stranger: Any) -> None:
        stranger.execute(update(cursors).where(cursors.c.name == "a").values(position=7))
        stranger.commit()

    async def test_an_error_that_was_swallowed_is_not_committed(self) -> None:
        """A change that hides an error of the database and goes on is not told that it was stored when it was not."""

        def hiding(transaction: Transaction) -> str:
            add("new")(transaction)
            try:
                add("a")(transaction)
            except DBAPIError:
                return "stored"
            return "no error"

        await self.store.write(add("a"))
        try:
            answer = await self.store.write(hiding)
        except CommitFailed:
            answer = "failed"
        self.assertEqual("new" in await self.store.read(names), answer == "stored")


_POSITIONS = select(cursors.c.name, cursors.c.position)
_UNWATCHED = 60.0
"""A store that looks at the journal just then may be the one that is refused a connection, and nobody gets one for a
moment."""


class LossRules(_TestCase):
    """The store is connected by a wire that can be cut."""

    timeout = 60
    database = ""

    def setUp(self) -> None:
        """Start it with an empty database."""
        url = database_url(empty_tables(self.database))
        self.wire = Wire(server(self.database).port)
        self.addCleanup(self.wire.close)
        self.url = url.set(port=self.wire.own_port).render_as_string(hide_password=False)
        self.store = self.open_store()

    def open_store(self, watch_seconds: float = 0.05, **more: Any) -> Store:
        """Return a started store on the database, stopped after the test."""
        settings = DatabaseSettings(watch_seconds=watch_seconds)
        store = Store(reactor, settings, self.url, **more)  # type: ignore[arg-type]
        store.start()
        self.addCleanup(store.stop)
        return store

    async def _stored(self) -> tuple[list[str], list[str]]:
        rows = select(journal.c.resource_id).order_by(journal.c.position)
        return await self.store.read(names), await self.store.read(lambda c: list(c.scalars(rows)))

    def _change(self, name: str) -> Deferred[Any]:
        def work(transaction: Transaction) -> str:
            add(name)(transaction)
            note(transaction, name)
            return name

        return self.store.write(work)

    async def test_a_commit_that_was_kept_is_not_repeated(self) -> None:
        """The connection is lost after the commit: the change is answered as stored, and is there once."""
        await self._change("a")
        heard: list[int] = []
        self.store.on_commit(heard.append)
        self.wire.cut = Cut.AFTER_COMMIT
        self.assertEqual(await self._change("b"), "b")
        self.assertEqual(await self._stored(), (["a", "b"], ["a", "b"]))
        self.assertEqual((len(heard), self.wire.cuts), (1, 1))

    async def test_what_another_process_commits_is_heard(self) -> None:
        """A moment later, and once; nothing is heard of what was heard already."""
        await self._change("a")
        heard: list[int] = []
        other = self.open_store()
        other.on_commit(heard.append)
        await deferLater(reactor, 0.3)
        heard.clear()
        await self._change("b")
        await self._change("c")
        await deferLater(reactor, 0.3)
        newest = await other.read(last_position)
        self.assertEqual((heard[-1], sorted(set(heard))), (newest, heard))

    async def test_others_are_heard_after_the_database_was_away(self) -> None:
        """The question is asked again until there is an answer."""
        heard: list[int] = []
        self.store.on_commit(heard.append)
        self.wire.break_all()
        await deferLater(reactor, 0.2)
        self.wire.is_broken = False
        await deferToThread(time.sleep, REST_SECONDS)
        await self.open_store().write(note)
        await deferLater(reactor, 0.3)
        self.assertEqual(heard[-1:], [await self.store.read(last_position)])

    async def test_a_commit_that_was_not_kept_is_done_again(self) -> None:
        """The connection is lost before the commit arrives: the change is run again and is there once."""
        await self._change("a")
        self.wire.cut = Cut.BEFORE_COMMIT
        self.assertEqual(await self._change("b"), "b")
        self.assertEqual(await self._stored(), (["a", "b"], ["a", "b"]))
        self.assertEqual(self.wire.cuts, 1)

    async def test_changes_committed_together_share_the_answer(self) -> None:
        """Each of the changes in doubt is answered by itself; one that had failed anyway fails."""
        for kind in Cut:
            self.wire.cut = kind
            first = [self._change(f"{kind.value}-{number}") for number in range(3)]
            again = self._change(f"{kind.value}-0")
            done = await gatherResults([*first, self.assertFailure(again, DBAPIError)])
            self.assertEqual(done[:3], [f"{kind.value}-{number}" for number in range(3)])
        self.assertEqual(len((await self._stored())[1]), 6)
        self.assertEqual(self.wire.cuts, 2)

    async def test_a_dead_connection_is_replaced(self) -> None:
        """After the server has ended every connection, the next read, stream and change work at once."""
        self.store = self.open_store(watch_seconds=_UNWATCHED)
        await self._change("a")
        await self.store.read(names)
        self.wire.break_all()
        self.wire.is_broken = False
        self.assertEqual(await self._change("b"), "b")
        self.assertEqual(await self.store.read(names), ["a", "b"])
        self.wire.break_all()
        self.wire.is_broken = False
        stream = self.store.stream(lambda c: iter([",".join(names(c)).encode()]))
        self.assertEqual(await stream.next(), b"a,b")

    async def test_while_it_is_away_everything_is_refused(self) -> None:
        """Reads, streams and changes fail as EdgeUnavailable while there is no database, and work when it is back."""
        await self._change("a")
        await self.store.read(names)
        self.wire.break_all()
        await self.assertFailure(self._change("b"), EdgeUnavailable)
        await self.assertFailure(self.store.read(names), EdgeUnavailable)
        await self.assertFailure(self.store.stream(lambda c: iter([b"x" for _ in names(c)])).next(), EdgeUnavailable)
        self.wire.is_broken = False
        # Nothing is tried for a moment after a connection was refused.
        await deferToThread(time.sleep, REST_SECONDS)
        self.assertEqual(await self._change("b"), "b")
        self.assertEqual(await self._stored(), (["a", "b"], ["a", "b"]))

    async def test_a_stream_that_lost_its_connection_fails(self) -> None:
        """Chunks that were handed out cannot be made again on another connection: the stream ends with an error."""
        self.store = self.open_store(watch_seconds=_UNWATCHED)
        for name in "abc":
            await self._change(name)

        def work(connection: Any) -> Any:
            for name in names(connection):
                yield connection.execute(select(cursors.c.name).where(cursors.c.name == name)).scalar_one().encode()

        stream = self.store.stream(work)
        self.assertEqual(await stream.next(), b"a")
        self.wire.break_all()
        self.wire.is_broken = False
        await self.assertFailure(stream.next(), EdgeUnavailable)
        self.assertTrue(stream.is_finished)
        self.assertEqual(await self.store.read(names), ["a", "b", "c"])

    async def test_a_doubt_that_cannot_be_settled_is_told(self) -> None:
        """If the database does not come back in time the caller hears that nobody knows; others are refused."""
        self.store = self.open_store(doubt_seconds=0.6)
        await self._change("a")
        self.wire.cut = Cut.AFTER_COMMIT
        in_doubt = self._change("b")
        while self.wire.cuts == 0:
            await deferToThread(threading.Event().wait, 0.01)
        self.wire.break_all()
        await self.assertFailure(self._change("c"), EdgeUnavailable)
        error = await self.assertFailure(in_doubt, OutcomeUnknown)
        self.assertEqual(error.status, 504)


@pytest.mark.time_limit(300)
class PostgresqlConflictTests(ConflictRules, StoreCase):
    """PostgreSQL."""

    database = "postgresql"
    skip = lacking("postgresql")


@pytest.mark.time_limit(300)
class MariadbConflictTests(ConflictRules, StoreCase):
    """MariaDB."""

    database = "mariadb"
    skip = lacking("mariadb")


@pytest.mark.time_limit(300)
class PostgresqlLossTests(LossRules, TestCase):
    """PostgreSQL."""

    database = "postgresql"
    skip = lacking("postgresql")


@pytest.mark.time_limit(300)
class MariadbLossTests(LossRules, TestCase):
    """MariaDB."""

    database = "mariadb"
    skip = lacking("mariadb")

"""Those who read the journal: each row at least once, in commit order, across restarts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from attrs import frozen
from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.errors import EdgeError
from quantumd.interfaces import IStore
from quantumd.store.errors import LeaseLost
from quantumd.store.journal import (
    Cursor,
    JournalRow,
    add_cursor,
    advance,
    drop_cursor,
    find_cursor,
    last_position,
    read_after,
    release_lease,
    take_lease,
)
from quantumd.store.times import utc_text
from quantumd.store.transaction import Transaction

log = Logger()

Handle: TypeAlias = Callable[[Sequence[JournalRow]], "Deferred[Any] | Coroutine[Any, Any, Any] | bool | None"]
"""Takes rows in commit order; what it returns fires when they need not come again. May be an async function.

True says that the cursor is to be written down before anything else: what was done cannot be done twice at will.
"""


_REST = 3


@frozen
class ConsumerLimits:
    """How a consumer works; times in seconds.

    ``cursor``: how long what is handled may wait for being written down (it comes again after a crash in that time);
    ``lease``: how long another process waits for a holder that died, ``shared_lease`` where there may be several;
    ``poll``: how often the journal is looked at without a commit; ``handle``: how long one call may take; ``retry`` and
    ``retry_most``: the first and the longest wait after a failure; ``stop``: how long a call may still take when the
    service stops; ``gather``: how long more commits are waited for after the first, and ``gather_most``: at most, when
    handling takes long: a consumer that gathers rests three times as long as it works, as each round has a cost of its
    own (a commit of every role's report, say). A call gets ``rows`` rows at most.
    """

    rows: int = 500
    gather: float = 0.0
    gather_most: float = 0.1
    cursor: float = 1.0
    lease: float = 60.0
    shared_lease: float = 10.0
    poll: float = 5.0
    handle: float = 60.0
    retry: float = 0.1
    retry_most: float = 30.0
    stop: float = 5.0


class NoConsumer(Service):
    """In the place of a consumer that is switched off: forgets its cursor, which would hold the journal for ever."""

    def __init__(self, store: IStore, name: str) -> None:
        self._store = store
        self._cursor_name = name

    def startService(self) -> None:
        """Forget it, if it is there."""
        super().startService()
        name = self._cursor_name
        known: Deferred[Any] = self._store.read(lambda connection: find_cursor(connection, name))
        known.addCallback(self._forget)
        known.addErrback(lambda failure: log.failure("cursor {name} was not forgotten", failure, name=name))

    def _forget(self, cursor: Cursor | None) -> Deferred[None] | None:
        if cursor is None:
            return None
        log.info("consumer {name} is switched off; its cursor is forgotten", name=cursor.name)
        return self._store.write(lambda transaction: drop_cursor(transaction.connection, cursor.name))


class Consumer(Service):
    """Hands journal rows to ``handle``, from where the durable cursor stands.

    A row may come again: after a crash, and after a failure together with those before it in the same call. While
    ``handle`` fails it is called again with the same first row, later and later, and the cursor stays.

    ``holder`` names this process in the lease of the cursor. It is the same after a restart (the host's name, say), so
    that a restarted process goes on at once; two processes that run at the same time have different ones.

    A cursor that nobody has made yet begins with the oldest row, or at the journal's end (``begins_at_end``).
    ``chance`` returns a number between 0 and 1; a wait after a failure is shortened by up to half by it.
    """

    def __init__(
        self,
        clock: IReactorTime,
        store: IStore,
        name: str,
        holder: str,
        handle: Handle,
        limits: ConsumerLimits = ConsumerLimits(),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        begins_at_end: bool = False,
        chance: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self.name = name
        self._cursor_name = name
        self._clock = clock
        self._store = store
        self._holder = holder
        self._handle = handle
        self._limits = limits
        self._lease_seconds = limits.shared_lease if store.is_shared else limits.lease
        self._now = now
        self._begins_at_end = begins_at_end
        self._chance = chance
        self._newest = 0
        self._position = 0
        self._has_lease = False
        self._behind_since: float | None = None
        self._retry = limits.retry
        self._next_write = 0.0
        self._nap: Deferred[None] | None = None
        self._naps_until_commit = False
        self._loop: Deferred[None] = defer.succeed(None)
        store.on_commit(self._committed)

    @property
    def has_lease(self) -> bool:
        """Whether it is this process, of several, that handles rows."""
        return self._has_lease

    @property
    def lag_rows(self) -> int:
        """How many positions are committed and not handled, as far as this process knows."""
        return max(0, self._newest - self._position)

    @property
    def lag_seconds(self) -> float:
        """Since when there has been something to handle; 0 when there is nothing."""
        return 0.0 if self._behind_since is None else self._clock.seconds() - self._behind_since

    def startService(self) -> None:
        """Begin at the cursor."""
        super().startService()
        self._loop = Deferred.fromCoroutine(self._run())

    def stopService(self) -> Deferred[None]:
        """Finish the call under way, write the cursor down and give the lease back.

        The store should still run; if it does not, the rows since the last cursor come again after the next start.
        """
        super().stopService()
        self._wake()
        loop, timer = self._loop, self._clock.callLater(self._limits.stop, self._loop.cancel)

        def ended(result: object) -> None:
            if timer.active():
                timer.cancel()
            if isinstance(result, Failure) and not result.check(defer.CancelledError):
                log.failure("consumer {name} did not stop cleanly", failure=result, name=self.name)

        return loop.addBoth(ended)

    async def _run(self) -> None:
        while self.running:
            try:
                await self._consume()
            except LeaseLost:
                log.info("consumer {name} waits for the lease of its cursor", name=self.name)
                self._has_lease = False
                await self._sleep(min(self._limits.poll, self._lease_seconds / 10))
            except EdgeError as error:
                if self.running:
                    log.warn("consumer {name} cannot go on: {why}", name=self.name, why=str(error), next_s=self._retry)
                    await self._wait_after_failure()
            except Exception:  # noqa: BLE001 - the root of the loop: whatever fails is tried again
                if self.running:
                    log.failure("consumer {name} failed; next try in {s} s", name=self.name, s=self._retry)
                    await self._wait_after_failure()
        if self._has_lease:
            await self._end()

    async def _wait_after_failure(self) -> None:
        await self._sleep(self._retry * (0.5 + self._chance() / 2))
        self._retry = min(self._retry * 2, self._limits.retry_most)

    async def _consume(self) -> None:
        """Take the lease, then handle rows until it is lost, something fails or the service stops."""
        await self._take_lease()
        while self.running:
            began = self._clock.seconds()
            rows = await self._store.read(lambda connection: read_after(connection, self._position, self._limits.rows))
            if rows:
                await self._pass_on(rows)
            if self._clock.seconds() >= self._next_write:
                await self._store.write(self._write_down)
                self._next_write = self._clock.seconds() + self._lease_seconds / 3
            if len(rows) < self._limits.rows:
                await self._rest(self._clock.seconds() - began)

    async def _rest(self, worked: float) -> None:
        """Wait until there is something to handle, and then for company; ``worked``: the seconds of the last round."""
        limits = self._limits
        if self.lag_rows == 0:
            await self._sleep(min(limits.poll, self._next_write - self._clock.seconds()), until_commit=True)
        if limits.gather:
            await self._sleep(max(limits.gather, min(_REST * worked, limits.gather_most)))

    async def _end(self) -> None:
        try:
            await self._store.write(self._give_back)
        except (EdgeError, LeaseLost) as error:
            log.info(
                "consumer {name} ends without writing its cursor: {error}", name=self._cursor_name, error=str(error)
            )

    async def _take_lease(self) -> None:
        cursor, newest = await self._store.write(self._open)
        self._has_lease = True
        # What this process has handled and not written down yet need not come again.
        self._position = max(self._position, cursor.position)
        self._next_write = self._clock.seconds() + self._lease_seconds / 3
        self._committed(newest)

    async def _pass_on(self, rows: Sequence[JournalRow]) -> None:
        self._committed(rows[-1].position)
        handling: Deferred[Any] = defer.maybeDeferred(self._handle, rows)
        at_once = await handling.addTimeout(self._limits.handle, self._clock)
        self._position = rows[-1].position
        self._retry = self._limits.retry
        wait = 0.0 if at_once is True else self._limits.cursor
        self._next_write = min(self._next_write, self._clock.seconds() + wait)
        if self.lag_rows == 0:
            self._behind_since = None

    def _open(self, transaction: Transaction) -> tuple[Cursor, int]:
        connection = transaction.connection
        add_cursor(connection, self._cursor_name, last_position(connection) if self._begins_at_end else 0)
        now = utc_text(self._now())
        cursor = take_lease(connection, self._cursor_name, self._holder, now, self._lease_end())
        if cursor is None:
            raise LeaseLost(self._cursor_name)
        return cursor, last_position(connection)

    def _write_down(self, transaction: Transaction) -> None:
        advance(transaction.connection, self._cursor_name, self._holder, self._position, self._lease_end())

    def _give_back(self, transaction: Transaction) -> None:
        self._write_down(transaction)
        release_lease(transaction.connection, self._cursor_name, self._holder)

    def _lease_end(self) -> str:
        return utc_text(self._now() + timedelta(seconds=self._lease_seconds))

    def _committed(self, position: int) -> None:
        self._newest = max(self._newest, position)
        if self.lag_rows and self._behind_since is None:
            self._behind_since = self._clock.seconds()
        if self.lag_rows and self._naps_until_commit:
            self._wake()

    async def _sleep(self, seconds: float, until_commit: bool = False) -> None:
        """Wait, at most until the service stops; with ``until_commit`` also until there is something to handle."""
        if not self.running:
            return
        nap = self._nap = Deferred()
        self._naps_until_commit = until_commit
        timer = self._clock.callLater(max(seconds, 0.0), self._wake)
        try:
            await nap
        finally:
            self._nap = None
            self._naps_until_commit = False
            if timer.active():
                timer.cancel()

    def _wake(self) -> None:
        nap, self._nap = self._nap, None
        if nap is not None:
            nap.callback(None)

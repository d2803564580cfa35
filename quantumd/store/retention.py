"""Keeping the journal to its age and size, never past the slowest cursor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attrs import frozen
from sqlalchemy import Connection, bindparam, delete, func, select
from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from quantumd.interfaces import IStore
from quantumd.store.tables import cursors, journal
from quantumd.store.times import utc_text

BATCH = 500
"""How many rows one transaction removes: a few milliseconds, so that changes hardly wait."""

SAMPLES = 100
"""How many rows the size of the journal is estimated from; reading all of it would take seconds."""

ROW_OVERHEAD_BYTES = 24
"""What SQLite adds to the texts of a row: record header, key, share of the page."""

log = Logger()

_ENDS = select(func.min(journal.c.position), func.max(journal.c.position))
_SLOWEST = select(func.min(cursors.c.position))
_OLDEST = select(journal.c.position, journal.c.at).order_by(journal.c.position).limit(BATCH)
_BYTES = sum(
    (func.length(func.coalesce(column, "")) for column in journal.c if column.name != "position"),
    start=journal.c.position * 0 + ROW_OVERHEAD_BYTES,
)
_MEAN = select(func.coalesce(func.avg(_BYTES), 0)).where(journal.c.position.in_(bindparam("places", expanding=True)))


@frozen
class JournalSize:
    """What the journal holds: about how many rows, and about how many bytes they take."""

    rows: int
    bytes: int


def journal_size(connection: Connection) -> JournalSize:
    """Estimate the size of the journal from rows spread evenly over it."""
    first, last = connection.execute(_ENDS).one()
    if first is None:
        return JournalSize(0, 0)
    rows = last - first + 1
    samples = min(SAMPLES, rows)
    # Rows go from the old end only; a position that is missing does not count in the mean.
    places = [first + rows * number // samples for number in range(samples)]
    return JournalSize(rows, int(rows * connection.execute(_MEAN, {"places": places}).scalar_one()))


def prunable(connection: Connection, keep_after: str, keep_bytes: int) -> int:
    """Return the position up to which the next batch may go; 0 when there is nothing to remove.

    Rows go when they are older than ``keep_after`` (UTC text), or while the journal is larger than ``keep_bytes``;
    never past the slowest cursor, and none at all while there is no cursor.
    """
    slowest = connection.execute(_SLOWEST).scalar() or 0
    oldest = [row for row in connection.execute(_OLDEST) if row.position <= slowest]
    if not oldest:
        return 0
    size = journal_size(connection)
    surplus = (size.bytes - keep_bytes) * size.rows // size.bytes if size.bytes > keep_bytes else 0
    gone = [row.position for number, row in enumerate(oldest) if row.at < keep_after or number < surplus]
    return gone[-1] if gone else 0


def prune(connection: Connection, up_to: int) -> int:
    """Remove the rows up to a position and return how many; the slowest cursor is looked at once more."""
    slowest = connection.execute(_SLOWEST).scalar() or 0
    return connection.execute(delete(journal).where(journal.c.position <= min(up_to, slowest))).rowcount


class Retention(Service):
    """Removes old journal rows batch by batch, and rests between batches so that changes go first.

    The file does not shrink: SQLite uses the freed pages again.
    """

    def __init__(
        self,
        clock: IReactorTime,
        store: IStore,
        keep_seconds: int,
        keep_bytes: int,
        look_every_seconds: float = 60.0,
        rest_seconds: float = 0.25,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._store = store
        self._keep = timedelta(seconds=keep_seconds)
        self._keep_bytes = keep_bytes
        self._look_every = look_every_seconds
        self._rest = rest_seconds
        self._now = now
        self._timer: IDelayedCall | None = None
        self._batch: Deferred[None] = defer.succeed(None)

    def startService(self) -> None:
        """Look for the first time after a rest."""
        super().startService()
        self._timer = self._clock.callLater(self._look_every, self._go)

    def stopService(self) -> Deferred[None]:
        """Stop after the batch under way."""
        super().stopService()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        stopped: Deferred[None] = Deferred()
        self._batch.addBoth(lambda _: stopped.callback(None))
        return stopped

    def _go(self) -> None:
        self._batch = Deferred.fromCoroutine(self._turn())

    async def _turn(self) -> None:
        try:
            removed = await self._one_batch()
        except Exception:  # noqa: BLE001 - the root of the loop: whatever fails is tried again
            removed = 0
            log.failure("the journal was not pruned; next try in {s} s", s=self._look_every)
        if removed:
            log.debug("{rows} old rows removed from the journal", rows=removed)
        if self.running:
            self._timer = self._clock.callLater(self._rest if removed else self._look_every, self._go)

    async def _one_batch(self) -> int:
        keep_after = utc_text(self._now() - self._keep)
        up_to: int = await self._store.read(lambda connection: prunable(connection, keep_after, self._keep_bytes))
        if not up_to:
            return 0
        removed: int = await self._store.write(lambda transaction: prune(transaction.connection, up_to))
        return removed

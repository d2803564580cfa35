"""The threads that write, and commit what waits together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeAlias

from attrs import define, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from quantumd.errors import EdgeUnavailable
from quantumd.store.batch import Batch, BatchWriter, Doubt, Work
from quantumd.store.delivery import Call, Delivery, outcome_call
from quantumd.store.errors import OutcomeUnknown, StoreStopped
from quantumd.store.turn import Tally, Turn

BATCH_LIMIT = 64
"""How many changes are committed together at most: what one savepoint each still costs less than the flush."""

_HANDED_OVER = BATCH_LIMIT // 2
"""How many changes are handed to a thread at a time at most: a thread takes more while they fit into its commit."""

DOUBT_SECONDS = 30.0
"""How long a change whose commit was not answered waits for the database to come back and tell."""

ASK_SECONDS = 0.25
"""How often a database that went away in the middle of a commit is asked what became of it."""

_Item: TypeAlias = tuple[Work, Deferred[Any]]


@frozen
class _Doubtful:
    """A change in doubt, who waits for it, and until when."""

    doubt: Doubt
    deferred: Deferred[Any]
    until: float


@define
class WriterFigures:
    """Counts since the start: changes tried, and transactions in which they were."""

    changes: int = 0
    commits: int = 0


class Writer:
    """Threads that commit changes; while one commit runs, the next changes gather.

    A lone change is committed when the reactor's turn ends: nothing waits in the hope of company. With several threads,
    changes that wait at the same time may be committed in any order.
    """

    def __init__(
        self,
        batches: Sequence[BatchWriter],
        delivery: Delivery,
        on_commit: Callable[[int], None],
        doubt_seconds: float = DOUBT_SECONDS,
    ) -> None:
        self.figures = WriterFigures()
        self._queue: SimpleQueue[list[_Item] | None] = SimpleQueue()
        self._turn: Turn[_Item] = Turn(delivery.reactor, self._hand_over)
        self._untaken = Tally()
        self._delivery = delivery
        self._on_commit = on_commit
        self._threads = [_WriterThread(self._queue, each, self._untaken, self._done, doubt_seconds) for each in batches]
        self._lock = Lock()
        self._running = len(batches)
        self._ended: Deferred[None] = Deferred()
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """How many changes wait, not counting those being committed."""
        return len(self._turn) + self._untaken.count

    def start(self) -> None:
        """Start the threads. They do not keep the process alive."""
        for number, each in enumerate(self._threads, 1):
            Thread(target=self._run, args=(each,), name=f"quantumd-writer-{number}", daemon=True).start()

    def put(self, work: Work) -> Deferred[Any]:
        """Take a change; the Deferred fires once it is durable, or with why it is not."""
        deferred: Deferred[Any] = Deferred()
        self._turn.add((work, deferred))
        return deferred

    def stop(self) -> Deferred[None]:
        """End the threads after what waits; fires when they have ended. Nothing may be put afterwards."""
        if not self._is_stopping:
            self._is_stopping = True
            self._turn.end()
            self._send_home()
        return self._ended

    def abandon(self) -> None:
        """Fail what still waits: the time for stopping is over."""
        while True:
            try:
                items = self._queue.get_nowait()
            except Empty:
                break
            for _, deferred in items or ():
                deferred.errback(Failure(StoreStopped()))
        self._send_home()

    def _hand_over(self, items: list[_Item]) -> None:
        self._untaken.add(len(items))
        for begin in range(0, len(items), _HANDED_OVER):
            self._queue.put(items[begin : begin + _HANDED_OVER])

    def _send_home(self) -> None:
        for _ in self._threads:
            self._queue.put(None)

    def _run(self, thread: _WriterThread) -> None:
        thread.run()
        with self._lock:
            self._running -= 1
            is_last = not self._running
        if is_last:
            self._delivery.send([(self._ended.callback, None)])

    def _done(self, batch: Batch, changes: int, calls: list[Call]) -> None:
        """Tell what was committed. Called on the threads."""
        with self._lock:
            self.figures.changes += changes
            self.figures.commits += batch.commits
        if batch.position:
            calls.insert(0, (self._on_commit, batch.position))
        self._delivery.send(calls)


class _WriterThread:
    """What one of the threads does."""

    def __init__(
        self,
        queue: SimpleQueue[list[_Item] | None],
        batches: BatchWriter,
        untaken: Tally,
        done: Callable[[Batch, int, list[Call]], None],
        doubt_seconds: float,
    ) -> None:
        self._queue = queue
        self._batches = batches
        self._untaken = untaken
        self._done = done
        self._doubt_seconds = doubt_seconds
        self._doubtful: tuple[_Doubtful, ...] = ()

    def run(self) -> None:
        """Commit what comes until a None comes."""
        is_last = False
        while not is_last:
            items, is_last = self._gather()
            if self._doubtful:
                self._resolve(is_last)
            if items:
                self._commit(items)
        self._batches.close()

    def _gather(self) -> tuple[list[_Item], bool]:
        """Return what waits, as much as one commit may hold, and whether nothing will come after it."""
        items: list[_Item] = []
        is_last = False
        try:
            more = self._queue.get(timeout=ASK_SECONDS if self._doubtful else None)
            while more is not None:
                items += more
                if len(items) + _HANDED_OVER > BATCH_LIMIT:
                    break
                more = self._queue.get_nowait()
            is_last = more is None
        except Empty:
            pass
        self._untaken.add(-len(items))
        return items, is_last

    def _commit(self, items: list[_Item]) -> None:
        works = [work for work, _ in items]
        if self._doubtful:
            away = EdgeUnavailable("The database went away in the middle of a commit.")
            self._tell(Batch((Failure(away),) * len(works), 0, 0), [deferred for _, deferred in items])
            return
        try:
            batch = self._batches.commit(works)
        except Exception:  # noqa: BLE001 - the root of the thread: a bug must neither end it nor leave anybody waiting
            self._batches.close()
            batch = Batch((Failure(),) * len(items), 0)
        self._tell(batch, [deferred for _, deferred in items], len(items))

    def _resolve(self, is_last: bool) -> None:
        """Ask what became of the changes in doubt; all that is known then is told."""
        asked, self._doubtful = self._doubtful, ()
        for each in asked:
            try:
                batch = self._batches.resolve(each.doubt)
            except Exception:  # noqa: BLE001 - as above
                self._batches.close()
                batch = Batch((Failure(),), 0)
            if isinstance(batch.outcomes[0], Doubt) and (is_last or time.monotonic() > each.until):
                batch = evolve(batch, outcomes=(Failure(OutcomeUnknown()),))
            self._tell(batch, [each.deferred], until=each.until)

    def _tell(
        self, batch: Batch, deferreds: Sequence[Deferred[Any]], changes: int = 0, until: float | None = None
    ) -> None:
        calls = []
        doubtful = []
        for deferred, outcome in zip(deferreds, batch.outcomes, strict=True):
            if isinstance(outcome, Doubt):
                doubtful.append(_Doubtful(outcome, deferred, until or time.monotonic() + self._doubt_seconds))
            else:
                calls.append(outcome_call(deferred, outcome))
        self._doubtful += tuple(doubtful)
        self._done(batch, changes, calls)

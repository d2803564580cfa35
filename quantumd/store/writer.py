"""The one thread that writes, and commits what waits together."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from quantumd.store.batch import Batch, BatchWriter, Work
from quantumd.store.delivery import Delivery, outcome_call
from quantumd.store.errors import StoreStopped

BATCH_LIMIT = 64
"""How many changes are committed together at most: what one savepoint each still costs less than the flush."""


@define
class WriterFigures:
    """Counts since the start: changes tried, and transactions in which they were."""

    changes: int = 0
    commits: int = 0


class Writer:
    """A thread that commits changes; while one commit runs, the next changes gather.

    A lone change is committed at once: nothing waits in the hope of company.
    """

    def __init__(self, batches: BatchWriter, delivery: Delivery, on_commit: Any) -> None:
        self.figures = WriterFigures()
        self._batches = batches
        self._delivery = delivery
        self._on_commit = on_commit
        self._queue: SimpleQueue[tuple[Work, Deferred[Any]] | None] = SimpleQueue()
        self._ended: Deferred[None] = Deferred()
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """How many changes wait, not counting those being committed."""
        return self._queue.qsize()

    def start(self) -> None:
        """Start the thread. It does not keep the process alive."""
        Thread(target=self._run, name="quantumd-writer", daemon=True).start()

    def put(self, work: Work) -> Deferred[Any]:
        """Take a change; the Deferred fires once it is durable, or with why it is not."""
        deferred: Deferred[Any] = Deferred()
        self._queue.put((work, deferred))
        return deferred

    def stop(self) -> Deferred[None]:
        """End the thread after what waits; fires when it has ended. Nothing may be put afterwards."""
        if not self._is_stopping:
            self._is_stopping = True
            self._queue.put(None)
        return self._ended

    def abandon(self) -> None:
        """Fail what still waits: the time for stopping is over."""
        while True:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is not None:
                item[1].errback(Failure(StoreStopped()))
        self._queue.put(None)

    def _run(self) -> None:
        while True:
            items = self._gather()
            works = [item for item in items if item is not None]
            if works:
                self._commit(works)
            if None in items:
                break
        self._batches.close()
        self._delivery.send([(self._ended.callback, None)])

    def _gather(self) -> list[tuple[Work, Deferred[Any]] | None]:
        items = [self._queue.get()]
        while items[-1] is not None and len(items) < BATCH_LIMIT:
            try:
                items.append(self._queue.get_nowait())
            except Empty:
                break
        return items

    def _commit(self, items: list[tuple[Work, Deferred[Any]]]) -> None:
        try:
            batch = self._batches.commit([work for work, _ in items])
        except Exception:  # noqa: BLE001 - the root of the thread: a bug must neither end it nor leave anybody waiting
            self._batches.close()
            batch = Batch((Failure(),) * len(items), 0)
        self.figures.changes += len(items)
        self.figures.commits += batch.commits
        calls = [outcome_call(deferred, outcome) for (_, deferred), outcome in zip(items, batch.outcomes, strict=True)]
        if batch.position:
            calls.insert(0, (self._on_commit, batch.position))
        self._delivery.send(calls)

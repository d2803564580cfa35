"""Callers who see the same, and the newest events for them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from attrs import define, field, frozen

from quantumd.api.events.sight import Event, Sight
from quantumd.model.context import Context, Scope
from quantumd.store.journal import JournalRow

KEPT_EVENTS: Final = 200
KEPT_BYTES: Final = 262_144
"""How much is kept for readers who are a little slower than others. What is older they read from the journal."""

PIECE_BYTES: Final = 32_768
"""About how much is written to a stream at once."""


@frozen
class Who:
    """What decides which events a stream is made of, and what they show."""

    caller: Context
    """The caller, without the ids of its request."""
    scope: Scope


@frozen
class Piece:
    """Events as bytes, and the position up to which they go."""

    data: bytes
    position: int


@define(eq=False)
class Audience:
    """The events after ``begins_after`` for some callers. Positions only grow."""

    scope: Scope
    sight: Sight
    begins_after: int
    """What is not after this position has to be read from the journal."""
    ends_at: int = field(init=False)
    """Up to here everything is known: what is not kept does not concern these callers."""
    _kept: list[Event] = field(factory=list, init=False)
    _bytes: int = field(default=0, init=False)
    _last: tuple[int, frozenset[str], Piece] | None = field(default=None, init=False)

    @ends_at.default
    def _ends_with_nothing(self) -> int:
        return self.begins_after

    @property
    def kept_bytes(self) -> int:
        """How much is kept."""
        return self._bytes

    def add(self, rows: Iterable[JournalRow], up_to: int) -> None:
        """Take what has come up to a position. It is all kept until ``trim``."""
        for event in self.events_of(rows):
            if event.position > self.ends_at:
                self._kept.append(event)
                self._bytes += len(event.data)
        self.ends_at = max(self.ends_at, up_to)
        self._last = None

    def events_of(self, rows: Iterable[JournalRow]) -> list[Event]:
        """Return the events that tell these callers of rows of their scope."""
        return [event for event in map(self.sight.event, rows) if event is not None]

    def skip(self, up_to: int) -> None:
        """Note that what came up to a position was not read for these callers, who were not there yet."""
        self._kept.clear()
        self._bytes = 0
        self._last = None
        self.begins_after = self.ends_at = max(self.ends_at, up_to)

    def trim(self) -> None:
        """Forget the oldest of too much."""
        gone = 0
        while len(self._kept) - gone > KEPT_EVENTS or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._kept[gone].data)
            gone += 1
        if gone:
            self.begins_after = self._kept[gone - 1].position
            del self._kept[:gone]

    def after(self, position: int, resources: frozenset[str]) -> Piece:
        """Return the next events after a position that is not before ``begins_after``.

        :param resources: which ones; none is all.
        """
        if self._last is not None and self._last[:2] == (position, resources):
            return self._last[2]
        start = bisect_right(self._kept, position, key=lambda event: event.position)
        piece = self._piece(start, resources)
        # Nearly all streams ask for the same: those who are up to date.
        self._last = (position, resources, piece)
        return piece

    def _piece(self, start: int, resources: frozenset[str]) -> Piece:
        chosen, size = [], 0
        for event in self._kept[start:]:
            if resources and event.resource not in resources:
                continue
            chosen.append(event.data)
            size += len(event.data)
            if size >= PIECE_BYTES:
                return Piece(b"".join(chosen), event.position)
        return Piece(b"".join(chosen), self.ends_at)

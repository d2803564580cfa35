"""Opening connections, and what is said when the database is away."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from quantumd.errors import EdgeUnavailable

REST_SECONDS = 0.5
"""For how long nothing is tried after a connection was refused: who asks then is told at once."""


class Connector:
    """Opens connections of one engine. Used by several threads."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._rests_until = 0.0
        self._reason = ""

    def connect(self) -> Connection:
        """Return a new connection. EdgeUnavailable when the database is away, or was a moment ago."""
        if self._clock() < self._rests_until:
            raise EdgeUnavailable(self._reason)
        try:
            return self._engine.connect()
        except DBAPIError as error:
            # A thread that waited for the network may know less than one that has just been told.
            self._reason = f"The database cannot be reached: {sentence_of(error)}"
            self._rests_until = self._clock() + REST_SECONDS
            raise EdgeUnavailable(self._reason) from None


def sentence_of(error: BaseException) -> str:
    """Return what the database said, without the statement and its parameters."""
    said = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return " ".join(str(said).split())

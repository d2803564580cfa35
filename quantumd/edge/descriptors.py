"""Closing what the reactor watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def close_after_events(reactor: Any, close: Callable[[], object]) -> None:
    """Call ``close`` once the events that the reactor has at hand are handled.

    They are known by the number of a descriptor alone. If one is closed while an event of it is still at hand, the
    next connection that is accepted has that number, gets the event, and may be taken for one that hung up.
    Source: doPoll in twisted/internet/epollreactor.py.
    """
    reactor.callLater(0, close)

"""What became known and was not told yet: told in order, a bounded number in one turn of the reactor."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeAlias

from attrs import define, field

from quantumd.edge.ovsdb.content import Content
from quantumd.edge.ovsdb.interfaces import InterfaceChange
from quantumd.edge.ovsdb.listeners import Listeners
from quantumd.edge.ovsdb.replica import BridgeFact, Fact, InterfaceFact, Loaded, PortFact
from quantumd.edge.ovsdb.requests import Answer

# A listener's work per change is tens of microseconds, and a turn should stay under 10 ms.
FACTS_PER_TURN = 200

Mark: TypeAlias = Loaded | Answer


@define
class News:
    """A queue of facts, with marks between them that are due when all before them has been told."""

    content: Content = field(factory=Content)
    listeners: Listeners = field(factory=Listeners)
    _untold: deque[Fact | Answer] = field(factory=deque)

    @property
    def is_all_told(self) -> bool:
        """Whether listeners and content are up to date."""
        return not self._untold

    def add(self, news: Iterable[Fact | Answer]) -> None:
        """Queue news."""
        self._untold.extend(news)

    def add_first(self, news: Iterable[Fact]) -> None:
        """Put news before all others."""
        self._untold.extendleft(reversed(tuple(news)))

    def clear(self) -> None:
        """Forget what was not told."""
        self._untold.clear()

    def tell_some(self) -> Mark | None:
        """Tell the next facts; return the mark behind them if it was reached."""
        changes: list[InterfaceChange] = []
        bridges: dict[str, None] = {}
        mark = self._take_some(changes, bridges)
        self.listeners.tell_bridges(bridges)
        self.listeners.tell_interfaces(changes)
        return mark

    def _take_some(self, changes: list[InterfaceChange], bridges: dict[str, None]) -> Mark | None:
        for _ in range(min(FACTS_PER_TURN, len(self._untold))):
            news = self._untold.popleft()
            if isinstance(news, InterfaceFact):
                changes.extend(self.content.put_interface(news))
            elif isinstance(news, PortFact):
                self.content.put_port(news)
            elif isinstance(news, BridgeFact):
                if self.content.put_bridge(news):
                    bridges[news.name] = None
            else:
                return news
        return None

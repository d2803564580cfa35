"""Solicitations and advertisements in memory."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from quantumd.edge.solicitations.interfaces import ISolicitations


@implementer(ISolicitations)
@define(eq=False)
class MemorySolicitations:
    """See ISolicitations. ``ask`` is what a host does; ``sent`` is (namespace, device, target, message) of each."""

    sent: list[tuple[str, str, str, bytes]] = field(factory=list, init=False)
    opened: set[str] = field(factory=set, init=False)
    _listeners: list[Callable[[str, str, str], None]] = field(factory=list, init=False)

    def on_solicitation(self, listener: Callable[[str, str, str], None]) -> None:
        """See ISolicitations."""
        self._listeners.append(listener)

    def open(self, namespace: str) -> Deferred[None]:
        """See ISolicitations."""
        self.opened.add(namespace)
        return succeed(None)

    def close(self, namespace: str) -> None:
        """See ISolicitations."""
        self.opened.discard(namespace)

    def stop(self) -> None:
        """See ISolicitations."""
        self.opened.clear()

    def send(self, namespace: str, device: str, target: str, message: bytes) -> None:
        """See ISolicitations."""
        if namespace in self.opened:
            self.sent.append((namespace, device, target, message))

    def ask(self, namespace: str, device: str, source: str) -> None:
        """Solicit, as a host."""
        if namespace in self.opened:
            for listener in tuple(self._listeners):
                listener(namespace, device, source)

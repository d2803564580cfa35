"""DHCPv6 clients in memory."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from quantumd.edge.dhcpv6.interfaces import MOST_ANSWER_BYTES, IClients


@implementer(IClients)
@define(eq=False)
class MemoryClients:
    """See IClients. ``answer`` is what a server does; ``sent`` is (namespace, device, payload) of each message."""

    sent: list[tuple[str, str, bytes]] = field(factory=list, init=False)
    opened: set[str] = field(factory=set, init=False)
    _listeners: list[Callable[[str, str, bytes], None]] = field(factory=list, init=False)

    def on_answer(self, listener: Callable[[str, str, bytes], None]) -> None:
        """See IClients."""
        self._listeners.append(listener)

    def open(self, namespace: str) -> Deferred[None]:
        """See IClients."""
        self.opened.add(namespace)
        return succeed(None)

    def close(self, namespace: str) -> None:
        """See IClients."""
        self.opened.discard(namespace)

    def stop(self) -> None:
        """See IClients."""
        self.opened.clear()

    def send(self, namespace: str, device: str, payload: bytes) -> None:
        """See IClients."""
        if namespace in self.opened:
            self.sent.append((namespace, device, payload))

    def answer(self, namespace: str, device: str, payload: bytes) -> None:
        """Answer, as a server on the link of a device."""
        if namespace in self.opened and len(payload) <= MOST_ANSWER_BYTES:
            for listener in tuple(self._listeners):
                listener(namespace, device, payload)

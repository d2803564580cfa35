"""What DHCPv6 servers outside say to routers, and what routers ask of them: UDP in network namespaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

CLIENT_PORT: Final = 546
SERVER_PORT: Final = 547
ALL_SERVERS: Final = "ff02::1:2"
"""All servers and relays on a link."""

MOST_ANSWER_BYTES: Final = 2048
"""Of longer answers nothing is heard."""


class IClients(Interface):
    """DHCPv6 clients of the networks that routers' devices are on, one socket for each namespace."""

    def on_answer(listener: Callable[[str, str, bytes], None]) -> None:
        """Call ``listener(namespace, device, payload)`` with what comes to the client's port from the link itself."""

    def open(namespace: str) -> Deferred[None]:
        """Hear what comes to a namespace from now on; harmless twice. EdgeError."""

    def close(namespace: str) -> None:
        """Hear nothing of a namespace any more; harmless twice."""

    def stop() -> None:
        """Close all."""

    def send(namespace: str, device: str, payload: bytes) -> None:
        """Send to all servers on the link of a device, from its own address there.

        Nothing happens in a namespace that is not open, and to a device that cannot send: what gets no answer is sent
        again.
        """

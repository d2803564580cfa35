"""What hosts on the links of routers ask, and what routers say there: ICMPv6 in network namespaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

EVERYBODY: Final = "ff02::1"
"""All hosts on a link."""


class ISolicitations(Interface):
    """Router solicitations that are heard in namespaces, and advertisements that are sent there."""

    def on_solicitation(listener: Callable[[str, str, str], None]) -> None:
        """Call ``listener(namespace, device, source)`` with each; ``::`` is a source without an address."""

    def open(namespace: str) -> Deferred[None]:
        """Hear what is said in a namespace from now on; harmless twice. EdgeError."""

    def close(namespace: str) -> None:
        """Hear nothing of a namespace any more; harmless twice."""

    def stop() -> None:
        """Close all."""

    def send(namespace: str, device: str, target: str, message: bytes) -> None:
        """Send an ICMPv6 message, whose checksum is 0, from a device's own address of the link.

        Nothing happens in a namespace that is not open, and to a device that cannot send: who is told is told again.
        """

"""Connections that a switch's datapath tracks: seen, and ended one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import frozen
from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


@frozen
class Connection:
    """A tracked connection by the direction of its first packet; addresses in canonical text form.

    Of ICMP ``source_port`` is the type, ``target_port`` the code, and ``identifier`` that of the echo.
    """

    zone: int
    protocol: int
    source: str
    target: str
    source_port: int = 0
    target_port: int = 0
    identifier: int = 0


class IConnections(Interface):
    """The connections of one datapath."""

    def settle() -> Deferred[None]:
        """Fire when packets obey all flows that were changed before. EdgeError."""

    def read(zones: frozenset[int]) -> Deferred[tuple[Connection, ...]]:
        """Return the connections in zones. EdgeError."""

    def end(connections: Iterable[Connection]) -> Deferred[None]:
        """Forget connections; one that is not there is no error. EdgeError."""

    def limit(zones: frozenset[int], most: int) -> Deferred[None]:
        """Let each of the zones have no more connections than ``most``, 0: as many as there can be. EdgeError.

        It is so until the switch restarts.
        """

    def clear(zones: frozenset[int]) -> Deferred[None]:
        """Forget all connections in zones. EdgeError."""

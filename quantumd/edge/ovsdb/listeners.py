"""Who wants to hear of changes of the database, and telling them a bounded number in one turn of the reactor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import define, field
from twisted.logger import Logger

from quantumd.edge.ovsdb.interfaces import InterfaceChange


@define
class Listeners:
    """The listeners of one database. A listener that raises is a bug: it is logged, and the others are told."""

    _connected: list[Callable[[], None]] = field(factory=list)
    _interfaces: list[Callable[[tuple[InterfaceChange, ...]], None]] = field(factory=list)
    _bridge: list[Callable[[str], None]] = field(factory=list)
    _log: Logger = field(factory=Logger)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """Add a listener."""
        self._connected.append(listener)

    def on_interfaces(self, listener: Callable[[tuple[InterfaceChange, ...]], None]) -> None:
        """Add a listener."""
        self._interfaces.append(listener)

    def on_bridge(self, listener: Callable[[str], None]) -> None:
        """Add a listener."""
        self._bridge.append(listener)

    def tell_connected(self) -> None:
        """The whole content is known."""
        for listener in tuple(self._connected):
            self._call(listener)

    def tell_interfaces(self, changes: Iterable[InterfaceChange]) -> None:
        """Interfaces changed."""
        told = tuple(changes)
        if told:
            for listener in tuple(self._interfaces):
                self._call(listener, told)

    def tell_bridges(self, names: Iterable[str]) -> None:
        """Bridges changed."""
        for name in names:
            for listener in tuple(self._bridge):
                self._call(listener, name)

    def _call(self, listener: Callable[..., None], *arguments: Any) -> None:
        try:
            listener(*arguments)
        except Exception:  # noqa: BLE001 - a root: nobody above could know what to do, and the others must be told.
            self._log.failure("A listener of the switch's database failed")

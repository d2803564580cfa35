"""Which servers are asked: those of the settings, else those that the host itself asks."""

from __future__ import annotations

import os
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen
from twisted.logger import Logger

from quantumd.errors import SettingsError

RESOLV_CONF: Final = Path("/etc/resolv.conf")
MOST: Final = 3
"""How many servers are asked of those that the host names, as of its own resolver. Source: resolv.conf(5)."""
_PORT: Final = 53
_LOOK_SECONDS: Final = 5.0
_LARGEST_BYTES: Final = 65_536


@frozen
class Resolver:
    """A server; ``address`` is one of IPv4 or IPv6, which may have a zone."""

    address: str
    port: int = _PORT


def parse_resolvers(texts: Iterable[str]) -> tuple[Resolver, ...]:
    """Return what the setting names: addresses, or [address]:port. SettingsError."""
    return tuple(_parse(text) for text in texts)


def _parse(text: str) -> Resolver:
    address, port = text, str(_PORT)
    if text.startswith("["):
        address, _, port = text[1:].partition("]:")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    try:
        ip_address(address)
        number = int(port) if port.isascii() and port.isdigit() else 0
    except ValueError:
        number = 0
    if not 0 < number < 1 << 16:
        raise SettingsError(f"dns.upstream: {text!r} is no address, address:port or [address]:port")
    return Resolver(address, number)


def read_resolv_conf(text: str) -> tuple[Resolver, ...]:
    """Return the servers that the text names; what makes no sense is left out."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and _is_address(words[1]):
            found.append(Resolver(words[1]))
    return tuple(found[:MOST])


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@define(eq=False)
class Resolvers:
    """The servers of the settings, or of the host's file, which is read again when it changed."""

    _named: tuple[Resolver, ...]
    _clock: Any
    _path: Path = RESOLV_CONF
    _read: tuple[Resolver, ...] = field(default=(), init=False)
    _looked_at: float | None = field(default=None, init=False)
    _stamp: tuple[int, int] | None = field(default=None, init=False)
    _log = Logger()

    def now(self) -> tuple[Resolver, ...]:
        """Return the servers; none where nothing names any."""
        if self._named:
            return self._named
        if self._looked_at is None or self._clock.seconds() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = self._clock.seconds()
            self._look()
        return self._read

    def _look(self) -> None:
        try:
            found = os.stat(self._path)
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp == self._stamp:
                return
            with self._path.open("rb") as file:
                self._read = read_resolv_conf(file.read(_LARGEST_BYTES).decode("utf-8", "replace"))
        except OSError as error:
            self._read, stamp = (), None
            self._log.warn("no DNS servers to forward to: {path}: {why}", path=str(self._path), why=error.strerror)
        self._stamp = stamp

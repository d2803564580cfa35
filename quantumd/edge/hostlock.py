"""One daemon at a time acts on a switch: an advisory lock on a file beside the switch's sockets.

The kernel gives the lock up when its holder ends, however it ends, so a crash leaves nothing behind.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

_RETRY_SECONDS = 0.02


@define(eq=False)
class HostLock(Service):
    """Calls ``acquired`` once, as soon as no other daemon holds the lock; holds it until the service stops."""

    _clock: IReactorTime
    _path: str
    _acquired: Callable[[], None]
    _descriptor: int | None = field(default=None, init=False)
    _retry: IDelayedCall | None = field(default=None, init=False)
    _has_waited: bool = field(default=False, init=False)
    _log = Logger()

    @property
    def is_held(self) -> bool:
        """Whether this process holds the lock."""
        return self._descriptor is not None

    def startService(self) -> None:
        """Try now, and again until it works."""
        super().startService()
        self._try()

    def stopService(self) -> None:
        """Let the next daemon act."""
        super().stopService()
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self) -> None:
        self._descriptor = _lock(self._path)
        if self._descriptor is not None:
            self._acquired()
            return
        if not self._has_waited:
            self._has_waited = True
            self._log.info("another daemon acts on this switch: waiting for it to end", path=self._path)
        self._retry = self._clock.callLater(_RETRY_SECONDS, self._try)


def _lock(path: str) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        # The directory is Open vSwitch's: without it there is no switch to act on yet.
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor

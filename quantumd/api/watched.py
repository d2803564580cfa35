"""Files that may change while the daemon runs: looked at now and then, on a thread, and read again when they differ."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Generic, TypeAlias, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.errors import SettingsError

LOOK_SECONDS: Final = 1.0
"""How often files are looked at."""

T = TypeVar("T")
InThread: TypeAlias = Callable[..., Deferred[Any]]
_Stamp: TypeAlias = tuple[int, ...] | None


def in_reactor_thread_pool(reactor: Any) -> InThread:
    """Return what calls a function on one of the reactor's own threads and fires with what it returns."""

    def call(work: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), work, *arguments)

    return call


class FileWatch(Service, Generic[T]):
    """Tells of changes of files while it runs.

    ``load`` reads them, on a thread; ``changed`` is called on the reactor thread with what it returns, and ``failed``
    with its SettingsError, once for each change. A change of a file's mode is one too.
    """

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        in_thread: InThread,
        paths: Sequence[Path],
        load: Callable[[], T],
        changed: Callable[[T], None],
        failed: Callable[[SettingsError], None],
    ) -> None:
        self._in_thread = in_thread
        self._paths = tuple(paths)
        self._load = load
        self._changed = changed
        self._failed = failed
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor
        self._stamps: tuple[_Stamp, ...] = ()

    def load_now(self) -> T:
        """Read the files for the first time, before the reactor runs.

        :raises SettingsError: they cannot be used.
        """
        # Stamps first: what changes in between is read once more than needed, and never missed.
        self._stamps = self._stamps_now()
        return self._load()

    def startService(self) -> None:
        """Begin to look."""
        super().startService()
        self._looking.start(LOOK_SECONDS, now=False)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        if self._looking.running:
            self._looking.stop()

    def _look(self) -> Deferred[None]:
        return self._in_thread(self._read).addCallbacks(self._seen, self._broke)

    def _read(self) -> T | SettingsError | None:
        stamps = self._stamps_now()
        if stamps == self._stamps:
            return None
        self._stamps = stamps
        try:
            return self._load()
        except SettingsError as error:
            return error

    def _stamps_now(self) -> tuple[_Stamp, ...]:
        return tuple(_stamp(path) for path in self._paths)

    def _seen(self, found: T | SettingsError | None) -> None:
        if isinstance(found, SettingsError):
            self._failed(found)
        elif found is not None:
            self._changed(found)

    def _broke(self, failure: Failure) -> None:
        self.log.failure("cannot look at files", failure)


def _stamp(path: Path) -> _Stamp:
    try:
        about = os.stat(path)
    except OSError:
        return None
    return about.st_ino, about.st_dev, about.st_size, about.st_mtime_ns, about.st_ctime_ns

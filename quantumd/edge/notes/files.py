"""Notes in files, written by the reactor's threads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.edge.notes.interfaces import MOST_BYTES, INote
from quantumd.errors import EdgeError


@implementer(INote)
@define(eq=False)
class FileNote:
    """See INote. Nobody but this process reads the file; one that cannot be written is told of and tried next time."""

    _reactor: Any
    _path: Path
    _next: bytes | None = field(default=None, init=False)
    _is_writing: bool = field(default=False, init=False)
    _log = Logger()

    def read(self) -> bytes:
        """See INote."""
        try:
            with self._path.open("rb") as opened:
                data = opened.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise EdgeError(f"{self._path}: {error.strerror}") from error
        if len(data) > MOST_BYTES:
            raise EdgeError(f"{self._path} has more than {MOST_BYTES} bytes")
        return data

    def keep(self, data: bytes) -> None:
        """See INote."""
        self._next = data
        if not self._is_writing:
            self._is_writing = True
            self._write()

    def _write(self) -> None:
        data, self._next = self._next, None
        if data is None:
            self._is_writing = False
            return
        writing = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), _replace, self._path, data)
        writing.addErrback(self._cannot_write)
        writing.addCallback(lambda _: self._write())

    def _cannot_write(self, failure: Failure) -> None:
        failure.trap(OSError)
        self._log.warn("{path} cannot be written: {why}", path=str(self._path), why=failure.getErrorMessage())


def _replace(path: Path, data: bytes) -> None:
    """Put a file in the place of another, all at once. OSError."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(beside, path)

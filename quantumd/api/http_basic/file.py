"""The file of users on the disk: read with a look at who else may, written whole or not at all."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from quantumd.edge.files import read_text
from quantumd.errors import SettingsError

LARGEST_FILE_BYTES: Final = 4_194_304
"""A larger file is not read."""

_MODE: Final = 0o600


def read_users_file(path: Path) -> str:
    """Return the text of the file of users.

    :raises SettingsError: it cannot be read, is no file or too large, belongs to a stranger, others may read or write
        it, or its group may write it.
    """
    return read_text(path, "http_basic.user_file", LARGEST_FILE_BYTES, is_secret=True)


def write_users_file(path: Path, text: str) -> None:
    """Put a new file in the place of the old one at once, with the old one's owner, group and mode, else for us only.

    :raises SettingsError: it cannot be written; the old one is as it was.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE), "wb") as file:
            _take_after(path, file.fileno())
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _flush_directory(path.parent)
    except OSError as error:
        raise SettingsError(f"http_basic.user_file: {path}: {error.strerror}") from None


def _take_after(path: Path, descriptor: int) -> None:
    if path.exists():
        about = path.stat()
        os.fchown(descriptor, about.st_uid, about.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(about.st_mode) & ~(stat.S_IRWXO | stat.S_IWGRP))


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def users_file_locked(path: Path) -> Iterator[None]:
    """Keep others who change the file by this away, so that no change of one is lost to another's.

    :raises SettingsError: the directory is not there or cannot be read.
    """
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SettingsError(f"http_basic.user_file: {path.parent}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

"""Files that settings name, read whole: with a limit, and secrets only where others cannot read or write them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from quantumd.errors import SettingsError

LONGEST_SECRET_BYTES: Final = 4096
"""How long the file of a password may be."""


def read_file(path: str | Path, setting: str, most_bytes: int, is_secret: bool = False) -> bytes:
    """Return what a file holds; ``setting`` is what names it, for errors, in which nothing of the file is.

    :param is_secret: others may neither read nor write it, its group not write it, and it is root's or ours.
    :raises SettingsError: it cannot be read, is none, is larger than that, or is no secret.
    """
    try:
        # A pipe in its place must not keep us waiting.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _check(os.fstat(file.fileno()), path, setting, is_secret)
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise SettingsError(f"{setting}: {path}: {error.strerror}") from None
    if len(content) > most_bytes:
        raise SettingsError(f"{setting}: {path} is larger than {most_bytes} bytes")
    return content


def read_text(path: str | Path, setting: str, most_bytes: int, is_secret: bool = False) -> str:
    """Return the text of a file; see ``read_file``. SettingsError, also where it is no UTF-8."""
    try:
        return read_file(path, setting, most_bytes, is_secret).decode()
    except UnicodeDecodeError:
        raise SettingsError(f"{setting}: {path} is not UTF-8 text") from None


def read_secret(path: str, setting: str) -> str:
    """Return the password that a file holds; the end of its line is not part of it.

    :raises SettingsError: see ``read_text``; or it is empty.
    """
    text = read_text(path, setting, LONGEST_SECRET_BYTES, is_secret=True).rstrip("\r\n")
    if not text:
        raise SettingsError(f"{setting}: {path} is empty")
    return text


def secret_of(plain: str, path: str, setting: str, missing: str) -> str:
    """Return the password of a file if one is named, else the plain one of the settings.

    :param missing: what is wrong where there is neither.
    :raises SettingsError: there is neither, or see ``read_secret``.
    """
    if path:
        return read_secret(path, setting)
    if not plain:
        raise SettingsError(f"{setting} is empty: {missing}")
    return plain


def _check(about: os.stat_result, path: str | Path, setting: str, is_secret: bool) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise SettingsError(f"{setting}: {path} is no file")
    if is_secret and about.st_uid not in (0, os.geteuid()):
        raise SettingsError(f"{setting}: {path} belongs to neither root nor the user that quantumd runs as")
    if is_secret and about.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise SettingsError(f"{setting}: others may read or write {path}; chmod 600 it")

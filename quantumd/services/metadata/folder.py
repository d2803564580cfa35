"""What a host that answers by itself knows from files. Reads the disk: not for the reactor's thread."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from quantumd.edge.files import read_file
from quantumd.errors import SettingsError
from quantumd.interfaces import Asker
from quantumd.services.metadata.own import Files

LARGEST_FILE_BYTES: Final = 1_048_576
DEFAULT: Final = "default"
SETTING: Final = "metadata.folder"

_USER_DATA, _PUBLIC_KEYS, _VENDOR_DATA = "user_data", "public_keys", "vendor_data.json"
_SAFE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


def read_files(folder: str, asker: Asker) -> Files:
    """Return what there is for a port: each file from the first of its places that has one. SettingsError.

    Who uses a port says himself what it is used by, so instances are looked for among those of his project only.
    """
    if not folder:
        return Files()
    places = tuple(_places(Path(folder), asker))
    return Files(
        _read(places, _USER_DATA),
        _read(places, _PUBLIC_KEYS).decode(errors="replace"),
        _read(places, _VENDOR_DATA),
    )


def _places(folder: Path, asker: Asker) -> Iterator[Path]:
    yield folder / asker.port_id
    if _SAFE.fullmatch(asker.project_id):
        if _SAFE.fullmatch(asker.device_id):
            yield folder / asker.project_id / asker.device_id
        yield folder / asker.project_id
    yield folder / DEFAULT


def _read(places: tuple[Path, ...], name: str) -> bytes:
    for place in places:
        path = place / name
        if path.exists():
            return read_file(path, SETTING, LARGEST_FILE_BYTES)
    return b""


def check_folder(folder: str) -> None:
    """See that the folder is one, if one is named. SettingsError."""
    if folder and not Path(folder).is_dir():
        raise SettingsError(f"{SETTING}: {folder} is no folder")

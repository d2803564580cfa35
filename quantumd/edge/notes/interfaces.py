"""A small text that outlives the process."""

from __future__ import annotations

from typing import Final

from zope.interface import Interface

MOST_BYTES: Final = 16_000_000
"""Of a longer one nothing is read."""


class INote(Interface):
    """One note. What is kept is whole or as it was before, whatever happens meanwhile."""

    def read() -> bytes:
        """Return what was kept last, b'' when nothing was. EdgeError: it cannot be read. Only for starts: it blocks."""

    def keep(data: bytes) -> None:
        """Keep this soon, in the place of what was kept; of several in a row the last one. Never blocks."""

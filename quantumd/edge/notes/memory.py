"""Notes in memory."""

from __future__ import annotations

from attrs import define
from zope.interface import implementer

from quantumd.edge.notes.interfaces import INote


@implementer(INote)
@define(eq=False)
class MemoryNote:
    """See INote."""

    kept: bytes = b""

    def read(self) -> bytes:
        """See INote."""
        return self.kept

    def keep(self, data: bytes) -> None:
        """See INote."""
        self.kept = data

"""Where we differ from neutron-lib on purpose: at most 20, each with its reason; none takes what it refuses."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from attrs import frozen

from tests.oracle.compare import Difference

MOST: Final = 20


@frozen
class Deliberate:
    """A difference that is meant. ``collection``, ``attribute`` and ``what`` may hold ``*``."""

    collection: str
    attribute: str
    what: str
    reason: str

    def covers(self, found: Difference) -> bool:
        """Whether this is the one that was found."""
        pairs = ((found.collection, self.collection), (found.attribute, self.attribute), (found.what, self.what))
        return all(fnmatchcase(text, pattern) for text, pattern in pairs)


DELIBERATE: Final[tuple[Deliberate, ...]] = ()

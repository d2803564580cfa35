"""Where we differ from neutron-lib on purpose: at most 20, each with its reason; none takes what it refuses."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from attrs import frozen

from tests.oracle.compare import CONVERTED, STRICTER, Difference

MOST: Final = 20


@frozen
class Deliberate:
    """A difference that is meant: at which attributes (``collection.attribute``), and what. Both may hold ``*``."""

    where: tuple[str, ...]
    what: tuple[str, ...]
    reason: str

    def covers(self, found: Difference) -> bool:
        """Whether this is the one that was found."""
        name = f"{found.collection}.{found.attribute}"
        is_there = any(fnmatchcase(name, pattern) for pattern in self.where)
        return is_there and any(fnmatchcase(found.what, pattern) for pattern in self.what)


DELIBERATE: Final[tuple[Deliberate, ...]] = (
    Deliberate(
        ("*",),
        (f"{STRICTER} (a boolean)", f"{STRICTER} (a number)"),
        "True is no number, a fraction no integer, a number no address or MAC, and columns hold 63 bits.",
    ),
    Deliberate(
        ("*.name",),
        (f"{STRICTER} (a text)",),
        "A name is one line, without a break at its end, and no longer than its column.",
    ),
    Deliberate(
        ("networks.segments",),
        (f"{STRICTER} (a text)", f"{STRICTER} (an object)", CONVERTED),
        "Segments are a list, and what one of them leaves out is null, where neutron-lib has a mark of its own.",
    ),
)

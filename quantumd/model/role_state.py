"""How far a role of a host is, as it tells the server."""

from __future__ import annotations

from attrs import frozen

MOST_FAULTS = 20
"""How many faults a role tells of, however many it has."""

LONGEST_FAULT = 300
"""How many characters of a fault are told."""


@frozen
class Fault:
    """Why the work that a key counts cannot be done: a bridge, network or port by its name or id."""

    kind: str
    id: str
    why: str


@frozen
class RoleState:
    """How far a role of a host is.

    ``position``: all that the role was told up to this position of the journal is in force. ``waiting``: how many
    work keys wait or failed. ``trouble``: why the role cannot see its world, '' when it does. ``faults``: the first
    MOST_FAULTS of what cannot be realised.
    """

    position: int
    waiting: int
    trouble: str = ""
    faults: tuple[Fault, ...] = ()

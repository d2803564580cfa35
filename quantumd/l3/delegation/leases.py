"""Prefixes that a router was given, and until when. Pure. Source: RFC 8415, 18.2.10.1, 21.21."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from quantumd.l3.delegation.messages import Answer, Given
from quantumd.model.delegation import delegated_subnet

LEAST_VALID_SECONDS: Final = 30
"""What is given for less is not worth to number a network by."""
LEAST_RENEW_SECONDS: Final = 10
"""No server makes a router ask more often."""


@frozen
class Lease:
    """A prefix, by which server it was given, and the times of it in seconds since 1970.

    ``delegated`` is what the server calls it, which may be shorter than the ``prefix`` that is used. ``server_id`` is
    b'' when it is not known.
    """

    delegated: str
    server_id: bytes
    renew_at: float
    rebind_at: float
    preferred_until: float
    valid_until: float

    @property
    def prefix(self) -> str:
        """The prefix that a subnet has of it: the first of its length."""
        return delegated_subnet(self.delegated) or ""

    def remaining(self, now: float) -> tuple[int, int]:
        """Return for how many whole seconds it is still preferred, and valid."""
        return max(0, int(self.preferred_until - now)), max(0, int(self.valid_until - now))


def choose(given: Iterable[Given], held: str = "") -> Given | None:
    """Return the prefix to use; None when none can be used.

    Those that are preferred come first, as the others are about to end; of these the one that is held.
    """
    usable = [each for each in given if each.valid_seconds >= LEAST_VALID_SECONDS and delegated_subnet(each.prefix)]
    return min(usable, key=lambda each: (each.preferred_seconds == 0, each.prefix != held), default=None)


def is_withdrawn(given: Iterable[Given], held: str) -> bool:
    """Whether a server says that the prefix that is held must be used no more."""
    return any(each.prefix == held and each.valid_seconds == 0 for each in given)


def lease_of(answer: Answer, given: Given, now: float) -> Lease:
    """Return what a server gave; where it leaves the times open they are those that RFC 8415 (21.21) recommends."""
    base = given.preferred_seconds or given.valid_seconds
    renew = answer.t1_seconds or base // 2
    rebind = answer.t2_seconds or base * 4 // 5
    renew = min(max(renew, LEAST_RENEW_SECONDS), given.valid_seconds)
    rebind = min(max(rebind, renew), given.valid_seconds)
    return Lease(
        given.prefix,
        answer.server_id,
        now + renew,
        now + rebind,
        now + given.preferred_seconds,
        now + given.valid_seconds,
    )

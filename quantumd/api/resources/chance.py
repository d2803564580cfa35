"""Where ids and random numbers come from: an argument of the operations, so that tests decide what happens."""

from __future__ import annotations

from collections.abc import Callable
from random import SystemRandom

from attrs import frozen

from quantumd.model.ids import UUID_BITS, uuid_text


@frozen
class Chance:
    """``new_id`` returns an unused UUID as text; ``bits(n)`` returns a random whole number of n bits."""

    new_id: Callable[[], str]
    bits: Callable[[int], int]


def system_chance() -> Chance:
    """Return ids and numbers that nobody can guess."""
    bits = SystemRandom().getrandbits
    return Chance(lambda: uuid_text(bits(UUID_BITS)), bits)

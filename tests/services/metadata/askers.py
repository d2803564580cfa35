"""Somebody who asks, for tests."""

from __future__ import annotations

from attrs import evolve

from quantumd.interfaces import Asker

ASKER = Asker(
    "0a0a0a0a-0000-4000-8000-000000000001", "n1", "blue", "i1", "10.0.0.5", "fa:16:3e:00:00:05",
    ("10.0.0.5", "fd00::5"), 1450, "web", "", (),
)  # fmt: skip


def tagged(*tags: str) -> Asker:
    """Return one whose port has tags."""
    return evolve(ASKER, tags=tags)

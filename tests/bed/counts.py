"""How often a test repeats what it does: sampled in every run, in full by ``make soak``."""

from __future__ import annotations

import os


def is_soak() -> bool:
    """Whether this run is a soak (``QUANTUMD_SOAK=1``)."""
    return os.environ.get("QUANTUMD_SOAK") == "1"


def count(sampled: int, full: int) -> int:
    """Return ``full`` in a soak and ``sampled`` in any other run."""
    return full if is_soak() else sampled

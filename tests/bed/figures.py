"""Figures that tests measure; the run prints all of them at its end."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "QUANTUMD_FIGURES"
"""Names the file that collects them; tests/conftest.py sets it."""


def note(line: str) -> None:
    """Have a line printed at the end of the run."""
    name = os.environ.get(VARIABLE)
    if name:
        with Path(name).open("a") as file:
            file.write(f"{line}\n")


def noted() -> list[str]:
    """Return the lines so far."""
    name = os.environ.get(VARIABLE)
    return Path(name).read_text().splitlines() if name and Path(name).exists() else []

"""One setting as data: default, unit, one sentence, what values it may have."""

from __future__ import annotations

from typing import Any

from attrs import field


def setting(
    default: Any,
    sentence: str,
    unit: str | None = None,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    most: float | None = None,
    is_secret: bool = False,
) -> Any:
    """Declare a setting: ``sentence`` says what it does, ``unit`` what its number counts.

    ``choices`` are the values allowed, none meaning any; ``least`` and ``most`` bound a number, both included. The
    value of a secret is in no error and no representation, and is not taken from the command line.
    """
    metadata = {
        "sentence": sentence, "unit": unit, "choices": choices, "least": least, "most": most, "is_secret": is_secret,
    }  # fmt: skip
    return field(default=default, metadata=metadata, repr=not is_secret)

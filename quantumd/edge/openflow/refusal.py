"""What it is called when the switch says no."""

from __future__ import annotations

from quantumd.errors import EdgeError


class SwitchRefused(EdgeError):
    """The switch refused a part of a change: ``part`` says which in words, ``reason`` is the switch's."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"the switch refused {part}: {reason}")
        self.part = part
        self.reason = reason

"""What goes wrong between a request and its answer. No sentence holds anything that was sent or received."""

from __future__ import annotations

from quantumd.errors import EdgeUnavailable


class NoAnswer(EdgeUnavailable):
    """There is no answer, or not all of it; whether the request was understood is not known."""


class Unanswered(NoAnswer):
    """The connection ended before anything of an answer came."""


class BadAnswer(NoAnswer):
    """What came is no answer, or more than is read."""

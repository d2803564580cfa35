"""What goes wrong between processes."""

from __future__ import annotations

from quantumd.errors import EdgeError


class AskedFailed(EdgeError):
    """The process that was asked says that it could not do it."""


class Untrusted(EdgeError):
    """A message that somebody else may have made; nothing is done with it."""

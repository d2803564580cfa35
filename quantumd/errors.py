"""The one error tree: what the caller can fix, what the world refused; anything else is a bug and flies."""

from __future__ import annotations


class QuantumdError(Exception):
    """Root of every error that quantumd raises on purpose."""


class ApiError(QuantumdError):
    """The caller can fix it.

    Each child sets ``status`` (HTTP status code) and, where the API's ``type`` differs from the
    class name, ``type_name``. ``str()`` of the error is the message shown to the caller.
    """

    status = 400
    type_name: str | None = None

    @property
    def type(self) -> str:
        """The ``type`` of the ``NeutronError`` body."""
        return self.type_name or type(self).__name__


class EdgeError(QuantumdError):
    """The world outside said no, or said nothing in time; the loop retries."""


class EdgeUnavailable(EdgeError):
    """The thing at the edge is not connected at the moment."""


class EdgeTimeout(EdgeError):
    """The thing at the edge did not answer within its time limit."""


class SettingsError(QuantumdError):
    """The settings file is wrong; the sentence says where and what would be right."""

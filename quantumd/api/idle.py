"""How long a connection may be silent, without a new timer for each request.

Twisted cancels a connection's timer when a request has come and makes another one when it is answered. Here one timer
stays for all of a connection's requests; when it is due it looks how long the silence really is.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel


class PatientChannel(HTTPChannel):
    """A channel whose time limit is the same each time that it is set, or None while a request is answered."""

    timeOut: Any
    site: Any
    _silent_since = 0.0
    _timer: IDelayedCall | None = None

    def setTimeout(self, period: float | None) -> Any:
        """Let the silence begin now, or (None) allow any; return the limit before."""
        before, self.timeOut = self.timeOut, period
        self.resetTimeout()
        return before

    def resetTimeout(self) -> None:
        """Let the silence begin anew; nothing while any is allowed."""
        if self.timeOut is None:
            return
        self._silent_since = self.site.reactor.seconds()
        if self._timer is None:
            self._timer = self.callLater(self.timeOut, self._look)

    def _look(self) -> None:
        self._timer = None
        if self.timeOut is None:
            return
        left = self._silent_since + self.timeOut - self.site.reactor.seconds()
        if left > 0:
            self._timer = self.callLater(left, self._look)
        else:
            self.timeOut = None
            self.timeoutConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """The connection is gone."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        super().connectionLost(reason)

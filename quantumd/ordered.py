"""Services that stop one after the other."""

from __future__ import annotations

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.logger import Logger


class OrderedServices(MultiService):
    """Starts its services in order, and stops each only when the one started after it has stopped.

    Twisted's own MultiService tells all to stop at once: requests that are being finished would then find the store
    gone. Each service limits the time of its own stop.
    """

    log = Logger()

    def stopService(self) -> Deferred[None]:
        """Stop the last one first; fires when the first one has stopped."""
        Service.stopService(self)
        return ensureDeferred(self._stop_each())

    async def _stop_each(self) -> None:
        for service in reversed(tuple(self)):
            stopping: Deferred[object] = maybeDeferred(service.stopService)
            # One that fails to stop must not keep the others running.
            stopping.addErrback(lambda failure: self.log.failure("a service did not stop cleanly", failure))
            await stopping

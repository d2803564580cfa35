"""How a process is, over HTTP: ``/healthz``, ``/readyz`` and ``/metrics``, beside the API or where there is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import orjson
from attrs import frozen
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.defer import TimeoutError as TooLate

from quantumd.api.request import ApiRequest
from quantumd.metrics import CONTENT_TYPE, Metrics

READY_SECONDS: Final = 2.0
"""How long ``/readyz`` waits for the answer that it passes on."""

Readiness = Callable[[], Awaitable[Sequence[str]]]
"""Returns what is not ready yet, each in a few words; nothing when all is."""


@frozen
class Health:
    """Answers for a process."""

    readiness: Readiness
    metrics: Metrics
    reactor: Any

    @property
    def answers(self) -> tuple[tuple[str, Callable[[ApiRequest], Any]], ...]:
        """What answers GET, by path."""
        return ("/healthz", self.alive), ("/readyz", self.ready), ("/metrics", self.measured)

    def alive(self, request: ApiRequest) -> bytes:
        """Whoever answers is alive."""
        return document(request, "health", {"status": "alive"})

    async def ready(self, request: ApiRequest) -> bytes:
        """What is waited for; 503 when anything is."""
        waiting = await self._waiting_for()
        body = {"status": "waiting" if waiting else "ready", "waiting_for": list(waiting)}
        return document(request, "health", body, 503 if waiting else 200)

    def measured(self, request: ApiRequest) -> bytes:
        """What is measured, in Prometheus' text format."""
        request.resource_label = "metrics"
        body = request.show(200, self.metrics.text())
        request.setHeader(b"Content-Type", CONTENT_TYPE.encode())
        return body

    async def _waiting_for(self) -> Sequence[str]:
        asked: Deferred[Sequence[str]] = ensureDeferred(_asked(self.readiness))
        try:
            return await asked.addTimeout(READY_SECONDS, self.reactor)
        except TooLate:
            return (f"an answer within {READY_SECONDS} seconds",)


def document(request: ApiRequest, label: str, body: Any, status: int = 200) -> bytes:
    """Return a JSON document as the answer to a request, which is counted under this label."""
    request.resource_label = label
    return request.show(status, orjson.dumps(body))


async def _asked(readiness: Readiness) -> Sequence[str]:
    return await readiness()

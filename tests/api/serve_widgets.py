"""A process that serves widgets on a passed socket until SIGTERM: ``python -m tests.api.serve_widgets [--log]``.

With ``--log`` it writes its log lines, to where they cost what they cost in earnest and disturb nobody.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import succeed
from twisted.logger import globalLogBeginner

from quantumd.api.app import Api
from quantumd.api.extensions.features import Served
from quantumd.api.service import make_api_service
from quantumd.config import ApiSettings
from quantumd.logs import make_observer
from quantumd.metrics import Metrics
from quantumd.model.context import Context
from tests.api.widgets import Widgets, widget_resource


class NoTransaction:
    """Stands for a transaction where there is no database: it only knows who asked."""

    asker: Context | None = None


class ImmediateStore:
    """Runs work on nothing at once: the API's own cost without a database."""

    def write(self, work: Any) -> Any:
        """Run the work."""
        return succeed(work(NoTransaction()))

    def read(self, work: Any) -> Any:
        """Run the work."""
        return succeed(work(None))


async def _ready() -> Sequence[str]:
    return ()


def main() -> None:
    """Serve until SIGTERM; say ``ready`` when listening."""
    reactor: Any = installed_reactor
    if "--log" in sys.argv:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        globalLogBeginner.beginLoggingTo([make_observer(nowhere, "info")], redirectStandardIO=False)
    served = Served((widget_resource(Widgets()),), (), (), lambda *_: None)
    api = Api(served, ImmediateStore(), _ready, Metrics(), reactor, 1000, "1.0")
    service = make_api_service(ApiSettings(drain_seconds=1.0), api)
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.callWhenRunning(lambda: print("ready", flush=True))  # noqa: T201 - the parent waits for it
    reactor.run()


if __name__ == "__main__":
    main()

"""What every process of quantumd is: its options, its log, its measurements, and how it treats its interpreter."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen
from twisted.application.service import IService, MultiService
from twisted.python import usage

from quantumd.config import Settings, load_settings
from quantumd.core import OneCore
from quantumd.errors import QuantumdError
from quantumd.logs import LoggedService
from quantumd.metrics import Metrics
from quantumd.version import VERSION
from quantumd.watchdog import StallWatchdog

SWITCH_INTERVAL_SECONDS = 0.002
"""How soon a thread that computes hands over to another (sys.setswitchinterval)."""

_COLLECT_AFTER = (10_000, 20, 20)
"""Allocations before a young collection, young ones before a middle one, middle ones before a full one."""


class Options(usage.Options):
    """Options of ``twistd quantumd`` and its roles."""

    optParameters: ClassVar = [["config", "c", None, "The settings file; without one the defaults hold."]]

    def __init__(self) -> None:
        super().__init__()
        self.assignments: list[str] = []

    def opt_set(self, assignment: str) -> None:
        """One setting as section.name=value, after those of the file; may be repeated."""
        self.assignments.append(assignment)

    def load(self) -> Settings:
        """Return the settings. usage.UsageError says what is wrong with them."""
        path = self["config"]
        try:
            return load_settings(Path(path) if path else None, self.assignments)
        except QuantumdError as error:
            raise usage.UsageError(str(error)) from None


@frozen
class Ground:
    """What the services of a process stand on. ``root`` is their parent."""

    settings: Settings
    reactor: Any
    host: str
    metrics: Metrics
    root: MultiService


def make_ground(settings: Settings, reactor: Any, role: str) -> Ground:
    """Return the ground of a process; ``role`` is what it does, for its measurements."""
    root = LoggedService(settings.log.level, reactor)
    metrics = Metrics()
    watchdog = StallWatchdog(reactor, settings.log.stall_seconds, on_stall=lambda seconds: metrics.process.stalls.inc())
    watchdog.setServiceParent(root)
    metrics.process.watch(watchdog.turns)
    metrics.process.info.labels(VERSION, role).set(1)
    if settings.host.one_core:
        OneCore(reactor).setServiceParent(root)
    return Ground(settings, reactor, settings.host.name or socket.gethostname(), metrics, root)


def maker(compose: Callable[[Settings, Any], IService], reactor: Any) -> Callable[[Options], IService]:
    """Return the ``makeService`` of a process whose services ``compose`` puts together."""

    def make_service(options: Options) -> IService:
        settings = options.load()
        sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
        try:
            service = compose(settings, reactor)
        except QuantumdError as error:
            raise usage.UsageError(str(error)) from None
        spare_the_collector()
        return service

    return make_service


def spare_the_collector() -> None:
    """Take what was imported out of the garbage collector's sight, and have it look less often.

    What lives as long as the process need not be looked at again; a full look at it costs tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()

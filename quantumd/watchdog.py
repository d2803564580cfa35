"""Keeps reactor turns short, and tells of those that took too long, and where they were.

A turn is the time from the moment the poller hands over to the reactor until the reactor polls again; while it lasts
nobody else is served. Each turn is measured exactly, by a thin layer around the poller; a daemon thread looks in twenty
times a second and, when a turn is late, notes where the reactor thread is.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.logger import Logger

EVENTS_PER_TURN = 16
"""How many descriptors are served before timers and what threads hand over get their turn again.

Twisted serves all that are ready: with hundreds of busy connections one turn would take a tenth of a second. The rest
stay ready, and epoll hands them out in rotation (epoll_wait(2)).
"""

_LOOK_SECONDS = 0.05
_log = Logger()


@define
class Turns:
    """What was measured since the watchdog started. Seconds are of the wall clock unless named ``cpu``."""

    count: int = 0
    stalls: int = 0
    longest_seconds: float = 0.0
    longest_cpu_seconds: float = 0.0
    seconds_to_first_turn: float = 0.0
    """From the start of the process to the first turn of its reactor."""


def seconds_since_process_start() -> float:
    """Return the age of this process in seconds (proc(5): /proc/self/stat, field 22, in ticks of 10 ms)."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return uptime - int(fields[19]) / 100


@define
class _MeasuredPoller:
    """Stands in for the reactor's epoll object: keeps turns short, says when a poll ends and when the next begins."""

    _poller: Any
    _turn_began: Callable[[], None]
    _turn_ended: Callable[[], None]

    def poll(self, timeout: float = -1, events: int = -1) -> Any:
        self._turn_ended()
        try:
            return self._poller.poll(timeout, min(events, EVENTS_PER_TURN) if events > 0 else EVENTS_PER_TURN)
        finally:
            self._turn_began()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)


@define(eq=False, slots=False)
class StallWatchdog(Service):
    """Counts and logs turns of ``reactor`` longer than ``stall_seconds``.

    Works on Twisted's epoll reactor (its ``_poller`` is replaced while the service runs) and measures nothing on any
    other. A turn that is slow because the machine is busy shows little CPU time beside its seconds.
    """

    _reactor: Any
    _stall_seconds: float
    turns: Turns = field(factory=Turns)
    on_stall: Callable[[float], None] | None = None
    """Called with the seconds of each stall, on the reactor thread, right after it."""
    _began: float | None = field(default=None, init=False)
    _began_cpu: float = field(default=0.0, init=False)
    _where: str = field(default="", init=False)
    _thread_id: int = field(default=0, init=False)
    _done: threading.Event = field(factory=threading.Event, init=False)

    def startService(self) -> None:
        """Measure from the first turn on."""
        super().startService()
        self._reactor.callWhenRunning(self._first_turn)

    def stopService(self) -> None:
        """Measure no more."""
        super().stopService()
        self._done.set()
        poller = getattr(self._reactor, "_poller", None)
        if isinstance(poller, _MeasuredPoller):
            self._reactor._poller = poller._poller

    def _first_turn(self) -> None:
        if not self.running or not hasattr(self._reactor, "_poller"):
            return
        self.turns.seconds_to_first_turn = seconds_since_process_start()
        self._reactor._poller = _MeasuredPoller(self._reactor._poller, self._begin, self._end)
        self._thread_id = threading.get_ident()
        self._begin()
        # A plain thread: the reactor's pool is for work, and this one must look in while the reactor is stuck.
        threading.Thread(target=self._look, name="stall-watchdog", daemon=True).start()

    def _begin(self) -> None:
        self._began_cpu = time.thread_time()
        self._began = time.monotonic()

    def _end(self) -> None:
        if self._began is None:
            return
        seconds = time.monotonic() - self._began
        self._began = None
        turns = self.turns
        turns.count += 1
        if seconds > turns.longest_seconds:
            turns.longest_seconds = seconds
        if seconds > self._stall_seconds:
            self._tell(seconds, time.thread_time() - self._began_cpu)

    def _tell(self, seconds: float, cpu_seconds: float) -> None:
        self.turns.stalls += 1
        self.turns.longest_cpu_seconds = max(self.turns.longest_cpu_seconds, cpu_seconds)
        where, self._where = self._where, ""
        _log.warn(
            "reactor stalled for {ms} ms, {cpu_ms} ms of it on the CPU",
            ms=round(seconds * 1000, 1), cpu_ms=round(cpu_seconds * 1000, 1), where=where or "over before it was seen",
        )  # fmt: skip
        if self.on_stall is not None:
            self.on_stall(seconds)

    def _look(self) -> None:
        """Note where a late turn is; runs on the watchdog's own thread and only reads."""
        seen: float | None = None
        while not self._done.wait(_LOOK_SECONDS):
            began = self._began
            if began is None or began == seen or time.monotonic() - began < self._stall_seconds:
                continue
            seen = began
            frame = sys._current_frames().get(self._thread_id)
            if frame is not None:
                self._where = innermost(frame)


def innermost(frame: FrameType, depth: int = 6) -> str:
    """Return the innermost calls of a thread, the last one first: ``file:line function < file:line function``."""
    stack = traceback.extract_stack(frame)[-depth:]
    return " < ".join(f"{_short(call.filename)}:{call.lineno} {call.name}" for call in reversed(stack))


def _short(path: str) -> str:
    return "/".join(path.split("/")[-3:])

"""Holds the threads of the process together on one core while they are busy and it is free for them.

Threads of one interpreter take turns at its lock, so more cores do not make them faster; but when they are spread over
cores, each handing over of the lock wakes another core, and a request costs half as much CPU again. On the other hand
who holds on to a core waits when others want it, and who may move does not (docs/decisions/reactor-turns.md has the
figures of both). Work that leaves the lock alone for long, as hashing does, may ``roam``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.task import LoopingCall

LOOK_SECONDS: Final = 0.5
"""How often is looked at what the process and others do on the cores."""

BUSY_SHARE: Final = 0.25
"""The share of a core that the process must use to be held."""

CROWDED_SHARE: Final = 0.5
"""The share of a core that others may use where the process is held."""

WORTH_SHARE: Final = 0.25
"""By how much of a core others must use another core less before it is worth moving there."""

CORES: Final = frozenset(os.sched_getaffinity(0))
"""What the process may use: what it was started with."""

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_TASKS: Final = Path("/proc/self/task")
_STAT: Final = Path("/proc/stat")


def busy_seconds(stat: str) -> dict[int, float]:
    """Return for how long each core was busy, or taken by a hypervisor, from the text of /proc/stat (proc(5)).

    :return: seconds since the start of the machine, by number of the core.
    """
    found: dict[int, float] = {}
    for line in stat.splitlines():
        name, _, times = line.partition(" ")
        if name.startswith("cpu") and name != "cpu":
            user, nice, system, _idle, _wait, interrupt, soft, steal = map(int, times.split()[:8])
            found[int(name[3:])] = (user + nice + system + interrupt + soft + steal) / _TICKS_PER_SECOND
    return found


def wanted_core(near: int, own: float, others: Mapping[int, float]) -> int | None:
    """Return the core to be held on; None is none.

    :param near: the core on which the process is now.
    :param own: how much it uses: 1 is a core.
    :param others: the share of each core, from 0 to 1, that others use.
    """
    best = min(others, key=others.__getitem__, default=near)
    if own < BUSY_SHARE or others.get(best, 1.0) > CROWDED_SHARE:
        return None
    return best if others.get(near, 1.0) - others[best] >= WORTH_SHARE else near


def roam() -> None:
    """Let the calling thread use any core from now on."""
    os.sched_setaffinity(0, CORES)


@frozen
class Look:
    """What is seen at a moment, in seconds: for how long each core was busy, and this process had one, up to then."""

    at: float
    busy: Mapping[int, float]
    own: float


def look(stat: Path = _STAT) -> Look:
    """Look at this machine. A kernel that hides its cores tells nothing of them."""
    try:
        told = stat.read_text()
    except OSError:
        told = ""
    return Look(time.monotonic(), busy_seconds(told), time.process_time())


class OneCore(Service):
    """Looks now and then, while it runs, and holds the threads or lets them go."""

    def __init__(self, reactor: Any, look: Callable[[], Look] = look) -> None:
        self.core: int | None = None
        """Where the threads are held; None while they may be anywhere."""
        self._look = look
        self._looking = LoopingCall(self._look_again)
        self._looking.clock = reactor
        self._last: Look | None = None

    def startService(self) -> None:
        """Begin to look, if there is a choice."""
        super().startService()
        if len(CORES) > 1:
            self._looking.start(LOOK_SECONDS, now=True)

    def stopService(self) -> None:
        """Let all threads go."""
        super().stopService()
        if self._looking.running:
            self._looking.stop()
        self._hold(None)

    def _look_again(self) -> None:
        now = self._look()
        last, self._last = self._last, now
        if last is not None and now.at > last.at:
            near = _running_on() if self.core is None else self.core
            own = (now.own - last.own) / (now.at - last.at)
            self._hold(wanted_core(near, own, _shares_of_others(self.core, last, now)))

    def _hold(self, core: int | None) -> None:
        """Move the threads that are held now, or all if none is, except those that roam; new ones go with them."""
        if core == self.core:
            return
        moved = CORES if self.core is None else {self.core}
        for task in _TASKS.iterdir():
            _move(int(task.name), moved, CORES if core is None else {core})
        self.core = core


def _move(thread: int, moved: Collection[int], cores: Collection[int]) -> None:
    try:
        if os.sched_getaffinity(thread) == moved:
            os.sched_setaffinity(thread, cores)
    except ProcessLookupError:
        pass  # It has ended meanwhile.


def _running_on() -> int:
    """Return the core on which the first thread of the process is (proc(5): /proc/self/stat, field 39)."""
    return int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[36])


def _shares_of_others(held_on: int | None, last: Look, now: Look) -> dict[int, float]:
    """Return what others use of each core; where we were is not known while we are not held: then the mean of all."""
    seconds = now.at - last.at
    own = now.own - last.own
    busy = {core: now.busy[core] - last.busy[core] for core in CORES if core in now.busy and core in last.busy}
    if held_on is None:
        return dict.fromkeys(busy, (sum(busy.values()) - own) / seconds / len(busy)) if busy else {}
    return {core: (spent - (own if core == held_on else 0.0)) / seconds for core, spent in busy.items()}

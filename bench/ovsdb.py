"""What the switch's database costs: importing, transactions, and 200 to 5,000 interfaces loaded, changed and lost.

Run as root: ``python -m bench.ovsdb``. The interfaces are rows of a real ovsdb-server without a switch behind it, so
that all the time is the database's and ours.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import LoopingCall, deferLater, react

from quantumd.edge.ovsdb.idl import OvsIdl
from quantumd.edge.ovsdb.interfaces import EditBridgeIds
from tests.bed.openvswitch import PrivateOvs, run

BEAT_SECONDS = 0.001
LIMIT_SECONDS = 60.0


def row(what: str, value: float, unit: str) -> None:
    """Print one line of the table."""
    print(f"| {what:<58} | {value:>9.2f} {unit:<3} |", flush=True)


@define
class Turns:
    """How long the reactor was away from a call due every millisecond: by the clock, and as far as we computed."""

    longest: float = 0.0
    longest_ours: float = 0.0
    _last: float = 0.0
    _last_cpu: float = 0.0

    def start(self) -> None:
        """Begin anew."""
        self.longest = self.longest_ours = 0.0
        self._last, self._last_cpu = perf_counter(), process_time()

    def beat(self) -> None:
        """The call."""
        away, computed = perf_counter() - self._last - BEAT_SECONDS, process_time() - self._last_cpu
        self.longest, self.longest_ours = max(self.longest, away), max(self.longest_ours, min(away, computed))
        self._last, self._last_cpu = perf_counter(), process_time()


@define
class Bench:
    """A database, an Idl on it and the turns of the reactor."""

    reactor: Any
    ovs: PrivateOvs
    turns: Turns

    async def until(self, is_so: Callable[[], object]) -> float:
        """Seconds until it is so."""
        start = perf_counter()
        while not is_so():
            if perf_counter() - start > LIMIT_SECONDS:
                raise TimeoutError("It did not come to pass.")
            await deferLater(self.reactor, 0.0005)
        return perf_counter() - start

    def report(self, what: str, seconds: float) -> None:
        """Print how long something took, and the longest turn in it."""
        row(what, seconds * 1e3, "ms")
        row("  longest reactor turn, by the clock", self.turns.longest * 1e3, "ms")
        row("  longest reactor turn, as far as we computed", self.turns.longest_ours * 1e3, "ms")
        self.turns.start()

    async def transactions(self, idl: OvsIdl) -> None:
        """One key of external_ids at a time."""
        times = []
        for number in range(300):
            start = perf_counter()
            await idl.transact((EditBridgeIds("br-int", {"quantumd-n": str(number)}, frozenset()),))
            times.append(perf_counter() - start)
        row("  transaction p50", median(times) * 1e3, "ms")
        row("  transaction p95", quantiles(times, n=20)[-1] * 1e3, "ms")

    async def with_interfaces(self, count: int) -> None:
        """Load, change one, change all, restart the database."""
        self.add_interfaces(count)
        gc.collect()
        before = resident_mib()
        idl = OvsIdl(self.reactor, self.ovs.db)
        self.turns.start()
        idl.startService()
        self.report(f"{count} interfaces: first load", await self.until(lambda: idl.is_connected))
        row("  memory", resident_mib() - before, "MiB")
        await self.transactions(idl)
        self.turns.start()
        self.report("  all numbered anew (as after a restart of the switch)", await self.renumber(idl, count))
        self.ovs.kill("ovsdb-server")
        await self.until(lambda: not idl.is_connected)
        self.ovs.start_ovsdb()
        self.turns.start()
        self.report("  database restarted: known again", await self.until(lambda: idl.is_connected))
        await maybeDeferred(idl.stopService)

    async def renumber(self, idl: OvsIdl, count: int) -> float:
        """Have another process give every interface another number; seconds from its start."""
        heard: list[object] = []
        idl.on_interfaces(heard.extend)
        statement = {
            "op": "update",
            "table": "Interface",
            "where": [["type", "==", "patch"]],
            "row": {"ofport": count + 1},
        }
        client = subprocess.Popen(
            ("ovsdb-client", "transact", self.ovs.db, json.dumps(["Open_vSwitch", statement])),
            stdout=subprocess.DEVNULL,
        )
        self.turns.start()
        took = await self.until(lambda: len(heard) >= count)
        client.wait(10)
        return took

    def add_interfaces(self, count: int) -> None:
        """Make a bridge of so many interfaces like those of VMs."""
        self.ovs.vsctl("--no-wait", "--if-exists", "del-br", "br-int", "--", "add-br", "br-int")
        for first in range(0, count, 250):
            ports = " ".join(map(_port, range(first, min(first + 250, count))))
            run("ovs-vsctl", f"--db={self.ovs.db}", "--no-wait", *ports.split()[1:])


def _port(number: int) -> str:
    ids = {
        "iface-id": f"73f3d011-e270-476b-976d-{number:012d}",
        "iface-status": "active",
        "attached-mac": f"fa:16:3e:00:{number // 256:02x}:{number % 256:02x}",
        "vm-uuid": "73f3d011-e270-476b-976d-410aac87b69d",
    }
    columns = " ".join(f"external-ids:{key}={value}" for key, value in ids.items())
    name = f"tap{number:08d}"
    return f"-- add-port br-int {name} -- set Interface {name} type=patch ofport={number + 1} {columns}"


def resident_mib() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def import_milliseconds(module: str) -> float:
    """What importing a module adds to a process that has Twisted's service and thread modules already."""
    code = (
        "import time, uuid, orjson, twisted.application.service, twisted.internet.reactor, twisted.python.threadpool;"
        f"start = time.perf_counter(); import {module}; print((time.perf_counter() - start) * 1000)"
    )
    return min(float(run(sys.executable, "-c", code)) for _ in range(5))


async def main(reactor: Any) -> None:
    """Print the table."""
    row("import ovs.db.idl, after Twisted", import_milliseconds("ovs.db.idl"), "ms")
    row("import quantumd.edge.ovsdb.idl, after Twisted", import_milliseconds("quantumd.edge.ovsdb.idl"), "ms")
    row("import quantumd.edge.ovsdb.memory, after Twisted", import_milliseconds("quantumd.edge.ovsdb.memory"), "ms")
    sys.setswitchinterval(0.001)
    turns = Turns()
    beat = LoopingCall(turns.beat)
    ovs = PrivateOvs(Path(tempfile.mkdtemp(prefix="quantumd-bench-")))
    try:
        ovs.start()
        ovs.kill("ovs-vswitchd")
        (ovs.directory / "ovs-vswitchd.pid").unlink()
        beat.start(BEAT_SECONDS)
        for count in (200, 1000, 5000):
            await Bench(reactor, ovs, turns).with_interfaces(count)
    finally:
        if beat.running:
            beat.stop()
        ovs.stop()
        rmtree(ovs.directory)


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor)))

"""Streams of events: delay and memory while much is written."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.bars.bed import Row, stall_row, turns
from tests.bed.appliance import Appliance

STREAMS = 200
PROJECTS = 10
PER_SECOND = 100
SECONDS = 5
DELAY_MS = 100.0
MEMORY_KIB = 40 * 1024


def events_bar() -> Iterator[Row]:
    """200 streams of one project, then of ten of which one changes something, while 100 changes a second are made."""
    for what, projects in (("one project", 1), (f"{PROJECTS} projects", PROJECTS)):
        with tempfile.TemporaryDirectory(prefix="quantumd-bench-") as directory:
            appliance = Appliance(Path(directory), settings={"api.event_streams_per_caller": str(STREAMS)})
            try:
                appliance.start()
                yield from _measured(appliance, what, projects)
            finally:
                appliance.close()


def _measured(appliance: Appliance, what: str, projects: int) -> Iterator[Row]:
    writer = _headers(0)
    made = appliance.request("POST", "/v2.0/networks", {"network": {}}, writer).body["network"]
    before = appliance.pss_kib()
    # Only those who hear what is written are counted; the others are there.
    quiet = [_headers(1 + number % (projects - 1)) for number in range(STREAMS - STREAMS // projects) if projects > 1]
    cpu_before = appliance.cpu_seconds()
    told = _load(
        port=appliance.port, streams=[writer] * (STREAMS // projects), silent=quiet, network_id=made["id"],
        headers=writer, writes=PER_SECOND * SECONDS, per_second=PER_SECOND,
    )  # fmt: skip
    cpu = appliance.cpu_seconds() - cpu_before
    grown = appliance.pss_kib() - before
    delays = f"{told['p50_ms']:.0f}, {told['p99_ms']:.0f}, {told['max_ms']:.0f} ms"
    name = f"{STREAMS} streams of {what}, {PER_SECOND} changes/s"
    yield Row(f"{name}: delay p50, p99, max", f"p99 < {DELAY_MS:.0f} ms", delays, told["p99_ms"] < DELAY_MS)
    yield Row(
        "  events that came", "all", f"{told['events']} of {told['expected']}", told["events"] == told["expected"]
    )
    yield Row("  changes a second", f"{PER_SECOND}", f"{PER_SECOND * SECONDS / told['seconds']:.0f}", None)
    yield Row("  server CPU per change, and per event", "-", _costs(cpu, told["events"]), None)
    yield Row("  memory (PSS) more than before", "< 40 MiB", f"{grown / 1024:.1f} MiB", grown < MEMORY_KIB)
    yield stall_row("the streams", *turns(appliance))


def _costs(cpu_seconds: float, events: int) -> str:
    return f"{cpu_seconds / (PER_SECOND * SECONDS) * 1e3:.1f} ms, {cpu_seconds / events * 1e6:.0f} us"


def _headers(number: int) -> dict[str, str]:
    return {"X-Project-Id": f"project-{number}", "X-Roles": "member"}


def _load(**wanted: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.bars.event_load"]
    done = subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True, check=True, timeout=150)
    told: dict[str, Any] = json.loads(done.stdout)
    return told

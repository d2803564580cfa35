"""What is loaded to run quantumd, and what that costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.bed.figures import note
from tests.bed.needs import CHECKOUT

PARTS = (
    "twisted.internet.reactor",
    "klein",
    "sqlalchemy",
    "ovs.db.idl",
    "prometheus_client",
    "quantumd.server",
    "quantumd.l2.drivers.ovs.driver",
)
FORBIDDEN = ("eventlet", "uvloop", "alembic", "pytest", "os_ken", "pyroute2")
"""Event loops of others, and what only an upgrade or a test needs."""

PROGRAM = """
import importlib, json, sys, time
def pss():
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
costs, memory = [["python", pss(), 0.0]], pss()
for name in sys.argv[1:]:
    began = time.perf_counter()
    importlib.import_module(name)
    costs.append([name, pss() - memory, time.perf_counter() - began])
    memory = pss()
print(json.dumps([costs, sorted(sys.modules)]))
"""


class ImportTests(SynchronousTestCase):
    """``import quantumd.server`` in a fresh process."""

    def test_the_cost_of_each_part_is_printed_and_nothing_unwanted_is_loaded(self) -> None:
        """Memory and time that each large part adds, in this order."""
        done = subprocess.run(
            (sys.executable, "-c", PROGRAM, *PARTS), env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        costs, modules = json.loads(done.stdout)
        for name, kib, seconds in costs:
            note(f"import {name:28} {kib / 1024:6.1f} MiB {seconds * 1000:7.0f} ms")
        self.assertEqual([name for name in FORBIDDEN if name in modules], [])
        self.assertLess(sum(kib for _, kib, _ in costs), 80 * 1024)

"""How often the store flushes the disk, as the kernel sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from quantumd.store.schema import ensure_schema
from tests.bed.needs import CHECKOUT, missing
from tests.store.scribe import CLIENTS


class FlushTests(SynchronousTestCase):
    """A process with eight clients that write at once."""

    skip = missing("strace", root=False)

    def test_changes_share_flushes(self) -> None:
        """There are flushes, and fewer than half as many as durable changes."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-flush-")
        self.addCleanup(folder.cleanup)
        url = f"sqlite:///{os.path.join(folder.name, 'store.db')}"
        ensure_schema(url)
        trace = os.path.join(folder.name, "trace")
        watched = ["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-o", trace]
        writing = [sys.executable, "-m", "tests.store.scribe", url, "x", "25"]
        said = subprocess.run([*watched, *writing], cwd=CHECKOUT, capture_output=True, check=True, timeout=60).stdout
        with open(trace, encoding="utf-8") as file:
            flushes = sum("sync(" in line for line in file)
        changes = len(said.split())
        self.assertEqual(changes, CLIENTS * 25)
        self.assertGreater(flushes, 0)
        self.assertLess(flushes, changes // 2)

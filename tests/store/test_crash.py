"""What was acknowledged is there after a crash, and processes share a file."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from typing import IO

import pytest
from twisted.trial.unittest import SynchronousTestCase

from quantumd.store.schema import ensure_schema
from tests.bed.counts import count
from tests.bed.needs import CHECKOUT
from tests.store.scribe import CLIENTS

ENDLESS = 1_000_000


class ProcessTests(SynchronousTestCase):
    """Processes that write."""

    def setUp(self) -> None:
        """Make a database."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-crash-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "store.db")
        ensure_schema(f"sqlite:///{self.path}")

    def _start(self, name: str, most: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.store.scribe", f"sqlite:///{self.path}", name, str(most)]
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE)
        self.addCleanup(self._end, process)
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()

    def _stored(self, statement: str = "SELECT name FROM cursors") -> set[str]:
        with closing(sqlite3.connect(self.path)) as connection:
            return {row[0] for row in connection.execute(statement)}

    @pytest.mark.time_limit(900)
    def test_every_acknowledged_change_survives_kill(self) -> None:
        """A writer is killed at random moments; whatever it had acknowledged is in the database, with its journal."""
        chance = random.Random(7)
        for attempt in range(count(sampled=5, full=100)):
            process = self._start(f"run{attempt}", ENDLESS)
            pipe = process.stdout
            acknowledged = [_line(pipe) for _ in range(chance.randrange(1, 400))]
            process.kill()
            acknowledged += [line.decode() for line in process.communicate()[0].split()]
            self.assertEqual(set(acknowledged) - self._stored(), set())
            self.assertEqual(self._stored(), self._stored("SELECT resource_id FROM journal"))
        self.assertEqual(self._stored("PRAGMA integrity_check"), {"ok"})

    def test_two_processes_write_one_file(self) -> None:
        """Two processes that write at once both succeed, and the positions of the journal are one sequence."""
        each = 40
        writers = [self._start(name, each) for name in ("a", "b")]
        answers = [set(writer.communicate(timeout=60)[0].split()) for writer in writers]
        self.assertEqual([len(answer) for answer in answers], [CLIENTS * each] * 2)
        self.assertEqual(len(self._stored()), 2 * CLIENTS * each)
        self.assertEqual(self._stored("SELECT position FROM journal"), set(range(1, 2 * CLIENTS * each + 1)))


def _line(pipe: IO[bytes] | None) -> str:
    return pipe.readline().decode().strip() if pipe is not None else ""

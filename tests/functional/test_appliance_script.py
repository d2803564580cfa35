"""``make run`` and ``make stop``, as the Makefile calls them, on memory edges."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.needs import CHECKOUT, missing


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


class ApplianceScriptTests(SynchronousTestCase):
    """The appliance script."""

    skip = missing("bash", "setsid", root=False)

    def setUp(self) -> None:
        """A state directory and a port of our own."""
        self.state = Path(self.mktemp()).resolve()
        self.port = free_port()
        self.addCleanup(self.appliance, "stop")

    def appliance(self, action: str) -> subprocess.CompletedProcess[str]:
        """Run the script and wait for it."""
        environment = {
            **os.environ, "VENV": str(Path(sys.executable).parents[1]), "STATE": str(self.state), "HOST": "127.0.0.1",
            "PORT": str(self.port), "EDGES": "memory", "OVS_RUN_DIR": "/nowhere", "CONFIG": "",
            "PYTHONPATH": str(CHECKOUT),
        }  # fmt: skip
        # A file, not a pipe: the daemon must not hold on to what the script was given.
        with Path(f"{self.state}.out").open("w+") as out:
            done = subprocess.run(
                (str(CHECKOUT / "conf" / "appliance"), action), env=environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, text=True, timeout=60, check=False,
            )  # fmt: skip
            out.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, out.read(), "")

    def pid(self) -> int:
        """Return what the pid file says."""
        return int((self.state / "quantumd.pid").read_text())

    @pytest.mark.slow
    def test_starting_twice_is_harmless_and_stop_ends_it(self) -> None:
        """The second start says that it runs, and so does the process."""
        first = self.appliance("start")
        self.assertEqual(first.returncode, 0, first.stdout)
        self.assertIn(f"http://127.0.0.1:{self.port}", first.stdout)
        pid = self.pid()
        second = self.appliance("start")
        self.assertEqual((second.returncode, self.pid()), (0, pid), second.stdout)
        self.assertIn(f"quantumd runs already, process {pid}.", second.stdout)
        stopped = self.appliance("stop")
        self.assertEqual((stopped.returncode, stopped.stdout), (0, "quantumd stopped.\n"))
        self.assertFalse(Path(f"/proc/{pid}").exists())

    def test_stopping_what_does_not_run_is_harmless(self) -> None:
        """And says so."""
        done = self.appliance("stop")
        self.assertEqual((done.returncode, done.stdout), (0, "quantumd does not run.\n"))

    def test_a_port_that_is_taken_is_said(self) -> None:
        """With the reason from the log."""
        with socket.create_server(("127.0.0.1", self.port)):
            done = self.appliance("start")
        self.assertEqual(done.returncode, 1)
        self.assertIn("did not answer", done.stdout)

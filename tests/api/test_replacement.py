"""A process is replaced under load, on one listening socket that its parent holds."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

_SECONDS = 20.0
_ROOT = Path(__file__).parents[2]


@define
class Load:
    """Clients that ask without pause until they are told to stop, and note what went wrong."""

    port: int
    answered: int = 0
    closed_politely: int = 0
    errors: list[str] = field(factory=list)
    _is_over: threading.Event = field(factory=threading.Event)
    _threads: list[threading.Thread] = field(factory=list)

    def start(self) -> None:
        """Start clients that keep their connections, and clients that connect anew for each request."""
        for run in (self._keep, self._keep, self._keep, self._renew):
            thread = threading.Thread(target=self._guard, args=(run,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop all clients."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(_SECONDS)

    def _guard(self, run: Callable[[], None]) -> None:
        while not self._is_over.is_set():
            try:
                run()
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(repr(error))

    def _keep(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        while not self._is_over.is_set():
            self._ask(connection)
        connection.close()

    def _renew(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        self._ask(connection)
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        connection.request("GET", "/v2.0/extensions")
        answer = connection.getresponse()
        answer.read()
        self.answered += 1
        if answer.status != 200:
            self.errors.append(str(answer.status))
        if answer.getheader("Connection") == "close":
            self.closed_politely += 1


# sd_listen_fds(3): the socket is descriptor 3, and the variables are set in the process that becomes the server.
_LIKE_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="api")
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
_WITHOUT_PID = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


class ReplacementTests(SynchronousTestCase):
    """Restarts that clients do not notice."""

    def setUp(self) -> None:
        """Listen as systemd would, and have clients ready."""
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.addCleanup(self.listening.close)
        self.load = Load(self.listening.getsockname()[1])
        self.addCleanup(self.load.stop)

    def serve(self, launcher: str) -> subprocess.Popen[str]:
        """Start a process on the socket and wait until it serves."""
        descriptor = self.listening.fileno()
        command = [sys.executable, "-c", launcher, str(descriptor), "-m", "tests.api.serve_widgets"]
        process = subprocess.Popen(command, pass_fds=(descriptor,), stdout=subprocess.PIPE, text=True, cwd=_ROOT)
        self.addCleanup(_end, process)
        said = process.stdout.readline() if process.stdout is not None else ""
        self.assertEqual(said, "ready\n")
        return process

    def test_no_request_is_refused_or_broken_when_a_process_is_replaced(self) -> None:
        """A restart under socket activation refuses and breaks no request, on kept and on new connections."""
        process = self.serve(_LIKE_SYSTEMD)
        self.load.start()
        successor = self.serve(_LIKE_SYSTEMD)
        process.terminate()
        first = process.wait(_SECONDS)
        self.serve(_LIKE_SYSTEMD)
        successor.terminate()
        second = successor.wait(_SECONDS)
        self.load.stop()
        self.assertEqual((self.load.errors, first, second), ([], 0, 0))
        self.assertGreater(self.load.answered, 200)
        self.assertGreaterEqual(self.load.closed_politely, 2)

    def test_requests_wait_in_the_passed_socket_while_no_process_runs(self) -> None:
        """Stopping before starting refuses no connection either: what comes between waits for the next process."""
        process = self.serve(_WITHOUT_PID)
        self.load.start()
        process.terminate()
        process.wait(_SECONDS)
        self.serve(_WITHOUT_PID)
        self.load.stop()
        self.assertEqual(self.load.errors, [])
        self.assertGreater(self.load.answered, 0)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=_SECONDS)

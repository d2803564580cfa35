"""Run by the client environment's Python: the ``openstack`` program, ready to run.

Given a path it listens there on a UNIX socket. The ``openstack`` that ``write_program`` makes asks it for a process
which is a fork of this one: it has the caller's words, environment, directory and standard streams, and the client's
modules in memory. That saves the start of the client, which takes most of the time of a command; the client is
unmodified.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

_PROGRAM = """#!{python} -ISE
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.connect({path!r})
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [b"%10d" % len(said)], [0, 1, 2])
server.sendall(said)
sys.exit(int(server.recv(10) or b"70"))
"""
_LENGTH_BYTES = 10
_DESCRIPTORS = 3


def write_program(program: Path, server: Path) -> None:
    """Write an ``openstack`` that asks the server at a path."""
    program.write_text(_PROGRAM.format(python=sys.executable, path=str(server)))
    program.chmod(0o700)


def run(words: list[str]) -> int:
    """Run a command as the ``openstack`` program does."""
    from openstackclient import shell  # type: ignore[import-not-found]

    try:
        return int(shell.main(words) or 0)
    except SystemExit as exit_:
        return int(exit_.code or 0)


def serve(path: str) -> None:
    """Serve until standard input closes."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for words in (["--help"], ["network", "list", "--help"]):
            run(words)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(64)
    watcher = os.fork()
    if watcher == 0:
        # Whoever started us has gone when its pipe closes.
        listener.close()
        sys.stdin.read()
        os.kill(os.getppid(), signal.SIGTERM)
        os._exit(0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        caller, _ = listener.accept()
        with caller:
            if os.fork() == 0:
                listener.close()
                _attend(caller)


def _attend(caller: socket.socket) -> None:
    """Be one run of the program, in a process of its own; tell the caller how it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, descriptors, _, _ = socket.recv_fds(caller, _LENGTH_BYTES, _DESCRIPTORS)
    said = b""
    while len(said) < int(head):
        said += caller.recv(65_536)
    words, directory, environment = json.loads(said)
    child = os.fork()
    if child == 0:
        caller.close()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(directory)
        os.environ.clear()
        os.environ.update(environment)
        status = run(words)
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    _, ended = os.waitpid(child, 0)
    caller.sendall(b"%d" % os.waitstatus_to_exitcode(ended))
    os._exit(0)


if __name__ == "__main__":
    write_program(Path(sys.argv[1]), Path(sys.argv[2]))
    serve(sys.argv[2])

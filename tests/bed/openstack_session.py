"""Run by the client environment's Python: one command of the unmodified ``openstack`` client per line of input.

Each line is a JSON list of words; the answer is a JSON list of exit status, standard output and standard error. It
saves the start of the client, which takes most of the time of a command.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from openstackclient import shell  # type: ignore[import-not-found]


def run(words: list[str]) -> tuple[int, str, str]:
    """Run a command as the ``openstack`` program does."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        try:
            status = int(shell.main(words))
        except SystemExit as exit_:
            status = int(exit_.code or 0)
    return status, out.getvalue(), error.getvalue()


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(json.loads(line))) + "\n")
        sys.stdout.flush()

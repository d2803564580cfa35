"""The unmodified ``openstack`` client, from its own environment: without authentication, or as a user of Keystone."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.bed.needs import PREFIX, environment_python

_SESSION = Path(__file__).with_name("openstack_session.py")
_LIMIT_SECONDS = 60.0


def missing_client() -> str | None:
    """Return why the client cannot run here, or None: for the ``skip`` attribute of a trial test case."""
    return None if environment_python("client") else f"{PREFIX}the client's environment (make test)"


class ClientError(Exception):
    """A command that should have worked did not; what it said is the message."""


@frozen
class Said:
    """What a command ended with."""

    status: int
    output: str
    error: str


@define
class OpenStackClient:
    """One process of the client, which runs command after command until ``close()``.

    ``url`` is where the API is; with ``login``, what the client finds in its environment to log in, the catalogue says.
    """

    url: str
    login: Mapping[str, str] | None = None
    _process: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def environment(self) -> dict[str, str]:
        """What the client finds in its environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        return {**kept, **(self.login or {"OS_AUTH_TYPE": "none", "OS_ENDPOINT": self.url})}

    def start(self) -> None:
        """Start the client."""
        self._process = subprocess.Popen(
            (str(environment_python("client")), str(_SESSION)), env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.communicate(timeout=_LIMIT_SECONDS)

    def say(self, *words: str) -> Said:
        """Run a command."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise ClientError("the client was not started")
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return Said(*json.loads(self._process.stdout.readline()))

    def __call__(self, *words: str) -> Any:
        """Run a command that must work and return what it prints as JSON, None when it prints nothing."""
        is_silent = {"delete", "set", "unset"} & set(words[:2])
        said = self.say(*words, *(() if is_silent else ("-f", "json")))
        if said.status != 0:
            raise ClientError(f"openstack {' '.join(words)}: {said.error}")
        return json.loads(said.output) if said.output.strip() else None

    def run_program(self, *words: str) -> Said:
        """Run the ``openstack`` program itself, once."""
        python = environment_python("client")
        if python is None:
            raise ClientError("the client is not installed")
        done = subprocess.run(
            (str(python.with_name("openstack")), *words), env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

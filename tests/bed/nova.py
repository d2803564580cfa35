"""Nova's own client code in a process of its own, and os-vif; for what Nova is told see compute_api."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

from attrs import define, field, frozen

from tests.bed.keystone import REGION, Keystone, User
from tests.bed.needs import PREFIX, environment_python

_RUN = Path(__file__).with_name("nova_run.py")
_OS_VIF = Path(__file__).with_name("os_vif_run.py")
_LIMIT_SECONDS = 60.0


def missing_nova() -> str | None:
    """Return why Nova's code cannot run here, or None: for the ``skip`` attribute of a trial test case."""
    return None if environment_python("nova") else f"{PREFIX}Nova's environment (make test)"


class NovaError(Exception):
    """Nova's code raised an exception; ``name`` is its class."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


@frozen
class Server:
    """A server of a user."""

    id: str
    host: str
    name: str


@define(eq=False)
class Nova:
    """Nova's network API, as its compute service uses it: with a user of its own, and servers of users."""

    keystone: Keystone
    home: Path
    service: User
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _answers: TextIO | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it; takes some seconds."""
        ours, theirs = os.pipe()
        command = (str(environment_python("nova")), "-P", "-W", "ignore", str(_RUN), str(theirs))
        with (self.home / "nova.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, text=True, stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=(theirs,),
                start_new_session=True, cwd=self.home,
            )  # fmt: skip
        os.close(theirs)
        self._answers = os.fdopen(ours)
        self._ask({
            "home": str(self.home),
            "auth_url": self.keystone.url,
            "region": REGION,
            "user": self.service.name,
            "password": self.service.password,
            "project": self.service.project.name if self.service.project else "",
        })  # fmt: skip

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            try:
                self._process.communicate(timeout=_LIMIT_SECONDS)
            finally:
                self._process.kill()
        if self._answers is not None:
            self._answers.close()

    def call(self, do: str, server: Server, **named: Any) -> Any:
        """Make a call (quantumd's tests/bed/nova_run.py has them all). NovaError when Nova raises."""
        return self._ask({"do": do, "server": server.id, **named})

    def make_server(self, user: User, url: str, host: str) -> Server:
        """Make a server that a user has asked for."""
        server = Server(str(uuid4()), host, f"vm-{uuid4().hex[:6]}")
        token, project = self.keystone.token(user), user.project.id if user.project else ""
        self.call("server", server, token=token, user=user.id, project=project, url=url, host=host, name=server.name)
        return server

    def _ask(self, wanted: Any) -> Any:
        if self._process is None or self._process.stdin is None or self._answers is None:
            raise NovaError("NotStarted", "")
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        line = self._answers.readline()
        if not line:
            raise NovaError("Ended", (self.home / "nova.log").read_text()[-4000:])
        answer = json.loads(line)
        if "error" in answer:
            raise NovaError(answer["error"], answer["why"])
        return answer["result"]


def os_vif(do: str, vif: Any, server: Server, ovsdb: str, namespace: str) -> str:
    """Let os-vif ``plug`` or ``unplug`` in the namespace of a switch; return the name of the device."""
    wanted = {"do": do, "vif": vif, "server": server.id, "name": server.name, "ovsdb": ovsdb}
    done = subprocess.run(
        ("ip", "netns", "exec", namespace, str(environment_python("nova")), "-P", "-W", "ignore", str(_OS_VIF)),
        input=json.dumps(wanted) + "\n", capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise NovaError(do, done.stderr[-4000:])
    return done.stdout.strip()

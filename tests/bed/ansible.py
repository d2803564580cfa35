"""Ansible with the collection ``openstack.cloud``, from its own environment, on the clouds of a ``clouds.yaml``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, frozen

from tests.bed.needs import PREFIX, environment_python

_LIMIT_SECONDS = 600.0


def missing_ansible() -> str | None:
    """Return why Ansible cannot run here, or None: for the ``skip`` attribute of a trial test case."""
    return None if environment_python("ansible") else f"{PREFIX}Ansible's environment (make test)"


class PlaybookError(Exception):
    """A playbook failed; what its tasks said is the message."""


@frozen
class Task:
    """What came of a task."""

    name: str
    is_changed: bool


@define
class Ansible:
    """Runs playbooks in ``home``; ``environment`` is what its modules find beside."""

    home: Path
    environment: Mapping[str, str]

    def play(self, playbook: Path) -> list[Task]:
        """Run a playbook and return what came of its tasks; PlaybookError when one fails."""
        python = environment_python("ansible")
        # Without one of our own that of the machine would hold.
        (self.home / "ansible.cfg").touch()
        program = Path(str(python)).with_name("ansible-playbook")
        done = subprocess.run(
            (str(program), "-c", "local", "-i", "localhost,", "-e", f"ansible_python_interpreter={python}",
             str(playbook)),
            cwd=self.home, env={**self.environment, **self._settings()}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False,
        )  # fmt: skip
        try:
            told = json.loads(done.stdout[done.stdout.index("{") :])
        except ValueError:
            raise PlaybookError(f"{done.stdout[-2000:]} {done.stderr[-2000:]}") from None
        tasks = [each for play in told["plays"] for each in play["tasks"]]
        if done.returncode != 0:
            raise PlaybookError(str([_failure(each) for each in tasks[-1:]]))
        return [Task(each["task"]["name"], bool(_result(each)["changed"])) for each in tasks]

    def _settings(self) -> dict[str, str]:
        return {
            "ANSIBLE_CONFIG": str(self.home / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.home / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "LC_ALL": "C.UTF-8",
        }


def _result(task: Any) -> dict[str, Any]:
    result: dict[str, Any] = task["hosts"]["localhost"]
    return result


def _failure(task: Any) -> tuple[str, str]:
    result = _result(task)
    return task["task"]["name"], str(result.get("msg"))

"""The functional network tests that ship with openstacksdk and python-openstackclient, against a real quantumd.

They find two clouds as they expect them: those that DevStack makes, with an admin, a system admin and two projects.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.bed.appliance import Appliance
from tests.bed.keystone import REGION, Keystone, Project, User
from tests.bed.needs import environment_python

SDK = ("openstack.tests.functional.network.v2", "openstack.tests.functional.cloud.test_network")
CLIENT = ("openstackclient.tests.functional.network.v2",)
MENDED_SDK = ("mended_sdk",)
MENDED_CLIENT = ("mended_client",)

ALONE = (
    "openstack.tests.functional.cloud.test_network.TestNetworkQuotas.",
    "openstack.tests.functional.cloud.test_network.TestQosPolicy.",
    "openstack.tests.functional.network.v2.test_default_security_group_rule.",
    "openstack.tests.functional.network.v2.test_quota.",
    "openstackclient.tests.functional.network.v2.test_default_security_group_rule.",
)
"""Tests that change what others are given by default, so that they run after them."""

BY_ADMIN = (
    "openstack.tests.functional.network.v2.test_agent",
    "openstack.tests.functional.network.v2.test_tap_mirror.",
)
"""Tests of what only admins see or make that nevertheless ask as the suite's user: it is the admin then."""

_POOLS = (
    {"name": "shared-default-subnetpool-v4", "prefixes": ["10.0.0.0/8"], "default_prefixlen": "26"},
    {"name": "shared-default-subnetpool-v6", "prefixes": ["fd00:8d1c:2b5f::/56"], "default_prefixlen": "64"},
)
_SETTINGS = {
    "api.preview": "true",
    # The physical network on which DevStack makes its public network.
    "l2.bridge_mappings": '["public:br-ex"]',
    "network.vlan_ranges": '["public:3000:3999"]',
    # Tests add one to the limits of users; other tests of this checkout have none.
    "quota.network": "100",
    "quota.subnet": "100",
    "quota.port": "500",
}
_SHELL = Path(__file__).with_name("client_shell.py")
_RUN = Path(__file__).with_name("client_suite_run.py")
_TEST_SECONDS = "90"
_CLOSE_SECONDS = 10.0


class SuiteError(Exception):
    """The tests could not be run; what they said is the message."""


@frozen
class Outcome:
    """What came of one test: passed, skipped or failed, and why."""

    test: str
    outcome: str
    why: str
    seconds: float


@define(eq=False)
class Cloud:
    """A quantumd on memory edges whose callers a Keystone knows, and what clients need to find both."""

    keystone: Keystone
    home: Path
    settings: Mapping[str, str] = field(factory=dict)
    _appliance: Appliance | None = field(default=None, init=False)
    _shell: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def appliance(self) -> Appliance:
        """The quantumd."""
        if self._appliance is None:
            raise SuiteError("it was not started")
        return self._appliance

    def start(self) -> None:
        """Start quantumd, name it in the catalogue, write ``clouds.yaml``."""
        keystone = self.keystone
        service = keystone.make_user("service", project=keystone.make_project())
        asked = keystone.settings(service, self.home / "password")
        self._appliance = Appliance(self.home / "quantumd", settings={**_SETTINGS, **asked, **self.settings})
        self.appliance.start("/readyz")
        keystone.publish(self.appliance.url)
        demo, other = (self._user(name) for name in ("demo", "alt_demo"))
        admin = keystone.admin
        clouds = {
            "devstack": _cloud(keystone, demo, demo.project),
            "devstack-alt": _cloud(keystone, other, other.project),
            "devstack-admin": _cloud(keystone, admin, admin.project),
            "devstack-system-admin": _cloud(keystone, admin, None),
        }
        # YAML reads JSON.
        file = self.home / "clouds.yaml"
        file.touch(mode=0o600)
        file.write_text(json.dumps({"clouds": clouds}))
        self._make_what_stands_ready()

    def _user(self, name: str) -> User:
        # Tests look for a project by this name; the Keystone may have it from another cloud.
        keystone = self.keystone
        found = keystone.call("GET", f"/projects?name={name}")["projects"]
        project = Project(found[0]["id"], name) if found else keystone.make_project(name)
        return keystone.make_user("member", project=project)

    def _make_what_stands_ready(self) -> None:
        network = {"name": "public", "router:external": True, "is_default": True}
        made = self._make("networks", {"network": network})["network"]
        subnet = {"network_id": made["id"], "ip_version": 4, "cidr": "172.24.4.0/24", "enable_dhcp": False}
        self._make("subnets", {"subnet": subnet})
        for pool in _POOLS:
            self._make("subnetpools", {"subnetpool": {**pool, "shared": True, "is_default": True}})

    def _make(self, collection: str, body: Any) -> Any:
        headers = {"X-Auth-Token": self.keystone.token(self.keystone.admin)}
        answer = self.appliance.request("POST", f"/v2.0/{collection}", body, headers)
        if answer.status != 201:
            raise SuiteError(f"{collection} {body}: {answer.status} {answer.body}")
        return answer.body

    def close(self) -> None:
        """End what was started."""
        if self._shell is not None:
            self._shell.communicate(timeout=_CLOSE_SECONDS)
        if self._appliance is not None:
            self._appliance.close()

    def environment(self, user: str = "devstack") -> dict[str, str]:
        """What the clients find in their environment; ``user`` is the cloud whose user is the SDK's tests' user."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "OPENSTACK"))}
        programs = f"{self.home / 'bin'}{os.pathsep}{kept.get('PATH', os.defpath)}"
        return {
            **kept,
            "HOME": str(self.home),
            "PATH": programs,
            "OS_CLIENT_CONFIG_FILE": str(self.home / "clouds.yaml"),
            "OS_CLOUD": "devstack-admin",
            "OPENSTACKSDK_DEMO_CLOUD": user,
            "OS_TEST_TIMEOUT": _TEST_SECONDS,
            "OPENSTACKSDK_FUNC_TEST_TIMEOUT": "20",
            "OS_STDOUT_CAPTURE": "1",
            "OS_STDERR_CAPTURE": "1",
            "OS_LOG_CAPTURE": "1",
            "PYTHONWARNINGS": "ignore",
        }

    def start_program(self) -> None:
        """Have the ``openstack`` program ready for the tests that run it."""
        (self.home / "bin").mkdir()
        self._shell = subprocess.Popen(
            (str(environment_python("client")), "-P", str(_SHELL), "bin/openstack", str(self.home / "shell")),
            cwd=self.home, env=self.environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if self._shell.stdout is None or self._shell.stdout.readline() != "ready\n":
            raise SuiteError("the client does not start")

    def run(self, modules: Iterable[str], only: Iterable[str] = (), workers: int = 2) -> list[Outcome]:
        """Run the tests of modules, or those of them whose ids begin so; return what came of each."""
        wanted = {"modules": list(modules), "only": list(only), "alone": (*ALONE, *BY_ADMIN)}
        with ThreadPoolExecutor(workers) as threads:
            running = [
                threads.submit(self._work, {**wanted, "worker": number, "workers": workers})
                for number in range(workers)
            ]
            outcomes = [each for done in running for each in done.result()]
        late = {**wanted, "worker": 0, "workers": 0}
        outcomes += self._work({**late, "alone": ALONE})
        outcomes += self._work({**late, "alone": BY_ADMIN}, "devstack-admin")
        return sorted(outcomes, key=lambda each: each.test)

    def _work(self, wanted: Any, user: str = "devstack") -> list[Outcome]:
        with tempfile.TemporaryFile("w+", dir=self.home) as told, tempfile.TemporaryFile("w+", dir=self.home) as said:
            number = told.fileno()
            done = subprocess.run(
                (str(environment_python("client")), "-P", str(_RUN), str(number)), input=json.dumps(wanted) + "\n",
                cwd=self.home, env=self.environment(user), text=True, stdout=said, stderr=said, pass_fds=(number,),
                check=False,
            )  # fmt: skip
            told.seek(0)
            said.seek(0)
            if done.returncode != 0:
                raise SuiteError(f"the tests ended with {done.returncode}: {said.read()[-2000:]}")
            lines = [json.loads(line) for line in told]
        return [Outcome(line["id"], line["outcome"], line["why"], line["seconds"]) for line in lines]


def _cloud(keystone: Keystone, user: User, project: Project | None) -> Any:
    auth = {"auth_url": keystone.url, "username": user.name, "password": user.password, "user_domain_id": "default"}
    scope = {"system_scope": "all"} if project is None else {"project_id": project.id}
    return {
        "auth": {**auth, **scope}, "region_name": REGION, "identity_api_version": "3", "network_api_version": "2",
    }  # fmt: skip

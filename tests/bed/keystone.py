"""A real Keystone on the loopback, from its own environment, and what tests ask of it as its admin."""

from __future__ import annotations

import atexit
import json
import subprocess
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from attrs import define, field, frozen

from tests.bed.needs import PREFIX, environment_python

REGION = "RegionOne"
_SERVER = Path(__file__).with_name("keystone_server.py")
_LIMIT_SECONDS = 30.0


def missing_keystone() -> str | None:
    """Return why Keystone cannot run here, or None: for the ``skip`` attribute of a trial test case."""
    return None if environment_python("keystone") else f"{PREFIX}Keystone's environment (make test)"


class KeystoneError(Exception):
    """Keystone did not do what it was told; what it answered is the message."""


@frozen
class Project:
    """A project, in the domain Default."""

    id: str
    name: str


@frozen
class User:
    """A user with a password and a project to which tokens are scoped unless another scope is asked for."""

    id: str
    name: str
    password: str = field(repr=False)
    project: Project | None = None


@define(eq=False)
class Keystone:
    """One Keystone with an admin and the roles admin, manager, member, reader and service."""

    token_seconds: int = 7200
    """How long its tokens are valid; for an hour after that they are for services."""
    url: str = field(default="", init=False)
    """The root of version 3 of its API."""
    admin: User = field(init=False)
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _admin_token: str = field(default="", init=False)
    _admin_login: Any = field(default=None, init=False, repr=False)
    _roles: dict[str, str] = field(factory=dict, init=False)

    def start(self) -> None:
        """Start it and wait until it answers, which takes a few seconds."""
        password = uuid4().hex
        command = (str(environment_python("keystone")), "-P", "-W", "ignore", str(_SERVER))
        self._process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        if self._process.stdin is None or self._process.stdout is None:
            raise KeystoneError("it has no pipes")
        self._process.stdin.write(json.dumps({"password": password, "token_seconds": self.token_seconds}) + "\n")
        self._process.stdin.flush()
        ready = self._process.stdout.readline()
        if not ready:
            raise KeystoneError(f"it ended with {self._process.wait(_LIMIT_SECONDS)}")
        self.url = json.loads(ready)["url"]
        body = _login("admin", password, {"project": {"name": "admin", "domain": {"id": "default"}}})
        token, document = self._issue(body)
        self._admin_token = token
        self._admin_login = body
        project = Project(document["project"]["id"], "admin")
        self.admin = User(document["user"]["id"], "admin", password, project)
        self._roles = {role["name"]: role["id"] for role in self.call("GET", "/roles")["roles"]}

    def close(self) -> None:
        """End it; its directory goes with it."""
        if self._process is None:
            return
        try:
            self._process.communicate(timeout=_LIMIT_SECONDS)
        finally:
            self._process.kill()
            self._process = None

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Make a request as the admin and return what it answers; KeystoneError when that is no success."""
        said = headers or {}
        status, _, answer = self._send(method, path, body, {"X-Auth-Token": self._admin_token, **said})
        if status == 401:
            self._admin_token = self._issue(self._admin_login)[0]
            status, _, answer = self._send(method, path, body, {"X-Auth-Token": self._admin_token, **said})
        if not 200 <= status < 300:
            raise KeystoneError(f"{method} {path}: {status} {answer}")
        return answer

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any, Any]:
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_LIMIT_SECONDS)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, parts.path + path, content, {"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            raw = response.read()
            return response.status, response.headers, json.loads(raw) if raw else None
        finally:
            connection.close()

    def _issue(self, body: Any) -> tuple[str, Any]:
        status, headers, answer = self._send("POST", "/auth/tokens", body, {})
        if status != 201:
            raise KeystoneError(f"no token: {status} {answer}")
        return headers["X-Subject-Token"], answer["token"]

    def make_project(self, name: str = "") -> Project:
        """Create a project; without a name it gets one of its own."""
        wanted = {"name": name or f"project-{uuid4().hex[:8]}", "domain_id": "default"}
        made = self.call("POST", "/projects", {"project": wanted})["project"]
        return Project(made["id"], made["name"])

    def make_user(self, *roles: str, project: Project | None = None, name: str = "") -> User:
        """Create a user with roles in a project, which is a new one unless it is given."""
        home = project or self.make_project()
        password = uuid4().hex
        wanted = {"name": name or f"user-{uuid4().hex[:8]}", "domain_id": "default", "password": password}
        made = self.call("POST", "/users", {"user": wanted})["user"]
        user = User(made["id"], made["name"], password, home)
        for role in roles:
            self.grant(user, role, f"/projects/{home.id}")
        return user

    def delete_user(self, user: User) -> None:
        """Delete a user; its tokens end."""
        self.call("DELETE", f"/users/{user.id}")

    def grant(self, user: User, role: str, on: str) -> None:
        """Give a role on ``/projects/<id>``, ``/domains/<id>`` or ``/system``."""
        self.call("PUT", f"{on}/users/{user.id}/roles/{self._roles[role]}")

    def revoke(self, user: User, role: str, on: str) -> None:
        """Take a role away."""
        self.call("DELETE", f"{on}/users/{user.id}/roles/{self._roles[role]}")

    def token(self, user: User, scope: Any = None) -> str:
        """Return a new token; the scope, as the API has it, is the user's project unless it is given."""
        if scope is None and user.project is not None:
            scope = {"project": {"id": user.project.id}}
        return self._issue(_login(user.name, user.password, scope))[0]

    def restricted_token(self, user: User, method: str, path: str) -> str:
        """Return a token of an application credential of the user's, whose access rule lets it make one request."""
        rules = [{"service": "network", "method": method, "path": path}]
        wanted = {"application_credential": {"name": uuid4().hex, "access_rules": rules}}
        said = {"X-Auth-Token": self.token(user)}
        status, _, made = self._send("POST", f"/users/{user.id}/application_credentials", wanted, said)
        if status != 201:
            raise KeystoneError(f"no application credential: {status} {made}")
        credential = {name: made["application_credential"][name] for name in ("id", "secret")}
        identity = {"methods": ["application_credential"], "application_credential": credential}
        return self._issue({"auth": {"identity": identity}})[0]

    def revoke_token(self, token: str) -> None:
        """End a token."""
        self.call("DELETE", "/auth/tokens", headers={"X-Subject-Token": token})

    def publish(self, url: str, region: str = REGION) -> None:
        """Let the catalogue name ``url`` as the network service of a region, in place of what it named before."""
        if region not in {each["id"] for each in self.call("GET", "/regions")["regions"]}:
            self.call("POST", "/regions", {"region": {"id": region}})
            self._name("identity", self.url, region)
        self._name("network", url, region)

    def publish_compute(self, url: str, region: str = REGION) -> None:
        """Let the catalogue name ``url`` as the compute service of a region that something was published in."""
        self._name("compute", url, region)

    def withdraw_compute(self) -> None:
        """Let the catalogue name no compute service any more: other tests' clients would look for it."""
        for service in self.call("GET", "/services?type=compute")["services"]:
            self.call("DELETE", f"/services/{service['id']}")

    def _name(self, kind: str, url: str, region: str) -> None:
        found = self.call("GET", f"/services?type={kind}")["services"]
        wanted = {"service": {"type": kind, "name": kind}}
        service = found[0] if found else self.call("POST", "/services", wanted)["service"]
        for endpoint in self.call("GET", f"/endpoints?service_id={service['id']}&region_id={region}")["endpoints"]:
            self.call("DELETE", f"/endpoints/{endpoint['id']}")
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": service["id"], "region_id": region, "interface": interface, "url": url}
            self.call("POST", "/endpoints", {"endpoint": endpoint})

    def settings(self, service: User, password_file: Path) -> dict[str, str]:
        """Write the password file and return the settings of a quantumd that asks here as ``service``."""
        password_file.touch(mode=0o600)
        password_file.write_text(service.password + "\n")
        return {
            "api.auth": "keystone",
            "keystone.auth_url": self.url,
            "keystone.user": service.name,
            "keystone.project": service.project.name if service.project else "",
            "keystone.password_file": str(password_file),
        }

    def login(self, user: User, region: str = REGION) -> dict[str, str]:
        """Return what the ``openstack`` client finds in its environment to log in as a user."""
        return {
            "OS_AUTH_URL": self.url,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_REGION_NAME": region,
            "OS_USERNAME": user.name,
            "OS_USER_DOMAIN_ID": "default",
            "OS_PASSWORD": user.password,
            "OS_PROJECT_ID": user.project.id if user.project else "",
        }


def _login(name: str, password: str, scope: Any) -> Any:
    user = {"name": name, "domain": {"id": "default"}, "password": password}
    auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
    return {"auth": {**auth, **({} if scope is None else {"scope": scope})}}


@cache
def the_keystone() -> Keystone:
    """Return the Keystone of this test session: started when it is first asked for, ended with the session."""
    keystone = Keystone()
    atexit.register(keystone.close)
    keystone.start()
    return keystone

"""A Keystone in memory, as far as the validation of tokens goes, and connections in memory to any web server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.task import Clock
from twisted.test.iosim import FakeTransport, connect
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from quantumd.edge.http.messages import Origin
from tests.bed.keystone import Project, User

_IMPLIED = {"admin": "manager", "manager": "member", "member": "reader"}
TOKEN_SECONDS = 3600.0


@frozen
class _Issued:
    user: User
    scope: Any
    expires_seconds: float


@define(eq=False)
class MemoryKeystone:
    """Users, roles and tokens; ``resource`` answers as Keystone does. Its time is that of ``clock``."""

    clock: Clock = field(factory=Clock)
    url: str = "http://keystone.example:5000/v3"
    asked: list[str] = field(factory=list, init=False)
    """The method and path of each request, in order."""
    catalog: list[Any] = field(factory=list, init=False)
    """What tokens say of services."""
    is_broken: bool = field(default=False, init=False)
    """Whether every request is answered 500."""
    _users: dict[str, User] = field(factory=dict, init=False)
    _grants: set[tuple[str, str, str]] = field(factory=set, init=False)
    _tokens: dict[str, _Issued] = field(factory=dict, init=False)

    def make_project(self, name: str = "") -> Project:
        """Create a project."""
        return Project(uuid4().hex, name or f"project-{uuid4().hex[:8]}")

    def make_user(self, *roles: str, project: Project | None = None, name: str = "") -> User:
        """Create a user with roles in a project, which is a new one unless it is given."""
        home = project or self.make_project()
        user = User(uuid4().hex, name or f"user-{uuid4().hex[:8]}", uuid4().hex, home)
        self._users[user.name] = user
        for role in roles:
            self.grant(user, role, f"/projects/{home.id}")
        return user

    def delete_user(self, user: User) -> None:
        """Delete a user; its tokens end."""
        del self._users[user.name]
        self._tokens = {token: issued for token, issued in self._tokens.items() if issued.user.id != user.id}

    def grant(self, user: User, role: str, on: str) -> None:
        """Give a role, and what it implies."""
        implied: str | None = role
        while implied:
            self._grants.add((user.id, implied, on))
            implied = _IMPLIED.get(implied)

    def token(self, user: User, scope: Any = None) -> str:
        """Return a new token."""
        if scope is None and user.project is not None:
            scope = {"project": {"id": user.project.id}}
        token = uuid4().hex
        self._tokens[token] = _Issued(user, scope, self.clock.seconds() + TOKEN_SECONDS)
        return token

    def revoke_token(self, token: str) -> None:
        """End a token."""
        del self._tokens[token]

    def revoke_all(self) -> None:
        """End every token."""
        self._tokens.clear()

    def change_password(self, user: User, password: str) -> User:
        """Give a user another password."""
        self._users[user.name] = evolve(user, password=password)
        return self._users[user.name]

    def answer(self, method: str, uri: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Answer a request: status, headers, body."""
        path, _, query = uri.partition("?")
        self.asked.append(f"{method} {path}")
        if self.is_broken:
            return 500, {}, b"<html>broken</html>"
        if path != "/v3/auth/tokens":
            return _refusal(404)
        return self._log_in(json.loads(body)) if method == "POST" else self._show(headers, query)

    def is_live(self, token: str) -> bool:
        """Whether a token is valid."""
        return self._live(token) is not None

    def _log_in(self, body: Any) -> tuple[int, dict[str, str], bytes]:
        said = body["auth"]["identity"]["password"]["user"]
        user = self._users.get(said["name"])
        if user is None or user.password != said["password"]:
            return _refusal(401)
        token = self.token(user)
        return 201, {"X-Subject-Token": token}, self._document(self._tokens[token])

    def _show(self, headers: Any, query: str) -> tuple[int, dict[str, str], bytes]:
        if self._live(headers.getRawHeaders("X-Auth-Token")[0]) is None:
            return _refusal(401)
        token = headers.getRawHeaders("X-Subject-Token")[0]
        issued = self._tokens.get(token) if "allow_expired=1" in query.split("&") else self._live(token)
        return _refusal(404) if issued is None else (200, {"X-Subject-Token": token}, self._document(issued))

    def _live(self, token: str) -> _Issued | None:
        issued = self._tokens.get(token)
        return issued if issued is not None and issued.expires_seconds > self.clock.seconds() else None

    def _document(self, issued: _Issued) -> bytes:
        token: dict[str, Any] = {
            "methods": ["password"],
            "user": {"id": issued.user.id, "name": issued.user.name, "domain": {"id": "default", "name": "Default"}},
            "expires_at": datetime.fromtimestamp(issued.expires_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        if self.catalog:
            token["catalog"] = self.catalog
        if isinstance(issued.scope, dict):
            kind, of = next(iter(issued.scope.items()))
            on = "/system" if kind == "system" else f"/{kind}s/{of['id']}"
            names = sorted(role for user_id, role, where in self._grants if (user_id, where) == (issued.user.id, on))
            token |= {kind: of, "roles": [{"id": uuid4().hex, "name": name} for name in names]}
        return json.dumps({"token": token}).encode()


def _refusal(status: int) -> tuple[int, dict[str, str], bytes]:
    title = {401: "Unauthorized", 404: "Not Found"}[status]
    return status, {}, json.dumps({"error": {"code": status, "title": title, "message": "no"}}).encode()


class KeystoneResource(Resource):
    """Serves a MemoryKeystone, or any function that answers like it."""

    isLeaf = True

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def render(self, request: Any) -> bytes:
        """Answer a request, never when the answer is None."""
        answer = self._answer(
            request.method.decode(), request.uri.decode(), request.requestHeaders, request.content.read()
        )
        if answer is None:
            return NOT_DONE_YET  # type: ignore[return-value]
        status, headers, body = answer
        request.setResponseCode(status)
        for name, value in headers.items():
            request.setHeader(name, value)
        return bytes(body)


@define(eq=False)
class MemoryEndpoints:
    """Every URL is served by ``server``, a protocol factory; nothing moves before ``flush()``."""

    server: Any
    clock: Clock
    is_away: bool = field(default=False, init=False)
    """Whether connections are refused."""
    _pumps: list[Any] = field(factory=list, init=False)

    def endpoint_of(self, _origin: Origin) -> Any:
        """Return an endpoint."""
        return self

    def connect(self, factory: Any) -> Deferred[Any]:
        """Connect."""
        if self.is_away:
            return fail(Refused())
        connected: Deferred[Any] = Deferred()
        client, server = factory.buildProtocol(None), self.server.buildProtocol(None)
        pump = connect(
            server, FakeTransport(server, isServer=True), client, FakeTransport(client, isServer=False),
            clock=self.clock,
        )  # fmt: skip
        self._pumps.append(pump)
        connected.callback(client)
        return connected

    def flush(self) -> None:
        """Move what was written, until nothing is left."""
        moved = True
        while moved:
            # Every pump is to move something, so the list is made first.
            moved = True in [pump.pump() for pump in self._pumps]

    def drop(self) -> None:
        """Close every connection from the server's side."""
        for pump in self._pumps:
            pump.serverIO.loseConnection()
        self.flush()

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return len(self._pumps)


def serve_in_memory(answer: Any, clock: Clock) -> MemoryEndpoints:
    """Return endpoints at which ``answer`` answers."""
    return MemoryEndpoints(Site(KeystoneResource(answer), reactor=clock), clock)

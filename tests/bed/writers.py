"""Clients that change ports while API processes die, and know afterwards what each port may be."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any

from attrs import define, evolve, field, frozen

from tests.bed.appliance import Appliance

_TIMEOUT_SECONDS = 60.0
_MOST_PORTS = 12
"""How many a writer has before it deletes one for each that it makes."""


@frozen
class PortState:
    """What a writer has made of a port."""

    name: str
    admin_state_up: bool
    exists: bool = True

    @property
    def body(self) -> dict[str, Any]:
        """What a request says."""
        return {"port": {"name": self.name, "admin_state_up": self.admin_state_up}}


@define(eq=False)
class Writer:
    """Changes ports that nobody else changes: through each API process in turn, on connections that it keeps.

    ``may_be`` is what each port can be: one state when the last request was answered, two when its answer was lost.
    ``answered`` counts, by status, ``lost`` the answers that never came.
    """

    apis: Sequence[Appliance]
    network_id: str
    host: str
    number: int
    may_be: dict[str, list[PortState]] = field(factory=dict)
    answered: dict[int, int] = field(factory=dict)
    lost: int = 0
    adopted: set[str] = field(factory=set)
    _made: int = 0
    _connections: dict[int, HTTPConnection] = field(factory=dict)
    _stop: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, on a thread."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Let the request under way end, and stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2 * _TIMEOUT_SECONDS)

    def adopt(self, port: dict[str, Any]) -> None:
        """Change this port too; it is never deleted."""
        self.may_be[port["id"]] = [PortState(port["name"], port["admin_state_up"])]
        self.adopted.add(port["id"])

    def _run(self) -> None:
        chance = random.Random(self.number)
        while not self._stop.is_set():
            self._step(chance)
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _step(self, chance: random.Random) -> None:
        api = chance.randrange(len(self.apis))
        living = [port_id for port_id, states in self.may_be.items() if states[-1].exists]
        own = [port_id for port_id in living if port_id not in self.adopted]
        if len(own) > _MOST_PORTS:
            self._change(api, "DELETE", chance.choice(own), None)
        elif living and chance.random() < 0.7:
            port_id = chance.choice(living)
            self._made += 1
            state = evolve(self.may_be[port_id][-1], name=self._name, admin_state_up=chance.random() < 0.5)
            self._change(api, "PUT", port_id, state)
        else:
            self._create(api)

    @property
    def _name(self) -> str:
        return f"w{self.number}-{self._made}"

    def _create(self, api: int) -> None:
        self._made += 1
        wanted = {"network_id": self.network_id, "name": self._name, "binding:host_id": self.host}
        port = self._ask(api, "POST", "/v2.0/ports", {"port": wanted})
        if port is not None:
            self.may_be[port["port"]["id"]] = [PortState(self._name, True)]

    def _change(self, api: int, method: str, port_id: str, state: PortState | None) -> None:
        """Update a port, or delete it where there is no state."""
        before = self.may_be[port_id]
        after = state or evolve(before[-1], exists=False)
        self.may_be[port_id] = [*before, after]
        if self._ask(api, method, f"/v2.0/ports/{port_id}", state and state.body) is not None:
            self.may_be[port_id] = [after]

    def _ask(self, api: int, method: str, path: str, body: Any) -> Any:
        """Return what was answered, None when no answer came."""
        process = self.apis[api]
        connection = self._connections.get(api) or HTTPConnection(process.host, process.port, timeout=_TIMEOUT_SECONDS)
        self._connections[api] = connection
        content = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            raw = response.read()
        except (OSError, HTTPException):
            connection.close()
            del self._connections[api]
            self.lost += 1
            return None
        self.answered[response.status] = self.answered.get(response.status, 0) + 1
        return json.loads(raw) if raw else {}

"""The whole appliance in this process, on memory edges: real HTTP, real SQLite, an Open vSwitch in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, evolve, field
from twisted.application.service import IServiceCollection
from twisted.internet import reactor as twisted_reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers
from zope.interface import implementer

from quantumd.config import ApiSettings, HostSettings, L2Settings, NetworkSettings, Settings
from quantumd.edge.openflow.walk import Walk
from quantumd.l2.drivers.interfaces import FrameParts, IL2Driver, L2Parts, Site
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.service import make_appliance
from tests.scenario.body import BytesProducer

_AWAIT_SECONDS = 10.0
reactor: Any = twisted_reactor


@implementer(IL2Driver)
@define
class KeptDriver:
    """The Open vSwitch driver on a world that the test keeps when the process is replaced."""

    world: MemoryOpenVswitch
    name: str = "kept"
    capabilities: frozenset[str] = OvsDriver.capabilities

    def install(self, site: Site) -> L2Parts:
        edges = edges_of(self.world)
        return OvsDriver().install_on(evolve(site, edges="memory"), edges)

    def frames(self, site: Site) -> FrameParts:
        return self.install(site).frames

    def plugs(self, site: Site) -> None:
        """Nobody asks: one process has all roles."""


@define
class Answer:
    """An HTTP answer with its JSON body."""

    status: int
    body: Any = field(repr=False)
    headers: Headers = field(repr=False)


class ScenarioCase(TestCase):
    """Starts an appliance; ``world`` is its switch."""

    timeout = 30

    async def start(self) -> None:
        self.world = MemoryOpenVswitch(reactor, "br-int", CONTROLLER_ID)
        self.pool = HTTPConnectionPool(reactor, persistent=False)
        self.addCleanup(self.pool.closeCachedConnections)
        self.settings = Settings(
            host=HostSettings(name="host-a", state_dir=self.mktemp(), edges="memory"),
            api=ApiSettings(listen="tcp:0:interface=127.0.0.1", drain_seconds=0.1),
            network=NetworkSettings(vlan_ranges=("physnet1:100:199",)),
            l2=L2Settings(bridge_mappings=("physnet1:br-ex",)),
        )
        await self.begin()

    async def begin(self) -> None:
        """Start the process on what the last one left."""
        self.service: Any = make_appliance(self.settings, reactor, KeptDriver(self.world))
        self.service.startService()
        self.addCleanup(self.end)
        await self.until(lambda: self.find("ApiService").port is not None)
        await self.until(lambda: self.world.ovsdb.bridge("br-int") is not None)
        self.port = self.find("ApiService").port.getHost().port

    async def end(self) -> None:
        """Stop the process."""
        if self.service.running:
            await self.service.stopService()

    async def restart(self) -> None:
        await self.end()
        await self.begin()

    def find(self, name: str) -> Any:
        """Return the service of that class name."""
        return next(service for service in _services(self.service) if type(service).__name__ == name)

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait until something is true."""
        deadline = reactor.seconds() + _AWAIT_SECONDS
        while not is_true():
            if reactor.seconds() > deadline:
                self.fail("what was awaited did not come")
            await deferLater(reactor, 0.002)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Make one request."""
        said = {name.replace("_", "-"): [value] for name, value in headers.items()}
        content = None
        if body is not None:
            said["Content-Type"] = ["application/json"]
            content = BytesProducer(json.dumps(body).encode())
        url = f"http://127.0.0.1:{self.port}{path}".encode()
        response = await Agent(reactor, pool=self.pool).request(method.encode(), url, Headers(said), content)
        raw: bytes = await readBody(response)
        return Answer(response.code, json.loads(raw) if raw else None, response.headers)

    async def create(self, noun: str, **attributes: Any) -> dict[str, Any]:
        answer = await self.ask("POST", f"/v2.0/{noun}s", {noun: attributes})
        self.assertEqual(answer.status, 201, answer.body)
        created: dict[str, Any] = answer.body[noun]
        return created

    async def show(self, noun: str, noun_id: str) -> dict[str, Any]:
        answer = await self.ask("GET", f"/v2.0/{noun}s/{noun_id}")
        shown: dict[str, Any] = answer.body[noun]
        return shown

    async def await_status(self, port: dict[str, Any], status: str) -> dict[str, Any]:
        """Wait until the API shows a port in a status."""
        deadline = reactor.seconds() + _AWAIT_SECONDS
        while (shown := await self.show("port", port["id"]))["status"] != status:
            if reactor.seconds() > deadline:
                self.fail(f"port stays {shown['status']}")
            await deferLater(reactor, 0.005)
        return shown

    async def plugged(self, network: dict[str, Any], **attributes: Any) -> dict[str, Any]:
        """Create a port, plug it, and wait until it is ACTIVE."""
        port = await self.create("port", network_id=network["id"], **attributes)
        self.world.plug(port["id"])
        return await self.await_status(port, "ACTIVE")

    def send(self, port: dict[str, Any], frame: bytes) -> Walk:
        """Let a VM send a frame."""
        walk = self.world.send(port["id"], frame)
        if walk is None:
            self.fail("the VM is not plugged")
        return walk

    def reached(self, port: dict[str, Any], frame: bytes) -> set[int]:
        """The OpenFlow numbers that a VM's frame reaches."""
        return {out.ofport for out in self.send(port, frame).outputs}

    def number(self, port: dict[str, Any]) -> int | None:
        return self.world.ofport_of(port["id"])

    def heard(self, port: dict[str, Any]) -> list[bytes]:
        """Collect what reaches a VM from now on."""
        frames: list[bytes] = []
        self.world.listen(port["id"], frames.append)
        return frames


def _services(parent: Any) -> Iterator[Any]:
    """Yield every service below one."""
    for service in parent:
        yield service
        if IServiceCollection.providedBy(service):
            yield from _services(service)

"""An API process, and simulated hosts in this process, over one broker."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from attrs import define, field
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from quantumd.bus.made import make_amqp_bus
from quantumd.config import AmqpSettings, BusSettings
from tests.bed.appliance import Appliance, ApplianceError
from tests.bed.simulated_hosts import CountingBus, SimulatedHost

reactor: Any = twisted_reactor
BULK = 100


@define(eq=False)
class SimulatedSite:
    """``server`` and ``hosts`` are the broker's settings on either side. Each host has connections of its own."""

    directory: Path
    server: AmqpSettings
    hosts_amqp: AmqpSettings
    is_guarding: bool = False
    """Whether the hosts guard ports, and so are told of groups."""
    api: Appliance = field(init=False)
    hosts: dict[str, SimulatedHost] = field(factory=dict, init=False)
    ports: dict[str, str] = field(factory=dict, init=False)
    """The host of each port, by id."""
    owners: dict[str, str] = field(factory=dict, init=False)
    """What the API last answered for each port's owner."""
    network_id: str = field(default="", init=False)
    _bus: BusSettings = field(init=False)
    _buses: list[Any] = field(factory=list, init=False)

    async def start(self) -> None:
        """Start the API process and make a network."""
        self._bus = BusSettings(exchange=f"bus-{uuid4()}")
        amqp = {
            "urls": json.dumps(list(self.server.urls)),
            "password_file": self.server.password_file,
            "ca_file": self.server.ca_file,
            "heartbeat_seconds": str(self.server.heartbeat_seconds),
            "timeout_seconds": str(self.server.timeout_seconds),
        }
        settings = {f"amqp.{name}": value for name, value in amqp.items()}
        settings |= {"bus.exchange": self._bus.exchange, "agents.down_seconds": "600"}
        self.api = Appliance(self.directory, command="quantumd-api", settings=settings)
        await deferToThread(self.api.start)
        network = await deferToThread(self.api.create, "network")
        self.network_id = network["id"]
        subnet = {"network_id": self.network_id, "ip_version": 4, "cidr": "10.0.0.0/8"}
        await deferToThread(lambda: self.api.create("subnet", **subnet))

    async def stop(self) -> None:
        """Stop everything."""
        for host in self.hosts.values():
            await maybeDeferred(host.roles.service.stopService)
        await gatherResults([maybeDeferred(bus.stopService) for bus in self._buses])
        self.api.close()

    async def add_host(self, name: str, ports: int) -> SimulatedHost:
        """Start a host, make so many ports on it, plug them, and wait until they are connected."""
        bus = make_amqp_bus(reactor, self._bus, self.hosts_amqp, name)
        bus.startService()
        self._buses.append(bus)
        host = self.hosts[name] = SimulatedHost(name, CountingBus(bus), self.is_guarding)
        host.roles.service.startService()
        await self.until(lambda: host.is_converged, f"the roles of {name}", 30.0)
        for start in range(0, ports, BULK):
            await self._make_ports(host, min(BULK, ports - start))
        return host

    async def add_member(self, host: str) -> str:
        """Make and plug a port on a host, which is in its project's default group; return its address."""
        wanted = {"network_id": self.network_id, "binding:host_id": host}
        made = await deferToThread(lambda: self.api.create("port", **wanted))
        self._note(self.hosts[host], [made])
        return str(made["fixed_ips"][0]["ip_address"])

    async def change(self, port_ids: Sequence[str]) -> None:
        """Change who owns ports, which their host must know; one request each."""

        def change() -> None:
            for port_id in port_ids:
                body = {"port": {"device_owner": f"compute:{uuid4()}"}}
                answer = self.api.request("PUT", f"/v2.0/ports/{port_id}", body)
                if answer.status != 200:
                    raise ApplianceError(f"a change answered {answer.status}: {answer.body}")
                self.owners[port_id] = answer.body["port"]["device_owner"]

        await deferToThread(change)

    async def until_right(self, seconds: float = 20.0) -> None:
        """Wait until every host's ports are as the API last answered. It is not asked: that would cost it something."""

        def is_right() -> bool:
            return all(
                self.hosts[host].connected[port_id].device_owner == self.owners[port_id]
                for port_id, host in self.ports.items()
            )

        await self.until(is_right, "the hosts know every change", seconds)

    async def until_quiet(self, seconds: float = 2.0) -> None:
        """Wait until nothing has gone over the bus for so long."""
        while True:
            before = self.messages.total()
            await deferLater(reactor, seconds)
            if self.messages.total() == before:
                return

    async def until(self, is_so: Callable[[], Any], what: str, seconds: float = 20.0) -> None:
        """Wait until something is so."""
        began = reactor.seconds()
        while not is_so():
            if reactor.seconds() - began > seconds:
                raise TimeoutError(f"not within {seconds:g} s: {what}\n{self.api.log()[-4000:]}")
            await deferLater(reactor, 0.02)

    @property
    def exchange(self) -> str:
        """How the names of all queues begin."""
        return self._bus.exchange

    @property
    def is_connected(self) -> bool:
        """Whether every host is."""
        return all(host.bus.is_connected for host in self.hosts.values())

    @property
    def messages(self) -> Counter[str]:
        """What went over the buses of all hosts, by kind."""
        return _sum([host.bus.messages for host in self.hosts.values()])

    @property
    def bytes(self) -> Counter[str]:
        """The same in bytes of bodies."""
        return _sum([host.bus.bytes for host in self.hosts.values()])

    def forget(self) -> None:
        """Begin to count anew."""
        for host in self.hosts.values():
            host.bus.forget()

    async def _make_ports(self, host: SimulatedHost, count: int) -> None:
        wanted: list[Mapping[str, str]] = [{"network_id": self.network_id, "binding:host_id": host.name}] * count
        made = await deferToThread(self.api.request, "POST", "/v2.0/ports", {"ports": wanted})
        if made.status != 201:
            raise ApplianceError(f"creating ports answered {made.status}: {made.body}")
        ids = self._note(host, made.body["ports"])
        await self.until(lambda: all(each in host.connected for each in ids), "the ports", 60.0)

    def _note(self, host: SimulatedHost, made: Sequence[Mapping[str, Any]]) -> Sequence[str]:
        """Plug ports that were made; return their ids."""
        ids = [str(port["id"]) for port in made]
        self.ports |= dict.fromkeys(ids, host.name)
        self.owners |= {port["id"]: port["device_owner"] for port in made}
        host.plug(ids)
        return ids


def _sum(counters: Sequence[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counters:
        total.update(each)
    return total

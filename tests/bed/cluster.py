"""quantumd by role: API processes, and hosts with a switch each, over one broker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.bed.appliance import Appliance
from tests.bed.openvswitch import PrivateOvs, run
from tests.bed.rabbitmq import RabbitmqServer
from tests.bed.relay import Relay

_KEY = "a key that all processes of the tests have\n"
PHYSICAL_BRIDGE = "br-ex"
UNDERLAY_BRIDGE = "br-ul"
_START_SECONDS = 30.0


class ClusterError(Exception):
    """The cluster did not come up."""


@frozen
class Host:
    """A switch, and the processes of the roles that act on it."""

    name: str
    ovs: PrivateOvs
    l2: Appliance
    dhcp: Appliance
    l3: Appliance | None = None

    @property
    def processes(self) -> tuple[Appliance, ...]:
        """All roles."""
        return tuple(each for each in (self.l2, self.dhcp, self.l3) if each is not None)

    @property
    def has_bridge(self) -> bool:
        """Whether the integration bridge is there."""
        return self.ovs.bridge in self.ovs.vsctl("list-br").split()


@define(eq=False)
class Cluster:
    """Everything that one API serves. ``close`` ends all of it, however far it came.

    The API processes listen on sockets of their own; with ``database_url`` '' there is one, and SQLite.
    """

    directory: Path
    host_names: tuple[str, ...] = ("host-a", "host-b")
    settings: Mapping[str, str] = field(factory=dict)
    controllers: tuple[str, ...] = ("controller",)
    """The names of the hosts on which an API process runs."""
    database_url: str = ""
    python_path: Mapping[str, tuple[Path, ...]] = field(factory=dict)
    """By the name of a host: where else its processes find modules."""
    tunnels: Mapping[str, str] = field(factory=dict)
    """By the name of a host: where tunnels to it end. What connects these addresses is ``lay_underlay``."""
    own_settings: Mapping[str, Mapping[str, str]] = field(factory=dict)
    """By the name of a host: what it has beside the settings of all, or otherwise."""
    gateways: tuple[str, ...] = ()
    """The names of the hosts that carry routers."""
    broker: RabbitmqServer = field(factory=RabbitmqServer, init=False)
    _relays: list[Relay] = field(factory=list, init=False)
    hosts: tuple[Host, ...] = field(default=(), init=False)
    apis: tuple[Appliance, ...] = field(default=(), init=False)

    @property
    def api(self) -> Appliance:
        """The first API process."""
        return self.apis[0]

    def start(self, prepare: Callable[[], object] = lambda: None) -> None:
        """Start the broker, the switches, and all processes.

        :param prepare: is called when the switches run and nothing else does.
        """
        self.broker.start()
        for name in self.host_names:
            self._add_host(name)
        prepare()
        self.apis = tuple(self.make_process("api", name, None) for name in self.controllers)
        for process in self._of_hosts():
            process.launch()
        for api in self.apis:
            api.start("/readyz")

    def close(self) -> None:
        """End everything."""
        for process in (*self._of_hosts(), *self.apis):
            process.close()
        for relay in self._relays:
            relay.close()
        for host in self.hosts:
            host.ovs.stop()
        self.broker.close()

    def wire(self) -> None:
        """Give every host a physical bridge with a NIC in it, all on one cable: the first host's bridge joins them."""
        first = self.hosts[0]
        for host in self.hosts:
            host.ovs.add_bridge(PHYSICAL_BRIDGE, "standalone")
        for number, host in enumerate(self.hosts[1:], start=1):
            self._lay_cable(first, host, f"nic{number}")
            host.ovs.vsctl("add-port", PHYSICAL_BRIDGE, f"nic{number}")

    def lay_underlay(self, *hosts: Host) -> None:
        """Give hosts, all unless some are named, a bridge with the address at which their tunnels end, on one cable."""
        for host in hosts or self.hosts:
            address = self.tunnels[host.name]
            host.ovs.add_bridge(UNDERLAY_BRIDGE, "standalone")
            prefix, flags = ("64", ("nodad",)) if ":" in address else ("24", ())
            host.ovs.ip("address", "add", f"{address}/{prefix}", "dev", UNDERLAY_BRIDGE, *flags)
            host.ovs.ip("link", "set", UNDERLAY_BRIDGE, "up")
            if host is not self.hosts[0]:
                nic = f"ul{self.hosts.index(host)}"
                self._lay_cable(self.hosts[0], host, nic, UNDERLAY_BRIDGE)
                host.ovs.vsctl("add-port", UNDERLAY_BRIDGE, nic)

    def join(self, name: str) -> Host:
        """Add a host while everything runs; its roles start."""
        self._add_host(name)
        host = self.hosts[-1]
        if name in self.tunnels:
            self.lay_underlay(host)
        for process in host.processes:
            process.launch()
        return host

    def wire_again(self, host: Host) -> None:
        """Lay the cable of a host, not the first, whose devices are gone; its switch, which is off, knows the NIC."""
        first, nic = self.hosts[0], f"nic{self.hosts.index(host)}"
        first.ovs.vsctl("del-port", PHYSICAL_BRIDGE, nic)
        deadline = time.monotonic() + _START_SECONDS
        # The kernel takes the other end of a cable away some time after a namespace went.
        while f" {nic}@" in first.ovs.ip("link"):
            if time.monotonic() > deadline:
                raise ClusterError(f"{nic} of {first.name} does not go")
            time.sleep(0.05)
        self._lay_cable(first, host, nic)

    def _lay_cable(self, first: Host, host: Host, nic: str, bridge: str = PHYSICAL_BRIDGE) -> None:
        run(
            "ip", "-n", first.ovs.namespace, "link", "add", nic, "type", "veth",
            "peer", "name", nic, "netns", host.ovs.namespace,
        )  # fmt: skip
        for end in (first, host):
            end.ovs.ip("link", "set", nic, "up")
        first.ovs.vsctl("add-port", bridge, nic)

    def await_roles(self) -> None:
        """Wait until every role has reported and every bridge is there."""
        deadline = time.monotonic() + _START_SECONDS
        expected = sum(len(host.processes) for host in self.hosts)
        while len(self.agents()) < expected or not all(host.has_bridge for host in self.hosts):
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"roles: {self.agents()}, bridges: {[host.ovs.vsctl('list-br') for host in self.hosts]}"
                )
            time.sleep(0.05)

    def agents(self) -> list[dict[str, Any]]:
        """Return the agents."""
        found: list[dict[str, Any]] = self.api.request("GET", "/v2.0/agents").body["agents"]
        return found

    def make_process(self, role: str, host: str, ovs_run_dir: Path | None, namespace: str = "") -> Appliance:
        """Return the process of a role; it is not started."""
        return Appliance(
            self.directory / f"{host}-{role}",
            ovs_run_dir,
            self._settings_of(host),
            python_path=self.python_path.get(host, ()),
            command=f"quantumd-{role}",
            namespace=namespace,
        )

    def _add_host(self, name: str) -> None:
        ovs = PrivateOvs(self.directory / f"{name}-ovs")
        # What makes devices runs where the switch does.
        place = ovs.namespace if name in self.gateways else ""
        roles = [
            self.make_process("l2", name, ovs.directory, place),
            self.make_process("dhcp", name, ovs.directory),
        ]
        if name in self.gateways:
            roles.append(self.make_process("l3", name, ovs.directory, ovs.namespace))
        host = Host(name, ovs, *roles)
        self.hosts = (*self.hosts, host)
        ovs.start()
        if place:
            self._relays.append(Relay(ovs.namespace, self.broker.port))

    def _settings_of(self, host: str) -> dict[str, str]:
        key = self.directory / "key"
        with suppress(FileExistsError):
            key.touch(0o600, exist_ok=False)
            key.write_text(_KEY)
        of_broker = {name: value for name, value in self.broker.settings().items() if name.startswith("amqp.")}
        database = {"database.url": json.dumps(self.database_url)} if self.database_url else {}
        tunnels = {"l2.tunnel_ip": json.dumps(self.tunnels[host])} if host in self.tunnels else {}
        own = {"bus.signing_key_file": str(key), "host.name": host}
        return {**of_broker, **database, **own, **tunnels, **self.settings, **self.own_settings.get(host, {})}

    def _of_hosts(self) -> Iterator[Appliance]:
        return (process for host in self.hosts for process in host.processes)

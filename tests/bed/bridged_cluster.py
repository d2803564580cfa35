"""Hosts with Linux bridges on one cable, and an API process that all of them report to, over one broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from attrs import define, field, frozen

from tests.bed.appliance import Appliance
from tests.bed.bridges import BRIDGES, DRIVER, BridgedHost
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest, HostCase
from tests.bed.needs import missing
from tests.bed.rabbitmq import RabbitmqServer, missing_rabbitmq
from tests.bed.relay import Relay

UNDERLAY = "underlay"
_KEY = "a key that all processes of the tests have\n"
_START_SECONDS = 30.0


@frozen
class Member:
    """A host and the processes of its roles."""

    name: str
    host: BridgedHost
    processes: tuple[Appliance, ...]


@define(eq=False)
class BridgedCluster:
    """``close`` ends all of it, however far it came."""

    directory: Path
    host_names: tuple[str, ...]
    settings: Mapping[str, str]
    broker: RabbitmqServer = field(factory=RabbitmqServer, init=False)
    members: tuple[Member, ...] = field(default=(), init=False)
    api: Appliance = field(init=False)
    _relays: list[Relay] = field(factory=list, init=False)

    @api.default
    def _make_api(self) -> Appliance:
        return self._process("api", "controller", "")

    def start(self) -> None:
        """Start everything, and wait until every role has reported."""
        self.broker.start()
        for name in self.host_names:
            self._add(name)
        for process in (process for member in self.members for process in member.processes):
            process.launch()
        self.api.start("/readyz")
        deadline = time.monotonic() + _START_SECONDS
        while len(self.api.request("GET", "/v2.0/agents").body["agents"]) < 2 * len(self.members):
            if time.monotonic() > deadline:
                raise AssertionError("not all roles have reported")
            time.sleep(0.05)

    def close(self) -> None:
        """End everything."""
        for member in self.members:
            for process in member.processes:
                process.close()
        self.api.close()
        for relay in self._relays:
            relay.close()
        for member in self.members:
            member.host.stop()
        self.broker.close()

    def _add(self, name: str) -> None:
        host = BridgedHost(self.directory / name, says_whose=False)
        host.start()
        address = f"172.31.0.{len(self.members) + 1}"
        processes = tuple(self._process(role, name, host.namespace, address) for role in ("l2", "dhcp"))
        self.members = (*self.members, Member(name, host, processes))
        self._relays.append(Relay(host.namespace, urlsplit(self.broker.url).port or 0))
        self._lay_cable(host, address)

    def _lay_cable(self, host: BridgedHost, address: str) -> None:
        """The first host has a switch, which is none of ours; the others are plugged into it."""
        first = self.members[0].host
        if host is first:
            first.ip("link", "add", UNDERLAY, "type", "bridge")
            first.ip("address", "add", f"{address}/24", "dev", UNDERLAY)
            first.ip("link", "set", UNDERLAY, "up")
            return
        nic = f"ul{len(self.members)}"
        first.ip("link", "add", nic, "type", "veth", "peer", "name", nic, "netns", host.namespace)
        first.ip("link", "set", nic, "master", UNDERLAY, "up")
        host.ip("address", "add", f"{address}/24", "dev", nic)
        host.ip("link", "set", nic, "up")

    def _process(self, role: str, host: str, namespace: str, address: str = "") -> Appliance:
        key = self.directory / "key"
        if not key.exists():
            key.touch(0o600)
            key.write_text(_KEY)
        of_broker = {name: value for name, value in self.broker.settings().items() if name.startswith("amqp.")}
        own = {"bus.signing_key_file": str(key), "host.name": host, "l2.tunnel_ip": f'"{address}"'}
        settings = {**of_broker, **DRIVER, **own, **self.settings}
        directory = self.directory / f"{host}-{role}"
        return Appliance(directory, None, settings, command=f"quantumd-{role}", namespace=namespace)


class BridgedHostsCase(HostCase):
    """``hosts`` are those of the ``cluster``; ``appliance`` is its API process."""

    skip = missing(*BRIDGES, "udhcpc") or missing_rabbitmq()
    host_names: ClassVar[tuple[str, ...]] = ("host-a", "host-b", "host-c")
    cluster: ClassVar[BridgedCluster]
    ovs: ClassVar[Any]

    @classmethod
    def setUpClass(cls) -> None:
        """Start the cluster."""
        cls.take_directory()
        cls.cluster = BridgedCluster(cls.directory, cls.host_names, {"l2.bind_unbound": "false", **cls.settings})
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.start()
        cls.appliance, cls.ovs = cls.cluster.api, cls.cluster.members[0].host

    def setUp(self) -> None:
        """Show what all processes say if the test fails."""
        super().setUp()
        for member in self.cluster.members:
            self.addCleanup(member.host.remove_vms)
            for process in member.processes:
                self.addCleanup(self.show_log, process, len(process.log()))

    def boot(self, member: Member, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Boot a VM on a host as Nova does; it has its lease."""
        bound = {"binding:host_id": member.name, **attributes}
        port = self.appliance.create("port", network_id=network["id"], **bound)
        self.assertEqual(port["binding:vif_type"], "bridge")
        guest = Guest(port, member.host.make_vm(port["id"], port["mac_address"]))
        member.host.plug(guest.vm)
        self.appliance.await_status(guest.id)
        self.wait_for("the port forwards", lambda: member.host.forwards(guest.vm.tap))
        self.assertEqual(udhcpc(guest.vm, self.directory).ip_address, guest.ip)
        guest.configure(24)
        return guest

    def soon(self, is_so: Callable[[], bool], what: str = "it is so") -> None:
        """Something is so within seconds."""
        self.wait_for(what, is_so, 5.0)

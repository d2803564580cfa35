"""docs/deploy.md, command by command: two controllers, two hosts, PostgreSQL, RabbitMQ over TLS. Needs root."""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
import ssl
import sys
from functools import partial
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import frozen

from tests.bed.databases import lacking
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest, HostCase
from tests.bed.load import EchoStream
from tests.bed.machine import Machine, make_places
from tests.bed.needs import CHECKOUT
from tests.bed.openvswitch import PrivateOvs, run
from tests.bed.postgresql import PostgresqlServer
from tests.bed.rabbitmq import RabbitmqServer, missing_rabbitmq

PAGE = CHECKOUT / "docs" / "deploy.md"
CONTROLLERS = ("controller-1", "controller-2")
HOSTS = ("host-a", "host-b")
ADDRESSES = {"controller-1": "127.0.1.11", "controller-2": "127.0.1.12"}
"""What stands for the addresses of the page, on this machine."""


@frozen
class Block:
    """Commands, and the machines on which they are typed."""

    machines: tuple[str, ...]
    script: str


def blocks() -> list[Block]:
    """Return what the page says, in its order."""
    found = re.findall(r"<!-- on: ([\w -]+?) -->\n```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [Block(tuple(names.split()), script) for names, script in found]


@pytest.mark.slow
@pytest.mark.time_limit(600)
class DeployTests(HostCase):
    """An operator who does what the page says."""

    skip = HostCase.skip or missing_rabbitmq() or lacking("postgresql")
    machines: ClassVar[dict[str, Machine]]
    switches: ClassVar[dict[str, PrivateOvs]]
    broker: ClassVar[RabbitmqServer]
    database: ClassVar[PostgresqlServer]
    admin_password: ClassVar[str]
    checkout: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        """Start what the page takes for granted: servers, switches, machines."""
        cls.take_directory()
        cls.broker = RabbitmqServer()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.database = PostgresqlServer()
        cls.addClassCleanup(cls.database.close)
        cls.database.prepare()
        cls.switches = {name: PrivateOvs(cls.directory / f"{name}-ovs") for name in HOSTS}
        for ovs in cls.switches.values():
            cls.addClassCleanup(ovs.stop)
            ovs.start()
        for place in make_places():
            cls.addClassCleanup(place.rmdir)
        cls.checkout = cls.directory / "checkout"
        # Building a package leaves things in its folder.
        shutil.copytree(CHECKOUT, cls.checkout, ignore=shutil.ignore_patterns(".*", "_trial_temp*", "__pycache__"))
        cls.machines = {name: cls.make_machine(name) for name in (*CONTROLLERS, *HOSTS)}
        cls.admin_password = secrets.token_urlsafe(12)

    @classmethod
    def make_machine(cls, name: str) -> Machine:
        """Start a machine; all share what is installed in /opt/quantumd."""
        install = cls.directory / "opt"
        install.mkdir(exist_ok=True)
        # Others than root run what is in it.
        cls.directory.chmod(0o755)
        ovs = cls.switches.get(name)
        asked = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(cls.database.port),
            "PGUSER": "quantumd",
            "PGDATABASE": "postgres",
        }
        environment = {**asked, "PGPASSWORD": "quantumd", **cls.broker.client_environment()}
        machine = Machine(
            name, cls.directory / name, install, cls.checkout, ovs.directory if ovs else None,
            environment if name == "controller-1" else {}, hosts=ADDRESSES,
        )  # fmt: skip
        cls.addClassCleanup(machine.stop)
        machine.start()
        return machine

    def setUp(self) -> None:
        """Show what the machines have said if the test fails."""
        for machine in self.machines.values():
            self.addCleanup(lambda told: sys.stdout.write(told.logs()), machine)
        for ovs in self.switches.values():
            self.addCleanup(ovs.remove_vms)

    def test_the_page_leads_to_a_cloud(self) -> None:
        """Its commands, typed in its order; then VMs on both hosts get leases and reach each other; a controller dies.

        What the page leaves to the operator (copies of secrets, a certificate of the broker, a NIC) is done between.
        """
        page = blocks()
        self.assertGreater(len(page), 10)
        for number, block in enumerate(page):
            restarts = "systemctl restart" in block.script
            if restarts and "controller-1" in block.machines:
                one, two = self.boot_on_both()
                with EchoStream(100, source=one, target=two) as echoes:
                    for each in page[number:]:
                        self.type(each)
                self.assertEqual(echoes.lost, 0)
                break
            self.type(block)
            self.do_the_rest(block)
        self.assertIn("host-a", self.machines["controller-1"].run("/opt/quantumd/bin/quantumctl host list"))
        self.expect_the_other_controller_to_go_on()

    def type(self, block: Block) -> None:
        """Type a block on each of its machines."""
        for name in block.machines:
            if "python3 -m venv" in block.script and name != block.machines[0]:
                continue  # All share what the first one has installed.
            said = f"{self.admin_password}\n" if "user add" in block.script else ""
            self.machines[name].run(self.put_in_place(block.script, name), said)

    def put_in_place(self, script: str, name: str) -> str:
        """Put this machine's addresses in the place of the page's."""
        places = {
            "192.0.2.10:5432": f"127.0.0.1:{self.database.port}",
            "192.0.2.10:5671": f"127.0.0.1:{self.broker.tls_port}",
            "192.0.2.11": ADDRESSES.get(name, ""),
        }
        for there, here in places.items():
            script = script.replace(there, here)
        return script

    def do_the_rest(self, block: Block) -> None:
        """Do what the page says in words behind a block."""
        if "/dev/urandom" in block.script:
            for name in ("bus.key", "broker.password", "database.password"):
                self.copy(name, *(("controller-2",) if name.startswith("data") else ("controller-2", *HOSTS)))
            for machine in self.machines.values():
                shutil.copy(self.broker.ca_file, machine.directory / "etc/quantumd/ca.pem")
                (machine.directory / "etc/quantumd/ca.pem").chmod(0o644)
        elif "user add" in block.script:
            self.copy("users", "controller-2")
        elif "enable --now quantumd-l2" in block.script:
            self.lay_the_cable()
            self.wait_for("the agents", lambda: len(self.ask("GET", "agents")["agents"]) == 2 * len(HOSTS), 60)

    def copy(self, name: str, *others: str) -> None:
        """Copy a file of the first controller with its mode and group."""
        there = self.machines["controller-1"].directory / "etc/quantumd" / name
        for other in others:
            target = self.machines[other].directory / "etc/quantumd" / name
            shutil.copy2(there, target)
            if other.startswith("controller"):
                self.machines[other].run(f"chgrp quantumd /etc/quantumd/{name}")

    def lay_the_cable(self) -> None:
        """Give both physical bridges, which the L2 role has made, a NIC each."""
        here, there = self.switches.values()
        run(
            "ip", "-n", here.namespace, "link", "add", "nic", "type", "veth",
            "peer", "name", "nic", "netns", there.namespace,
        )  # fmt: skip
        for ovs in (here, there):
            self.wait_for("br-ex", partial(_has_bridge, ovs), 30)
            ovs.ip("link", "set", "nic", "up")
            ovs.vsctl("add-port", "br-ex", "nic")

    def boot_on_both(self) -> list[Guest]:
        """Boot a VM on each host; they have leases and reach each other."""
        network = self.ask("POST", "networks", {"network": {"name": "blue"}})["network"]
        subnet = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}
        self.ask("POST", "subnets", {"subnet": subnet})
        guests = [self.boot(name, network["id"]) for name in HOSTS]
        self.assertTrue(guests[0].can_reach(guests[1].ip))
        return guests

    def boot(self, host: str, network_id: str) -> Guest:
        """Boot a VM on a host."""
        wanted = {"network_id": network_id, "binding:host_id": host}
        port = self.ask("POST", "ports", {"port": wanted})["port"]
        self.assertEqual(port["binding:vif_type"], "ovs")
        ovs = self.switches[host]
        guest = Guest(port, ovs.make_vm(port["id"], port["mac_address"]))
        ovs.plug(guest.vm)
        self.wait_for("the port", lambda: self.ask("GET", f"ports/{port['id']}")["port"]["status"] == "ACTIVE", 20)
        self.assertEqual(udhcpc(guest.vm, self.directory).ip_address, guest.ip)
        guest.configure(24)
        return guest

    def expect_the_other_controller_to_go_on(self) -> None:
        """Without the first controller a port comes up within the time that the page names."""
        self.machines["controller-1"].run("systemctl stop quantumd-api@1 quantumd-api@2")
        network_id = self.ask("GET", "networks", by="controller-2")["networks"][0]["id"]
        wanted = {"network_id": network_id, "binding:host_id": "host-b"}
        port = self.ask("POST", "ports", {"port": wanted}, by="controller-2")["port"]
        ovs = self.switches["host-b"]
        guest = Guest(port, ovs.make_vm(port["id"], port["mac_address"]))
        ovs.plug(guest.vm)
        self.wait_for(
            "the port",
            lambda: self.ask("GET", f"ports/{port['id']}", by="controller-2")["port"]["status"] == "ACTIVE",
            20,
        )

    def ask(self, method: str, path: str, body: Any = None, by: str = "controller-1") -> Any:
        """Ask a controller's API as admin; its certificate is checked."""
        context = ssl.create_default_context(cafile=str(self.machines[by].directory / "etc/quantumd/api.pem"))
        connection = _Named(ADDRESSES[by], "api.example.org", context)
        who = base64.b64encode(f"admin:{self.admin_password}".encode()).decode()
        content = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Basic {who}", "Content-Type": "application/json"}
        connection.request(method, f"/v2.0/{path}", content, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        self.assertLess(response.status, 300, answer)
        return answer


def _has_bridge(ovs: PrivateOvs) -> bool:
    return "br-ex" in ovs.vsctl("list-br").split()


class _Named(HTTPSConnection):
    """A connection to an address, whose certificate has to be for a name."""

    def __init__(self, address: str, name: str, context: ssl.SSLContext) -> None:
        super().__init__(address, 9696, timeout=30, context=context)
        self._name, self._trust = name, context

    def connect(self) -> None:
        """Connect."""
        super(HTTPSConnection, self).connect()
        self.sock = self._trust.wrap_socket(self.sock, server_hostname=self._name)

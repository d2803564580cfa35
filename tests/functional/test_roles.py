"""The same services by role: API, switch and DHCP in processes of their own, over a real RabbitMQ. Needs root."""

from __future__ import annotations

import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.bed.appliance import Appliance
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import HostCase
from tests.bed.load import EchoStream
from tests.bed.openvswitch import PrivateOvs
from tests.bed.rabbitmq import RabbitmqServer, missing_rabbitmq

KEY = "a key that all processes of the tests have\n"


class RolesCase(HostCase):
    """A host whose roles are two processes, and an API process; ``appliance`` is the latter."""

    skip = HostCase.skip or missing_rabbitmq()
    broker: ClassVar[RabbitmqServer]
    l2: ClassVar[Appliance]
    dhcp: ClassVar[Appliance]

    @classmethod
    def setUpClass(cls) -> None:
        """Start the broker, the switch, and the three processes."""
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        folder = tempfile.TemporaryDirectory(prefix="quantumd-roles-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.directory = Path(folder.name)
        cls.broker = RabbitmqServer()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.ovs = PrivateOvs(cls.directory / "ovs")
        cls.addClassCleanup(cls.ovs.stop)
        cls.ovs.start()
        cls.appliance, cls.l2, cls.dhcp = (cls.make_process(role) for role in ("api", "l2", "dhcp"))
        for process in (cls.l2, cls.dhcp):
            process.launch()
        cls.appliance.start("/readyz")

    @classmethod
    def make_process(cls, role: str) -> Appliance:
        """Return the process of a role; it is not started."""
        key = cls.directory / "key"
        key.write_text(KEY)
        key.chmod(0o600)
        broker = {name: value for name, value in cls.broker.settings().items() if name.startswith("amqp.")}
        settings = {**broker, "bus.signing_key_file": str(key)}
        process = Appliance(cls.directory / role, cls.ovs.directory, settings, command=f"quantumd-{role}")
        cls.addClassCleanup(process.close)
        return process

    def setUp(self) -> None:
        """Wait for the roles, whose logs are shown as well."""
        super().setUp()
        self.wait_for("both roles", lambda: len(self.agents()) == 2, 30)
        self.wait_for("the bridge", lambda: self.ovs.bridge in self.ovs.vsctl("list-br").split(), 30)
        for process in (self.l2, self.dhcp):
            self.addCleanup(self.show_log, process, len(process.log()))
        self.network = self.make_network("10.0.0.0/24")

    def agents(self) -> dict[str, Any]:
        """Return the agents by their binary."""
        return {each["binary"]: each for each in self.appliance.request("GET", "/v2.0/agents").body["agents"]}


class BootTests(RolesCase):
    """The boot flow, over three processes."""

    def test_a_vm_gets_its_lease_and_reaches_another(self) -> None:
        """Real packets: the switch is driven by one process, DHCP answered by another, both told by a third."""
        guest = self.make_guest(self.network)
        self.plug(guest)
        lease = udhcpc(guest.vm, self.directory)
        self.assertEqual(lease.ip_address, guest.ip)
        other = self.plugged(self.network)
        guest.configure(24)
        self.assertTrue(guest.can_reach(other.ip))
        self.ovs.unplug(other.vm)
        self.appliance.await_status(other.id, "DOWN")

    def test_the_api_tells_of_the_roles(self) -> None:
        """Alive, each as an agent of its host."""
        self.assertEqual([each["alive"] for each in self.agents().values()], [True, True])
        self.assertEqual({each["host"] for each in self.agents().values()}, {"host-a"})


class LossTests(RolesCase):
    """What the roles do without each other, and without the broker."""

    @pytest.mark.time_limit(240)
    def test_nothing_is_lost_while_the_broker_is_away(self) -> None:
        """Packets flow, leases are given; what is changed meanwhile is realised when it is back."""
        guest, other = self.plugged(self.network), self.plugged(self.network)
        with EchoStream(200, source=guest, target=other) as echoes:
            self.broker.kill()
            self.assertEqual(udhcpc(guest.vm, self.directory).ip_address, guest.ip)
            third = self.make_guest(self.network)
            self.ovs.plug(third.vm)
            self.update("port", other.id, admin_state_up=False)
            time.sleep(2)
            self.update("port", other.id, admin_state_up=True)
            self.broker.start()
            self.appliance.await_status(third.id, limit_seconds=30)
            self.appliance.await_status(other.id, limit_seconds=30)
        self.assertEqual(echoes.lost, 0)
        self.assertTrue(guest.can_reach(other.ip))

    @pytest.mark.time_limit(240)
    def test_each_process_is_restarted_under_traffic(self) -> None:
        """One at a time; no packet is lost, and everything is as it was."""
        guest, other = self.plugged(self.network), self.plugged(self.network)
        with EchoStream(500, source=guest, target=other) as echoes:
            for process in (self.l2, self.dhcp):
                process.stop()
                process.launch()
                time.sleep(2)
            self.appliance.restart("/readyz")
        self.assertEqual(echoes.lost, 0)
        third = self.make_guest(self.network)
        self.plug(third)
        self.assertEqual(udhcpc(third.vm, self.directory).ip_address, third.ip)

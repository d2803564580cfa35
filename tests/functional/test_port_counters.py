"""What ports sent and received, from a real Open vSwitch over a real RabbitMQ into Ceilometer's samples. Needs root."""

from __future__ import annotations

import time
import unittest
from typing import ClassVar

import pytest

from tests.bed.host import HostCase
from tests.bed.needs import OVS, missing
from tests.bed.notification_listener import Listener, missing_listener
from tests.bed.rabbitmq import RabbitmqServer
from tests.bed.roles import RolesCase

BYTES = 1000
PINGS = 20


class Pinging(HostCase):
    """Two VMs that ping each other."""

    def check(self, server: RabbitmqServer, host: str) -> None:
        """Check what is told of them."""
        network = self.make_network("10.0.0.0/24")
        one, other = self.plugged(network), self.plugged(network)
        self.assertTrue(one.can_reach(other.ip))
        one.vm.run("ping", "-n", "-q", f"-c{PINGS}", f"-s{BYTES}", "-i0.05", other.ip)
        # The switch writes its counters every five seconds, and we tell them every two.
        time.sleep(9.0)
        heard = Listener(server, 60, silence=1.5).heard()
        told = [each for each in heard if each["event_type"] == "port.counters"]
        mine = [each for each in told if each["payload"]["port_id"] == one.id]
        self.assertEqual({each["payload"]["host"] for each in mine}, {host})
        samples = {each["name"]: each for each in mine[-1]["samples"]}
        wanted = {f"network.{way}.{what}" for way in ("incoming", "outgoing") for what in ("bytes", "packets")}
        self.assertEqual(set(samples), wanted)
        for way in ("incoming", "outgoing"):
            self.assertGreaterEqual(samples[f"network.{way}.bytes"]["volume"], PINGS * BYTES)
        sample = samples["network.outgoing.bytes"]
        self.assertEqual((sample["resource_id"], sample["type"]), (one.id, "cumulative"))
        self.assertEqual(sample["project_id"], one.port["project_id"])
        sums = [each["payload"]["outgoing_bytes"] for each in mine]
        self.assertEqual(sums, sorted(sums))


class PortCountersTests(Pinging):
    """One process does everything."""

    skip = missing(*OVS, "ping") or missing_listener()
    server: ClassVar[RabbitmqServer]

    @classmethod
    def setUpClass(cls) -> None:
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        cls.server = RabbitmqServer()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.settings = {**cls.server.settings(), "notifications.counters_seconds": "2"}
        super().setUpClass()

    def test_what_a_vm_sent_is_a_sample_of_its_port(self) -> None:
        """By quantumd's meters for Ceilometer, with its project; sums only grow."""
        self.check(self.server, "host-a")


class RemotePortCountersTests(RolesCase, Pinging):
    """The API process tells, and the switch is on another host."""

    skip = RolesCase.skip or missing_listener()
    settings: ClassVar = {"notifications.enabled": "true", "notifications.counters_seconds": "2"}

    @pytest.mark.time_limit(180)
    def test_what_a_vm_on_a_host_sent_is_a_sample_of_its_port(self) -> None:
        """As if it were here."""
        self.check(self.broker, "host-a")

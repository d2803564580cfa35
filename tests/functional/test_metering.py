"""What metering labels count at routers, into Ceilometer's samples over a real RabbitMQ. Needs root."""

from __future__ import annotations

import re
import time
import unittest
from typing import Any, ClassVar

import pytest

from tests.bed.appliance import Appliance
from tests.bed.host import Guest
from tests.bed.notification_listener import Listener, missing_listener
from tests.bed.openvswitch import PrivateOvs
from tests.bed.rabbitmq import RabbitmqServer
from tests.bed.routed import RouterCase

PAYLOAD = 1000
PINGS = 20
IN_ALL = PINGS * (PAYLOAD + 28)
"""Bytes, with the heads of IP and ICMP."""


class MeteringTests(RouterCase):
    """A VM behind a router, and the world."""

    skip = RouterCase.skip or missing_listener()
    server: ClassVar[RabbitmqServer]

    @classmethod
    def setUpClass(cls) -> None:
        """Start the switch, the broker and quantumd, all in one namespace."""
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        cls.take_directory()
        cls.ovs = PrivateOvs(cls.directory / "ovs")
        cls.addClassCleanup(cls.ovs.stop)
        where = cls.ovs.namespace
        cls.server = RabbitmqServer(where)
        cls.addClassCleanup(cls.server.close)
        settings = {**cls.server.settings(), "notifications.meters_seconds": "3"}
        cls.appliance = Appliance(cls.directory / "quantumd", cls.ovs.directory, settings, namespace=where)
        cls.addClassCleanup(lambda: cls.appliance.close())
        cls.ovs.start()
        cls.prepare_switch()
        cls.server.start()
        cls.appliance.start("/readyz")

    def setUp(self) -> None:
        """Make them, and a label that counts what goes out but for a part of the network."""
        super().setUp()
        self.network, self.outside = self.make_network("10.0.0.0/24"), self.make_outside()
        self.router = self.make_router(self.network, outside=self.outside)
        (subnet,) = self.subnets_of(self.network)
        self.guest, self.excluded = (
            self.open_guest(self.network, fixed_ips=[{"subnet_id": subnet["id"], "ip_address": address}])
            for address in ("10.0.0.20", "10.0.0.200")
        )
        self.world = self.open_guest(self.outside)
        self.label = self.make("metering_label", name="out")["id"]
        self.count("egress", "10.0.0.0/24")
        self.count("egress", "10.0.0.128/25", excluded=True)

    def make(self, kind: str, **said: Any) -> dict[str, Any]:
        """Make a label or a rule."""
        answer = self.appliance.request("POST", f"/v2.0/metering/{kind.replace('_', '-')}s", {kind: said})
        self.assertEqual(answer.status, 201, answer.body)
        made: dict[str, Any] = answer.body[kind]
        return made

    def count(self, direction: str, prefix: str, **more: Any) -> None:
        """Give the label a rule, and wait until the router has it."""
        self.make(
            "metering_label_rule", metering_label_id=self.label, direction=direction, remote_ip_prefix=prefix, **more
        )
        self.wait_for(
            "the router counts so", lambda: prefix in self.inside_router(self.router, "nft", "list", "ruleset")
        )

    def rules(self) -> str:
        """Return the router's filters, with their handles and without what they counted."""
        listed = self.inside_router(self.router, "nft", "-a", "list", "ruleset")
        return re.sub(r"packets \d+ bytes \d+", "", listed)

    def ping(self, guest: Guest) -> None:
        """Send to the world what is counted."""
        guest.vm.run("ping", "-n", "-q", f"-c{PINGS}", f"-s{PAYLOAD}", "-i0.02", self.world.ip)

    def told(self) -> list[dict[str, Any]]:
        """Return what was told of the label since this was asked last."""
        time.sleep(4.0)
        heard = Listener(self.server, 60, silence=1.5, has_own_meters=True).heard()
        return [each for each in heard if each["payload"].get("label_id") == self.label and "bytes" in each["payload"]]

    @pytest.mark.time_limit(240)
    def test_what_is_told_is_what_was_sent(self) -> None:
        """In bytes and packets, over a change of rules, a restart and a kill; not what a rule excludes.

        Three rounds of pings go out, and the answers to two come in when that is counted too.
        """
        self.ping(self.guest)
        self.ping(self.excluded)
        self.count("ingress", "10.0.0.16/28")
        self.ping(self.guest)
        before = self.rules()
        self.appliance.restart("/readyz")
        self.assertEqual(self.rules(), before)
        self.appliance.kill()
        self.ping(self.guest)
        self.appliance.start("/readyz")
        told = self.told()
        self.assertEqual({each["event_type"] for each in told}, {"l3.meter"})
        self.assertEqual(sum(each["payload"]["pkts"] for each in told), 5 * PINGS)
        self.assertEqual(sum(each["payload"]["bytes"] for each in told), 5 * IN_ALL)
        payload = told[-1]["payload"]
        self.assertEqual((payload["host"], payload["project_id"]), ("host-a", self.router["project_id"]))
        self.assertLessEqual(payload["first_update"], payload["last_update"])
        samples = [sample for each in told for sample in each["samples"] if sample["name"] == "bandwidth"]
        self.assertEqual({(each["resource_id"], each["type"]) for each in samples}, {(self.label, "delta")})
        self.assertEqual(sum(each["volume"] for each in samples), 5 * IN_ALL)
        self.assertEqual(sum(each["payload"]["bytes"] for each in self.told()), 0)

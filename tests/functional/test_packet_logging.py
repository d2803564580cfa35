"""Logging by real packets: which line is written of what passes and of what does not. Needs root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.bed.host import Guest
from tests.bed.wire import Wire
from tests.functional.test_security_groups import GroupsCase

SETTLE_SECONDS = 1.0


class LoggingCase(GroupsCase):
    """Logs by the API, and the lines that come of them."""

    settings: ClassVar[Mapping[str, str]] = {
        **GroupsCase.settings,
        "l2.log_rate_pps": "20",
        "l2.log_burst_packets": "20",
    }

    def setUp(self) -> None:
        """A server with one rule, and a client."""
        super().setUp()
        network = self.make_network("10.0.0.0/24")
        self.server_group = self.group()
        self.rule_id = self.rule(self.server_group, protocol="udp", port_range_min=5000, port_range_max=5000)
        self.server = self.members(network, self.server_group)
        self.client = self.members(network, self.group())
        self.start = len(self.appliance.log())

    def log(self, **said: Any) -> str:
        """Make a log of security groups; it is in force."""
        made = self.appliance.request(
            "POST", "/v2.0/log/logs", {"log": {"resource_type": "security_group", "name": "l", **said}}
        )
        self.assertEqual(made.status, 201, made.body)
        self.addCleanup(self.appliance.request, "DELETE", f"/v2.0/log/logs/{made.body['log']['id']}")
        self.wait_for("the log's flows", lambda: bool(self.flows_with("cookie=0x510d")))
        return str(made.body["log"]["id"])

    def lines(self) -> list[dict[str, str]]:
        """Return the fields of the lines so far."""
        text = (
            line for line in self.appliance.log()[self.start :].splitlines() if " quantumd.packet_log  packet " in line
        )
        found = [dict(part.split("=", 1) for part in line.partition("  packet ")[2].split()) for line in text]
        # VMs say things of IPv6 by themselves.
        return [line for line in found if line["ethertype"] == "IPv4"]

    def line_with(self, **wanted: str) -> dict[str, str]:
        """Wait for a line with these fields."""

        def found() -> list[dict[str, str]]:
            return [line for line in self.lines() if wanted.items() <= line.items()]

        self.wait_for(f"a line with {wanted}", lambda: bool(found()), SETTLE_SECONDS)
        return found()[0]

    def send(self, sender: Guest, receiver: Guest, *ports: int) -> None:
        """Send UDP datagrams."""
        with Wire(sender.vm.namespace) as mouth:
            for port in ports:
                packet = IP(src=sender.ip, dst=receiver.ip) / UDP(sport=4000, dport=port) / Raw(b"a datagram")
                mouth.send(bytes(Ether(src=sender.mac, dst=receiver.mac) / packet))


class LinesTests(LoggingCase):
    """What is written."""

    def test_what_a_rule_lets_in_is_logged_with_the_rule(self) -> None:
        """Once a connection, with the log, its project, the port and both ends; the datagrams arrive as ever."""
        log_id = self.log(resource_id=self.server_group["id"], event="ALL")
        self.assertTrue(self.hears_datagram(self.server, self.client, 5000))
        line = self.line_with(action="ACCEPT")
        expected = {
            "action": "ACCEPT", "direction": "ingress", "log": log_id, "project": '""', "port": self.server.id,
            "rule": self.rule_id, "ethertype": "IPv4", "protocol": "udp",
            "source": self.client.ip, "target": self.server.ip, "source_port": "4000", "target_port": "5000",
        }  # fmt: skip
        self.assertEqual(line, expected)
        self.assertTrue(self.hears_datagram(self.server, self.client, 5000))
        self.assertEqual(len(self.lines()), 1)

    def test_what_no_rule_lets_in_is_logged_as_dropped(self) -> None:
        """Without a rule; each packet of it."""
        self.log(target_id=self.server.id, event="DROP")
        self.assertFalse(self.hears_datagram(self.server, self.client, 5001))
        line = self.line_with(action="DROP")
        self.assertEqual((line["target_port"], line["port"], "rule" in line), ("5001", self.server.id, False))
        self.assertTrue(self.hears_datagram(self.server, self.client, 5000))
        self.assertEqual(len(self.lines()), 1)

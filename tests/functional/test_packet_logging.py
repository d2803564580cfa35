"""Logging by real packets: which line is written of what passes and of what does not. Needs root."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from quantumd.l2.drivers.ovs.packet_log import COUNT_SECONDS
from tests.bed.host import Guest
from tests.bed.rule_table import Row
from tests.bed.wire import Wire
from tests.functional.test_security_groups import GroupsCase, TableTests

SETTLE_SECONDS = 1.0


class LoggingCase(GroupsCase):
    """Logs by the API, and the lines that come of them."""

    start: int

    def setUp(self) -> None:
        """Lines from now on."""
        super().setUp()
        self.start = len(self.appliance.log())

    def log(self, **said: Any) -> str:
        """Make a log of security groups; it is in force."""
        made = self.make_log(**said)
        self.wait_for("the log's flows", lambda: bool(self.flows_with("cookie=0x510d")))
        return made

    def make_log(self, **said: Any) -> str:
        """Make a log of security groups, which goes with the test."""
        made = self.appliance.request(
            "POST", "/v2.0/log/logs", {"log": {"resource_type": "security_group", "name": "l", **said}}
        )
        self.assertEqual(made.status, 201, made.body)
        self.addCleanup(self.appliance.request, "DELETE", f"/v2.0/log/logs/{made.body['log']['id']}")
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


class ServerCase(LoggingCase):
    """A server that lets one port in, and a client."""

    def setUp(self) -> None:
        """A server with one rule, and a client."""
        super().setUp()
        network = self.make_network("10.0.0.0/24")
        self.server_group = self.group()
        self.rule_id = self.rule(self.server_group, protocol="udp", port_range_min=5000, port_range_max=5000)
        self.server = self.members(network, self.server_group)
        self.client_group = self.group()
        self.client = self.members(network, self.client_group)


class LinesTests(ServerCase):
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

    def test_the_sender_has_lines_of_its_own(self) -> None:
        """With its rule that lets it out, also of what the receiver drops; when the log goes, so do the lines."""
        log_id = self.log(target_id=self.client.id)
        self.assertFalse(self.hears_datagram(self.server, self.client, 5001))
        line = self.line_with(action="ACCEPT", direction="egress", target_port="5001")
        (named,) = (rule for rule in self.client_group["security_group_rules"] if rule["id"] == line["rule"])
        self.assertEqual((named["direction"], named["ethertype"]), ("egress", "IPv4"))
        self.appliance.request("DELETE", f"/v2.0/log/logs/{log_id}")
        self.wait_for("the end of the log", lambda: not self.flows_with("cookie=0x510d"))
        self.assertFalse(self.hears_datagram(self.server, self.client, 5002))
        self.assertEqual(len(self.lines()), 1)


class TableOfLinesTests(TableTests, LoggingCase):
    """The table of who reaches whom: both ends have the line that is expected of them."""

    settings: ClassVar[Mapping[str, str]] = {
        **GroupsCase.settings,
        # What VMs say by themselves is not to count against what is looked for.
        "l2.log_rate_pps": "1000",
        "l2.log_burst_packets": "1000",
    }

    def test_every_row(self) -> None:
        """Verdicts are what they are without logs."""
        self.make_log()
        super().test_every_row()

    def arrives(self, row: Row, guests: Mapping[str, Guest]) -> bool:
        """Whether the row's packet arrives, by what is logged and by what is received."""
        self.start = len(self.appliance.log())
        arrived = super().arrives(row, guests)
        sender, receiver = guests[row.sender], guests[row.receiver]
        self.line_with(port=sender.id, direction="egress", action="ACCEPT", target=receiver.ip)
        action = "ACCEPT" if row.expected else "DROP"
        line = self.line_with(port=receiver.id, direction="ingress", action=action, source=sender.ip)
        self.assertEqual("rule" in line, row.expected, row.name)
        return arrived


class RateTests(ServerCase):
    """A host logs so much and no more."""

    settings: ClassVar[Mapping[str, str]] = {
        **GroupsCase.settings,
        "l2.log_rate_pps": "5",
        "l2.log_burst_packets": "5",
    }
    sent: ClassVar[int] = 200

    def burst(self, port: int) -> int:
        """Send as many datagrams, each of a connection of its own; return how many arrive."""
        with Wire(self.server.vm.namespace) as ear, Wire(self.client.vm.namespace) as mouth:
            for n in range(self.sent):
                packet = IP(src=self.client.ip, dst=self.server.ip) / UDP(sport=10_000 + n, dport=port) / Raw(b"burst")
                mouth.send(bytes(Ether(src=self.client.mac, dst=self.server.mac) / packet))
            time.sleep(SETTLE_SECONDS)
            return sum(b"burst" in frame for frame in ear.received())

    def lost(self) -> int:
        """Return how many packets were said to be too many."""
        text = self.appliance.log()[self.start :]
        return sum(int(n) for n in re.findall(r"([0-9]+) packets were too many to be logged", text))

    def test_what_is_too_much_passes_unlogged_and_is_counted(self) -> None:
        """Every packet arrives; each is either logged or counted."""
        self.log(target_id=self.server.id, event="ACCEPT")
        self.assertEqual(self.burst(5000), self.sent)
        self.assertLess(len(self.lines()), self.sent / 4)
        self.assertGreater(len(self.lines()), 0)
        self.wait_for("the count", lambda: self.lost() + len(self.lines()) == self.sent, 2 * COUNT_SECONDS)
        self.assertEqual(self.appliance.metrics()["quantumd_unlogged_packets"], self.lost())
        # Whether it is logged or not.
        self.log(target_id=self.server.id, event="DROP")
        self.assertEqual(self.burst(5001), 0)
        self.assertLess(len(self.lines()), self.sent / 4)

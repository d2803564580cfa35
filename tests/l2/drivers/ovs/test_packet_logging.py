"""Logging, on an Open vSwitch in memory: which lines come of which packets, and that nothing else comes of it."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import LogEvent
from twisted.logger import globalLogPublisher as publisher
from twisted.trial.unittest import SynchronousTestCase

from quantumd.converge.records import Records
from quantumd.edge.openflow.interfaces import Meter, PacketIn, SwitchChange
from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.edge.openflow.memory_channel import MemoryPacketChannel
from quantumd.l2.drivers.ovs.features.packet_logging import Judged, unpack_judged
from quantumd.l2.drivers.ovs.numbers import NetworkNumbers
from quantumd.l2.drivers.ovs.packet_log import COUNT_SECONDS, PacketLog, look_at
from quantumd.l2.drivers.ovs.pipeline import LOG_METER, Feature
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.model.logging_records import PacketLog as Log
from quantumd.model.logging_records import PortLogsRecord
from quantumd.model.messages import Gone, Update
from tests.bed.guarded import EVERYTHING_OUT, GuardedBed, Member, frame_of, rule, traffic_between
from tests.contracts.l2_driver import HOST

UDP, TCP, ICMP = 17, 6, 1
FLOWS_PER_PORT = 9


class LoggedCase(SynchronousTestCase):
    """A client that may send everything, and a server that lets UDP to port 5000 in."""

    def setUp(self) -> None:
        """Hear the lines."""
        self.host = GuardedBed()
        self.addCleanup(self.host.stop)
        self.client, self.server = Member(1, groups=("clients",)), Member(2, groups=("servers",))
        self.host.group("clients", *EVERYTHING_OUT)
        self.host.group("servers", rule(name="opened", protocol=UDP, first=5000, last=5000))
        self.host.plug(self.client, self.server)
        self.lines: list[LogEvent] = []
        publisher.addObserver(self.hear)  # type: ignore[arg-type]
        self.addCleanup(publisher.removeObserver, self.hear)  # type: ignore[arg-type]

    def hear(self, event: LogEvent) -> None:
        """Keep what is written of packets."""
        if event.get("log_namespace") == "quantumd.packet_log":
            self.lines.append(event)

    def log(self, member: Member, *events: str) -> None:
        """Tell the host of logs of a port."""
        logs = tuple(Log(f"log-{event}", "a project", event) for event in events)
        self.host.tell(PortLogsRecord(member.id, 1, logs))

    def asks(self, port: int, protocol: int = UDP) -> bool:
        """Let the client send a packet; whether it arrives."""
        traffic = traffic_between(self.client, self.server, protocol, port)
        return self.host.reaches(self.client, self.server, traffic)

    def said(self, *names: str) -> list[tuple[object, ...]]:
        """Return these fields of each line."""
        return [tuple(line.get(name) for name in names) for line in self.lines]

    def logging_flows(self) -> int:
        """How many flows copy packets."""
        flows = self.host.world.switch.flows.values()
        return sum(flow.cookie >> 48 & 0xFF == Feature.LOGGING for flow in flows)


class LineTests(LoggedCase):
    """What lines say."""

    def test_a_line_says_it_all(self) -> None:
        """What it was, who asked, whose port it is and which rule let it pass."""
        self.log(self.server, "ALL")
        self.assertTrue(self.asks(5000))
        (line,) = self.lines
        expected = {
            "action": "ACCEPT", "direction": "ingress", "log": "log-ALL", "project": "a project",
            "port": self.server.id, "rule": "opened", "ethertype": "IPv4", "protocol": "udp",
            "source": self.client.ips[0], "target": self.server.ips[0], "source_port": 4000, "target_port": 5000,
        }  # fmt: skip
        self.assertEqual({name: line[name] for name in expected}, expected)

    def test_the_sender_and_the_receiver_have_lines_of_their_own(self) -> None:
        """What the sender's groups let out and the receiver's do not let in."""
        self.log(self.client, "ALL")
        self.log(self.server, "ALL")
        self.assertFalse(self.asks(5001))
        expected = [("egress", "ACCEPT", self.client.id), ("ingress", "DROP", self.server.id)]
        self.assertEqual(self.said("direction", "action", "port"), expected)

    def test_of_a_connection_the_first_packet_is_logged(self) -> None:
        """Not those that follow, not the answers."""
        self.log(self.client, "ALL")
        self.log(self.server, "ALL")
        self.assertTrue(self.asks(5000) and self.asks(5000))
        answer = frame_of(self.server, self.client, traffic_between(self.server, self.client, UDP, 4000), 5000)
        self.assertTrue(self.host.reached(self.server, answer))
        self.assertEqual(self.said("direction", "action"), [("egress", "ACCEPT"), ("ingress", "ACCEPT")])

    def test_events_are_told_apart(self) -> None:
        """A log of what is dropped has no line of what is accepted, and the other way round; each log has its own."""
        self.log(self.server, "ACCEPT", "DROP", "ALL")
        self.asks(5000)
        self.asks(5001)
        expected = [("log-ACCEPT", 5000), ("log-ALL", 5000), ("log-DROP", 5001), ("log-ALL", 5001)]
        self.assertEqual(self.said("log", "target_port"), expected)

    def test_icmp_has_type_and_code(self) -> None:
        """Instead of ports."""
        self.log(self.server, "DROP")
        self.asks(8, ICMP)
        self.assertEqual(self.said("protocol", "type", "code", "source_port"), [("icmp", 8, 0, None)])

    def test_what_is_not_ip_is_logged_by_its_type(self) -> None:
        """Of a sender that nothing guards; groups let nothing in that is neither IP nor ARP."""
        free = Member(3, port_security=False)
        self.host.plug(free)
        self.log(self.server, "DROP")
        frame = frame_of(free, self.server, traffic_between(free, self.server, UDP, 5000))
        self.host.reached(free, frame[:12] + b"\x88\xcc" + frame[14:])
        self.assertEqual(self.said("ethertype", "source_mac"), [("0x88cc", free.mac)])

    def test_of_what_is_not_tracked_every_packet_is_logged(self) -> None:
        """Stateless groups know no connections."""
        self.host.group("servers", rule(name="opened", protocol=UDP), is_stateful=False)
        self.log(self.server, "ALL")
        self.assertTrue(self.asks(5000) and self.asks(5000))
        self.assertEqual(self.said("action", "rule"), [("ACCEPT", "opened")] * 2)


class FlowTests(LoggedCase):
    """How many flows that takes, and when."""

    def test_a_port_that_is_logged_has_so_many_more(self) -> None:
        """Whatever its rules; others have none."""
        self.assertEqual(self.logging_flows(), 0)
        self.log(self.server, "ALL", "DROP")
        self.assertEqual(self.logging_flows(), FLOWS_PER_PORT)
        self.host.group("servers", *(rule(protocol=UDP, first=port, last=port) for port in range(1, 50)))
        self.assertEqual(self.logging_flows(), FLOWS_PER_PORT)
        self.log(self.client, "ACCEPT")
        self.assertEqual(self.logging_flows(), FLOWS_PER_PORT + 4)

    def test_a_log_that_ends_leaves_nothing(self) -> None:
        """Its port is as it was."""
        before = dict(self.host.flows())
        self.log(self.server, "ALL")
        self.host.version += 1
        gone = (Gone(PortLogsRecord.kind, self.server.id, self.host.version),)
        self.host.bed.update(Update(HOST, "l2", gone=gone))
        self.assertEqual(self.host.flows(), before)

    def test_nothing_is_judged_at_a_port_without_port_security(self) -> None:
        """So there is nothing to log."""
        free = Member(3, groups=("clients",), port_security=False)
        self.host.plug(free)
        self.log(free, "ALL")
        self.assertEqual(self.logging_flows(), 0)


class CountTests(SynchronousTestCase):
    """What is too much to be logged."""

    def setUp(self) -> None:
        """A switch with the meter of logs."""
        self.clock, self.switch = Clock(), MemorySwitch()
        view = HostView(Records(), NetworkNumbers())
        self.log = PacketLog(MemoryPacketChannel(self.switch, 7), self.switch, view, self.clock)
        self.switch.start()
        self.switch.change(SwitchChange(put_meters=(Meter(LOG_METER, 100, 25),)))
        self.log.startService()
        self.addCleanup(self.log.stopService)

    def lost_after(self, drops: int) -> int:
        """Let the meter have dropped so many, and return what is counted."""
        self.switch.drops[LOG_METER] = drops
        self.clock.advance(COUNT_SECONDS)
        return self.log.lost

    def test_it_is_counted(self) -> None:
        """Also by a switch that starts again."""
        self.assertEqual([self.lost_after(drops) for drops in (3, 3, 10, 2)], [3, 3, 10, 12])

    def test_a_switch_that_is_away_is_asked_again(self) -> None:
        """Or one whose meter is."""
        self.switch.restart()
        self.assertEqual(self.lost_after(3), 0)
        self.switch.disconnect()
        self.assertEqual(self.lost_after(3), 0)
        self.switch.connect()
        self.switch.change(SwitchChange(put_meters=(Meter(LOG_METER, 100, 25),)))
        self.assertEqual(self.lost_after(3), 3)


class UserdataTests(SynchronousTestCase):
    """What a flow says of its copies."""

    def test_it_comes_back(self) -> None:
        """All four kinds; nothing else is one."""
        port_id = Member(1).id
        for direction in ("ingress", "egress"):
            for event in ("ACCEPT", "DROP"):
                judged = Judged(port_id, direction, event)
                self.assertEqual(unpack_judged(judged.pack()), judged)
        for wrong in (b"", b"\x01" + bytes(16), b"\x02\x04" + bytes(16), b"\x02\x01" + bytes(17)):
            self.assertIsNone(unpack_judged(wrong))
        self.assertRaises(ValueError, Judged("p", "ingress", "DROP").pack)


class RubbishTests(SynchronousTestCase):
    """Frames come from VMs."""

    def test_no_frame_breaks_a_line(self) -> None:
        """However short it is cut."""
        for version in (4, 6):
            for protocol in (ICMP, TCP, UDP, 58, 132, 47):
                sender, receiver = Member(1), Member(2)
                frame = frame_of(sender, receiver, traffic_between(sender, receiver, protocol, 8, version))
                for length in range(len(frame) + 1):
                    self.assertTrue(look_at(frame[:length]).fields)

    def test_a_port_that_nobody_knows_has_no_line(self) -> None:
        """A copy may come after its port went."""
        switch = MemorySwitch()
        log = PacketLog(MemoryPacketChannel(switch, 7), switch, HostView(Records(), NetworkNumbers()), Clock())
        switch.start()
        log.startService()
        self.addCleanup(log.stopService)
        log._received(PacketIn(1, Judged(Member(1).id, "ingress", "DROP").pack(), b""))

"""The service: frames in, frames out, counted and logged."""

from __future__ import annotations

from collections import Counter

from attrs import define, evolve, field
from twisted.internet.task import Clock
from twisted.logger import LogEvent, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import pack_ip
from quantumd.dhcp.message import MessageType
from quantumd.dhcp.service import DhcpService
from quantumd.dhcp.table import DhcpTable
from quantumd.edge.dhcpv6.messages import MessageType6
from quantumd.edge.frames.interfaces import PortFrame, Purpose
from quantumd.edge.frames.memory import MemoryFrames
from tests.dhcp.client import MAC, NETWORK, PORT, frame_of, read, request_payload
from tests.dhcp.client6 import ADDRESS, CLIENT, NETWORK6, PORT6, SERVER, frame6_of, ia, payload6, read6
from tests.dhcp.test_neighbour import asked
from tests.dhcp.test_oracle6 import solicitation

DISCOVER = frame_of(request_payload(MessageType.DISCOVER))
REBOOT = frame_of(request_payload(MessageType.REQUEST, [(50, pack_ip("10.0.0.5"))]))
FOREIGN = frame_of(request_payload(MessageType.REQUEST, [(50, pack_ip("10.0.0.6"))]))
RELEASE = frame_of(request_payload(MessageType.RELEASE, ciaddr="10.0.0.5"))

SOLICIT6 = frame6_of(payload6(MessageType6.SOLICIT, (CLIENT, ia())))
REQUEST6 = frame6_of(payload6(MessageType6.REQUEST, (CLIENT, SERVER, ia(ADDRESS))))


@define
class Tally:
    """A counter that can be looked at."""

    counts: Counter[tuple[str, str]] = field(factory=Counter)

    def add(self, asked: str, outcome: str) -> None:
        """One more."""
        self.counts[(asked, outcome)] += 1


class ServiceTests(SynchronousTestCase):
    """One port that is served."""

    def setUp(self) -> None:
        self.frames, self.table, self.clock, self.tally = MemoryFrames(), DhcpTable(), Clock(), Tally()
        self.table.put_network(NETWORK)
        self.table.put_port(PORT)
        self.service = DhcpService(self.frames, self.table, DhcpSettings(), self.clock, self.tally)
        self.logged = self.enterContext(capturedLogs())
        self.service.startService()

    @property
    def events(self) -> list[LogEvent]:
        """What the service logged."""
        return [event for event in self.logged if "outcome" in event]

    def say(self, frame: bytes, port_id: str = PORT.id) -> None:
        """The device of a port sends a frame."""
        self.frames.arrive(PortFrame(Purpose.DHCP4, port_id, frame, 7))

    def test_it_answers_to_where_the_frame_came_from(self) -> None:
        """The offer leaves by the port that asked."""
        self.say(DISCOVER)
        ((reply_to, frame),) = self.frames.sent
        self.assertEqual((reply_to, read(frame).message.type), (7, MessageType.OFFER))

    def test_it_counts_what_was_asked_and_what_came_of_it(self) -> None:
        """By type of message, and by reason for what got no answer."""
        for frame in (
            DISCOVER,
            REBOOT,
            FOREIGN,
            RELEASE,
            b"junk",
            frame_of(request_payload(MessageType.DISCOVER), source_mac="02:00:00:00:00:01"),
        ):
            self.say(frame)
        self.assertEqual(
            self.tally.counts,
            {
                ("discover", "offer"): 1,
                ("request", "ack"): 1,
                ("request", "nak"): 1,
                ("release", "noted"): 1,
                ("unknown", "frame_truncated"): 1,
                ("discover", "foreign_mac"): 1,
            },
        )

    def test_an_unknown_port_is_not_answered(self) -> None:
        """Its entry is not there yet, or no longer."""
        self.say(DISCOVER, "another")
        self.assertEqual((self.frames.sent, self.tally.counts), ([], {("unknown", "unknown_port"): 1}))

    def test_a_port_without_a_served_network_is_not_answered(self) -> None:
        """DHCP was switched off."""
        self.table.remove_network(NETWORK.id)
        self.say(DISCOVER)
        self.assertEqual((self.frames.sent, self.tally.counts), ([], {("unknown", "not_served"): 1}))

    def test_a_flood_is_limited(self) -> None:
        """A second's worth is answered; another port does not notice."""
        other = evolve(PORT, id="other")
        self.table.put_port(other)
        for _ in range(1000):
            self.say(DISCOVER)
        self.say(DISCOVER, "other")
        self.assertEqual(len(self.frames.sent), 21)
        self.assertEqual(self.tally.counts[("unknown", "rate_limited")], 980)

    def test_it_says_nothing_when_stopped(self) -> None:
        """Frames are left to the process that follows."""
        self.service.stopService()
        self.say(DISCOVER)
        self.assertEqual(self.frames.sent, [])

    def test_started_again_it_answers_once(self) -> None:
        """It listens only once."""
        self.service.stopService()
        self.service.startService()
        self.say(DISCOVER)
        self.assertEqual(len(self.frames.sent), 1)

    def test_a_lease_is_one_line(self) -> None:
        """With port, MAC, address, message and time; an offer is none."""
        self.say(DISCOVER)
        self.say(REBOOT)
        (event,) = self.events
        shown = {name: event[name] for name in ("asked", "port", "mac", "address", "outcome", "untold")}
        expected = {
            "asked": "request",
            "port": PORT.id,
            "mac": MAC,
            "address": "10.0.0.5",
            "outcome": "ack",
            "untold": 0,
        }
        self.assertEqual(shown, expected)
        self.assertIn("ms", event)

    def test_a_flood_does_not_fill_the_log(self) -> None:
        """A minute of refusals at the full rate: a few lines, which say how many they stand for."""
        for _ in range(60 * 20):
            self.clock.advance(0.05)
            self.say(FOREIGN)
        self.assertLess(len(self.events), 25)
        told = len(self.events) + sum(int(str(event["untold"])) for event in self.events)
        self.assertGreater(told, 1000)

    def test_ipv6_is_answered_beside_ipv4(self) -> None:
        """From the same table, within the same limit, under names of its own."""
        self.table.put_network(evolve(NETWORK, subnets6=NETWORK6.subnets6))
        self.table.put_port(evolve(PORT, fixed_ips6=PORT6.fixed_ips6))
        for frame in (SOLICIT6, REQUEST6, b"junk"):
            self.frames.arrive(PortFrame(Purpose.DHCP6, PORT.id, frame, 7))
        self.assertEqual(
            self.tally.counts,
            {("solicit6", "advertise"): 1, ("request6", "reply"): 1, ("unknown", "frame_truncated"): 1},
        )
        kinds = [read6(frame).kind for _, frame in self.frames.sent]
        self.assertEqual(kinds, [MessageType6.ADVERTISE, MessageType6.REPLY])
        (event,) = self.events
        self.assertEqual((event["asked"], event["address"], event["outcome"]), ("request6", ADDRESS, "reply"))
        for _ in range(100):
            self.say(DISCOVER)
        self.assertEqual(len(self.frames.sent), 19)

    def test_who_asks_for_the_server_is_told(self) -> None:
        """Over IPv4 and IPv6; not of a network that is not served, nor when stopped."""
        self.table.put_network(evolve(NETWORK, subnets6=NETWORK6.subnets6))
        questions = ((Purpose.ARP, asked()), (Purpose.SOLICITATION, solicitation()))
        for purpose, frame in questions:
            self.frames.arrive(PortFrame(purpose, PORT.id, frame, 7))
            self.frames.arrive(PortFrame(purpose, "another", frame, 8))
        self.assertEqual([reply_to for reply_to, _ in self.frames.sent], [7, 7])
        self.service.stopService()
        for purpose, frame in questions:
            self.frames.arrive(PortFrame(purpose, PORT.id, frame, 7))
        self.assertEqual(len(self.frames.sent), 2)

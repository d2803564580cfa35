"""What an attacker with root inside a VM sends, on an Open vSwitch in memory: who gets it."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.guarded import EVERYTHING_OUT, GuardedBed, Member, frame_of, rule, traffic_between

_UDP, _ICMPV6, _OPTIONS, _FRAGMENT = 17, 58, 60, 44
_ROUTER_ADVERTISEMENT = bytes((134, *bytes(15)))
_EVERYONE = bytes.fromhex("333300000001")


class AttackCase(SynchronousTestCase):
    """An attacker whose groups let everything out and track nothing, and a victim without port security."""

    def setUp(self) -> None:
        """Plug both."""
        self.host = GuardedBed()
        self.addCleanup(self.host.stop)
        self.host.group("g", *EVERYTHING_OUT, rule(), rule(ethertype="IPv6"), is_stateful=False)
        self.attacker, self.victim = Member(1, groups=("g",)), Member(2, port_security=False)
        self.host.plug(self.attacker, self.victim)

    def arrives(self, *frame: bytes) -> bool:
        """Whether the victim gets a frame of the attacker."""
        return self.host.world.ofport_of(self.victim.id) in self.host.reached(self.attacker, b"".join(frame))

    def head(self, kind: int, length: int) -> bytes:
        """Return an IPv6 header of the attacker to everyone."""
        source = bytes.fromhex("fe80000000000000") + _interface(self.attacker)
        target = bytes.fromhex("ff020000000000000000000000000001")
        ipv6 = b"\x60\0\0\0" + length.to_bytes(2, "big") + bytes((kind, 255))
        return _EVERYONE + _mac(self.attacker) + b"\x86\xdd" + ipv6 + source + target


def _mac(member: Member) -> bytes:
    return bytes.fromhex(member.mac.replace(":", ""))


def _interface(member: Member) -> bytes:
    mac = _mac(member)
    return bytes((mac[0] ^ 2, *mac[1:3], 0xFF, 0xFE, *mac[3:]))


class GroupAddressTests(SynchronousTestCase):
    """A port whose MAC is a group's."""

    def test_it_takes_nothing_from_others(self) -> None:
        """What is for all nodes reaches all of them."""
        host = GuardedBed()
        self.addCleanup(host.stop)
        sender, receiver = Member(1, port_security=False), Member(2, port_security=False)
        thief = Member(3)
        host.plug(sender, receiver)
        host.tell(evolve(thief.record(1), mac_address="33:33:00:00:00:01"))
        host.world.plug(thief.id)
        host.bed.settle()
        frame = _EVERYONE + _mac(sender) + b"\x88\xb5" + bytes(50)
        self.assertIn(host.world.ofport_of(receiver.id), host.reached(sender, frame))


class ForgedStartTests(SynchronousTestCase):
    """Who is not guarded says that he is a VM that is, to one that lets something in."""

    def setUp(self) -> None:
        """Plug a victim that lets nothing in, a server, and a stranger that may send whatever it likes."""
        self.host = GuardedBed()
        self.addCleanup(self.host.stop)
        self.host.group("closed", *EVERYTHING_OUT)
        self.host.group("open", *EVERYTHING_OUT, rule(protocol=_UDP, first=53, last=53))
        self.victim, self.server = Member(1, groups=("closed",)), Member(2, groups=("open",))
        self.stranger = Member(3, port_security=False)
        self.host.plug(self.victim, self.server, self.stranger)

    def forges(self, source: Member, target: Member, source_port: int, target_port: int) -> bool:
        """Whether a datagram of the stranger reaches the target, said to be of the source."""
        traffic = traffic_between(source, target, _UDP, target_port)
        frame = frame_of(self.stranger, target, traffic, source_port)
        return self.host.world.ofport_of(target.id) in self.host.reached(self.stranger, frame)

    def test_no_answer_passes_to_who_did_not_ask(self) -> None:
        """Neither the stranger's nor the server's."""
        self.assertFalse(self.forges(self.server, self.victim, 53, 4000))
        self.assertTrue(self.forges(self.victim, self.server, 4000, 53))
        self.assertFalse(self.forges(self.server, self.victim, 53, 4000))
        answer = frame_of(self.server, self.victim, traffic_between(self.server, self.victim, _UDP, 4000), 53)
        self.assertNotIn(self.host.world.ofport_of(self.victim.id), self.host.reached(self.server, answer))

    def test_who_asked_is_answered(self) -> None:
        """The victim itself."""
        self.assertTrue(
            self.host.reaches(self.victim, self.server, traffic_between(self.victim, self.server, _UDP, 53))
        )
        answer = frame_of(self.server, self.victim, traffic_between(self.server, self.victim, _UDP, 4000), 53)
        self.assertIn(self.host.world.ofport_of(self.victim.id), self.host.reached(self.server, answer))


class ZoneTests(SynchronousTestCase):
    """The number of a network is the zone of its connections, and that of another network some day."""

    def test_no_connection_outlives_the_number_of_its_network(self) -> None:
        """Its ports are unplugged, as by a migration: another network may have the same addresses."""
        host = GuardedBed()
        self.addCleanup(host.stop)
        host.group("g", *EVERYTHING_OUT, rule())
        here, there = Member(1, groups=("g",)), Member(2, groups=("g",))
        others = Member(3, "n2", groups=("g",)), Member(4, "n2", groups=("g",))
        host.plug(here, there, *others)
        self.assertTrue(host.reaches(here, there, traffic_between(here, there, _UDP, 5000)))
        self.assertTrue(host.reaches(*others, traffic_between(*others, _UDP, 5000)))
        for member in (here, there):
            host.world.unplug(member.id)
            host.leave(member)
        zones = {entry.zone for entry in host.world.switch.connections}
        self.assertEqual(len(zones), 1)
        self.assertTrue(host.reaches(*others[::-1], traffic_between(*others[::-1], _UDP, 5000)))
        self.assertEqual({entry.zone for entry in host.world.switch.connections}, zones)


class HiddenHeaderTests(AttackCase):
    """Router advertisements and DHCP servers behind headers and in pieces."""

    def sent(self, *headers: bytes) -> bool:
        """Send a packet of headers, the first of which is a fragment's; return whether it arrives."""
        body = b"".join(headers)
        return self.arrives(self.head(_FRAGMENT, len(body)), body)

    def test_a_first_fragment_must_show_what_it_is(self) -> None:
        """Its headers may not end with it, nor beyond it; a datagram that is seen arrives."""
        for following in (_UDP, _ICMPV6):
            self.assertFalse(self.sent(_fragment(_OPTIONS), _options(following)))
            self.assertFalse(self.sent(_fragment(_OPTIONS), _options(following, size=2)))
            self.assertFalse(self.sent(_fragment(_FRAGMENT, more=0), _fragment(_OPTIONS), _options(following)))
        self.assertTrue(self.sent(_fragment(_OPTIONS), _options(_UDP), b"\x0f\xa0\x0f\xa0\0\x10\0\0", bytes(8)))

    def test_no_header_before_an_advertisement_hides_it(self) -> None:
        """Options for each hop and for the end, routing, authentication, and a fragment that is the whole."""
        for kind in (0, 43, _OPTIONS):
            body = _options(_ICMPV6) + _ROUTER_ADVERTISEMENT
            self.assertFalse(self.arrives(self.head(kind, len(body)), body))
        body = bytes((_ICMPV6, 4, *bytes(22))) + _ROUTER_ADVERTISEMENT
        self.assertFalse(self.arrives(self.head(51, len(body)), body))
        self.assertFalse(self.sent(_fragment(_ICMPV6, more=0), _ROUTER_ADVERTISEMENT))
        self.assertFalse(self.sent(_fragment(_ICMPV6), _ROUTER_ADVERTISEMENT))


def _fragment(following: int, more: int = 1) -> bytes:
    return bytes((following, 0, 0, more, 0, 0, 0, 7))


def _options(following: int, size: int = 0) -> bytes:
    return bytes((following, size, 1, 4 + 8 * size, 0, 0, 0, 0))

"""Security groups and port security on Linux bridges: the same tables and attacks as on Open vSwitch. Needs root."""

from __future__ import annotations

from scapy.layers.dhcp6 import DHCP6_Advertise
from scapy.layers.inet import UDP
from scapy.layers.inet6 import ICMPv6ND_RA, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from tests.bed.attacker import AttackCase, link_local
from tests.bed.bridges import BRIDGES, BridgedCase
from tests.bed.host import Guest
from tests.bed.needs import missing
from tests.bed.wire import Wire
from tests.functional import test_attacks as attacks
from tests.functional import test_dhcp as dhcp
from tests.functional import test_port_security as port_security
from tests.functional import test_security_groups as groups

_LONG = bytes(1300)
"""So that there are pieces of a size that IPv6 has (RFC 8200, 5)."""


class TableTests(BridgedCase, groups.TableTests):
    """Every row of the table that all drivers keep."""


class ReachTests(BridgedCase, groups.ReachTests):
    """Who reaches whom."""

    def test_members_reach_each_other_and_strangers_do_not(self) -> None:
        """A port of another group on the same network gets no answer, though it may send."""
        network = self.make_network("10.0.0.0/24")
        first, second = self.plugged(network), self.plugged(network)
        stranger = self.members(network, self.group())
        self.assertTrue(first.can_reach(second.ip))
        self.assertTrue(second.can_reach(first.ip))
        self.assertFalse(stranger.can_reach(first.ip, tries=2))


class RevocationTests(BridgedCase, groups.RevocationTests):
    """What ends when a rule goes."""


class SpoofingTests(BridgedCase, port_security.SpoofingTests):
    """What a port says it is."""


class OverlapTests(BridgedCase, attacks.OverlapTests):
    """Equal addresses on two networks."""


class RelatedTests(BridgedCase, attacks.RelatedTests):
    """Errors about connections."""


class ForgedStartTests(BridgedCase, attacks.ForgedStartTests):
    """Connections that somebody else began in a port's name."""


class StrangeFrameTests(BridgedCase, attacks.StrangeFrameTests):
    """Frames that hide from what looks at IP and ARP."""

    def test_a_flood_of_questions_hinders_nobody(self) -> None:
        """ARP for every address, and requests for an address: another VM is plugged, and asks for its way."""
        mac = self.attacker.mac
        question = bytes(self.own(self.attacker))
        with Wire(self.attacker.vm.namespace) as mouth:
            mouth.send(*[dhcp.discover(mac), question] * 2000)
            other = self.plugged(self.network)
            mouth.send(*[dhcp.discover(mac), question] * 2000)
            other.can_reach("10.0.0.2", tries=1)
        self.assertIn("lladdr", other.vm.run("ip", "neigh", "show", "10.0.0.2"))


class LeaseTests(BridgedCase, dhcp.LeaseTests):
    """Leases, renewals, refusals and floods."""

    skip = missing(*BRIDGES, "udhcpc", "dhclient")
    # On Linux bridges the process answers for the server's address, so nobody does while it is down.
    test_the_server_address_answers_while_the_daemon_is_down = None  # type: ignore[assignment] # is not run here

    def flows_with(self, *texts: str) -> list[str]:
        """Return the filters that contain all of these texts."""
        lines = self.host.run("nft", "list", "ruleset").splitlines()
        return [line for line in lines if all(text in line for text in texts)]


class PieceTests(BridgedCase, AttackCase):
    """Packets in pieces of which the first does not show what they are. The bridge's host puts them together."""

    def setUp(self) -> None:
        """A victim that is guarded, and lets everything in; once with an attacker whose groups are stateless."""
        super().setUp()
        self.network = self.make_network("10.0.0.0/24", "fd00:1::/64")
        groups = [self.open_group(is_stateful) for is_stateful in (True, False)]
        self.victim = self.guest(security_groups=[groups[0]])
        self.attackers = [self.guest(security_groups=[group]) for group in groups]

    def open_group(self, is_stateful: bool) -> str:
        """Make a group that lets everything in."""
        group = self.appliance.create("security_group", name="g", stateful=is_stateful)
        rule = {"security_group_id": group["id"], "direction": "ingress", "ethertype": "IPv6"}
        self.appliance.create("security_group_rule", **rule)
        return str(group["id"])

    def hears(self, attacker: Guest, packet: Packet, mark: bytes, shown_bytes: int) -> bool:
        """Send a packet behind options, the first piece with so many bytes of it; whether the victim gets its end."""
        options = bytes((int(packet.nh), 1, 1, 12)) + bytes(12)
        whole, cut = options + bytes(packet)[40:], len(options) + shown_bytes
        head = Ether(src=attacker.mac, dst=self.victim.mac) / IPv6(src=packet.src, dst=packet.dst)
        pieces = [
            bytes(head / IPv6ExtHdrFragment(nh=60, offset=at // 8, m=more, id=7 + shown_bytes) / Raw(data))
            for at, more, data in ((0, 1, whole[:cut]), (cut, 0, whole[cut:]))
        ]
        with Wire(self.victim.vm.namespace) as ear, Wire(attacker.vm.namespace) as mouth:
            mouth.send(*pieces)
            return ear.await_frame(lambda frame: mark in frame, 0.5) is not None

    def test_what_only_servers_and_routers_say_is_dropped(self) -> None:
        """However much of it the first piece shows."""
        for attacker in self.attackers:
            link, target = link_local(attacker.mac), self.ipv6(self.victim)
            advertises = IPv6(bytes(IPv6(src=link, dst=target) / ICMPv6ND_RA() / Raw(_LONG + b"<advertises>")))
            served = UDP(sport=547, dport=546) / DHCP6_Advertise() / Raw(_LONG + b"<serves>")
            serves = IPv6(bytes(IPv6(src=link, dst=target) / served))
            for shown_bytes in (0, 8, 1232):
                self.assertFalse(self.hears(attacker, advertises, b"<advertises>", shown_bytes))
                self.assertFalse(self.hears(attacker, serves, b"<serves>", shown_bytes))

    def test_what_everybody_may_say_arrives_if_the_first_piece_shows_it(self) -> None:
        """Otherwise nobody can tell what it is."""
        for attacker in self.attackers:
            said = UDP(sport=4000, dport=4000) / Raw(_LONG + b"<says>")
            says = IPv6(bytes(IPv6(src=self.ipv6(attacker), dst=self.ipv6(self.victim)) / said))
            self.assertEqual([self.hears(attacker, says, b"<says>", shown) for shown in (0, 1232)], [False, True])

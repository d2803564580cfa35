"""What filters say, and how much of it there is."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import L2Settings
from quantumd.converge.records import Records
from quantumd.errors import SettingsError
from quantumd.l2.drivers.linuxbridge.driver import LinuxBridgeDriver
from quantumd.l2.drivers.linuxbridge.features.firewall import policy_objects, set_objects
from quantumd.l2.drivers.linuxbridge.memory import MemoryHost
from quantumd.l2.drivers.linuxbridge.settings import exits_of
from quantumd.model.messages import Gone, Update
from quantumd.model.network import VXLAN
from quantumd.model.records import NetworkRecord, PortRecord
from quantumd.model.security_records import AddressSetRecord, SecurityGroupRecord, SecurityRule, piece_id, piece_of
from tests.bed.guarded import Member, rule
from tests.contracts.l2_driver import HOST, DriverBed, site_for


def ingress(*rules: SecurityRule, is_stateful: bool = True) -> tuple[str, ...]:
    """Return the rules of a policy that are about what ports get, without what all policies have."""
    objects = policy_objects(7, rules, {"set": 9}, is_stateful)
    (chain,) = (chain for (_, name), chain in objects.chains.items() if name.startswith("g_"))
    return tuple(each for each in chain.rules[:-1] if not each.startswith("jump"))


class RuleTests(SynchronousTestCase):
    """Rules as nft has them; what packets do is in tests/functional/test_linux_bridge_guards.py."""

    def test_rules(self) -> None:
        """One each."""
        for said, expected in (
            (rule(), "meta nfproto ipv4 accept"),
            (rule(ethertype="IPv6"), "meta nfproto ipv6 accept"),
            (rule(protocol=0), "meta nfproto ipv4 accept"),
            (rule(protocol=6, first=80, last=80), "meta nfproto ipv4 tcp dport 80 accept"),
            (rule(protocol=17, first=5, last=9, cidr="10.0.0.0/8"), "ip saddr 10.0.0.0/8 udp dport 5-9 accept"),
            (rule(protocol=1, first=8), "meta nfproto ipv4 icmp type 8 accept"),
            (rule(protocol=1, first=3, last=4), "meta nfproto ipv4 icmp type 3 icmp code 4 accept"),
            (rule(ethertype="IPv6", protocol=58, first=128), "meta nfproto ipv6 icmpv6 type 128 accept"),
            (rule(protocol=47), "meta nfproto ipv4 meta l4proto 47 accept"),
            (rule(remote_set="set"), "ip saddr @a4_00000009 accept"),
            (rule(ethertype="IPv6", remote_set="set", protocol=6), "ip6 saddr @a6_00000009 meta l4proto 6 accept"),
            (rule(cidr="0.0.0.0/0"), "meta nfproto ipv4 accept"),
        ):  # fmt: skip
            self.assertEqual(ingress(said), (expected,))

    def test_a_rule_about_ports_that_nobody_sees_lets_nothing_pass(self) -> None:
        """As the definition has it."""
        self.assertEqual(ingress(rule(protocol=33, first=5, last=6)), ())

    def test_rules_that_say_the_same_are_one(self) -> None:
        """Of several groups."""
        self.assertEqual(len(ingress(rule(name="a"), rule(name="b"))), 1)

    def test_stateless_policies_do_not_ask_what_is_known(self) -> None:
        """Nor are their connections known."""
        for is_stateful in (True, False):
            objects = policy_objects(7, (), {}, is_stateful)
            states = ["jump state" in chain.rules for chain in objects.chains.values()]
            self.assertEqual(states, [is_stateful] * 2)
            self.assertEqual(("inet", "loose", "0x00000007") in objects.elements, not is_stateful)

    def test_a_set_holds_no_address_twice(self) -> None:
        """A prefix holds the addresses in it."""
        found = set_objects(9, ("10.0.0.0/24", "10.0.0.5/32", "10.0.1.5/32", "fd00::1/128"))
        self.assertEqual(sorted(key for _, _, key in found.elements), ["10.0.0.0/24", "10.0.1.5", "fd00::1"])


class CountTests(SynchronousTestCase):
    """How much there is."""

    def setUp(self) -> None:
        """A host."""
        clock, records = Clock(), Records()
        self.host = MemoryHost(clock)
        parts = LinuxBridgeDriver().install_on(site_for(records, clock), self.host.edges(), self.host.frame_parts())
        self.bed = DriverBed(parts, clock, records, self.host.plug, self.host.unplug)

    def start(self, members: Iterable[Member], *rules: SecurityRule) -> None:
        """Plug members of a group."""
        pieces: dict[str, set[str]] = {}
        for member in members:
            self.host.plug(member.id)
            prefixes = (f"{ip}/{128 if ':' in ip else 32}" for ip in member.ips)
            pieces.setdefault(piece_of(member.id), set()).update(prefixes)
        sets = (AddressSetRecord(piece_id("g", piece), 1, tuple(sorted(held))) for piece, held in pieces.items())
        network = NetworkRecord("n1", 1, "local", None, None, 1500, True, None, ())
        group = SecurityGroupRecord("g", 1, True, rules)
        self.bed.start(network, group, *sets, *(member.record(2) for member in members))
        self.addCleanup(self.bed.stop)

    def sizes(self) -> tuple[int, int]:
        """Return how many rules and elements there are."""
        return sum(len(chain.rules) for chain in self.host.nft.chains.values()), len(self.host.nft.elements)

    def test_filters_are_ports_and_rules_and_members_never_their_product(self) -> None:
        """Twice the ports are twice the rules of ports; more rules are as many rules."""
        found = []
        for ports, rules in ((10, 1), (20, 1), (20, 41)):
            self.setUp()
            members = [Member(n, groups=("g",)) for n in range(1, ports + 1)]
            said = [rule(protocol=6, first=n, last=n, remote_set="g", name=str(n)) for n in range(1, rules + 1)]
            self.start(members, *said)
            found.append(self.sizes())
        self.assertEqual(found[2][0] - found[1][0], 40)
        self.assertEqual(found[2][1], found[1][1])
        of_ten = found[1][0] - found[0][0]
        self.assertEqual((of_ten % 10, of_ten < 400), (0, True))

    def test_a_changed_member_touches_its_set_alone(self) -> None:
        """One element."""
        self.start([Member(n, groups=("g",)) for n in range(1, 30)], rule(remote_set="g"))
        made = len(self.host.nft.changes)
        self.bed.put(AddressSetRecord("g/all", 9, ("10.9.9.9/32",)))
        (change,) = self.host.nft.changes[made:]
        self.assertEqual((change.chains, change.sets, len(change.elements)), ({}, {}, 1))

    def test_a_changed_rule_touches_the_chains_of_its_policy_alone(self) -> None:
        """In one transaction."""
        self.start([Member(n, groups=("g",)) for n in range(1, 30)], rule())
        made = len(self.host.nft.changes)
        self.bed.put(SecurityGroupRecord("g", 9, True, (rule(), rule(protocol=17))))
        (change,) = self.host.nft.changes[made:]
        self.assertEqual((len(change.chains), change.elements), (1, {}))

    def test_a_port_gets_its_rules_before_it_is_let_in(self) -> None:
        """Its device is put into the bridge after the transaction; what fails keeps it out."""
        self.host.nft.trouble = "no"
        self.start([Member(1, groups=("g",))], rule())
        tap = f"tap{Member(1).id[:11]}"
        self.assertEqual(self.host.links.links()[tap].master, "")
        # Whatever else is tried alone meanwhile, as its network is.
        self.assertIn("no", str(self.bed.report_of(Member(1).id).fault))
        self.host.nft.trouble = ""
        for _ in range(5):
            self.bed.clock.advance(20)
            self.bed.settle()
        self.assertEqual(self.host.links.links()[tap].master, "brqn1")

    def test_a_member_elsewhere_is_forgotten_with_its_record(self) -> None:
        """Nothing of it is left."""
        self.start([Member(1, groups=("g",))], rule(remote_set="g"))
        self.bed.update(Update(HOST, "l2", (AddressSetRecord("g/all", 9, ("10.9.9.9/32",)),)))
        self.bed.put(AddressSetRecord("g/all", 10, ()))
        self.assertEqual([key for _, _, key in self.host.nft.elements if key == "10.9.9.9"], [])

    def test_a_bridge_whose_network_nobody_knows_any_more_goes_with_its_last_device(self) -> None:
        """Which the hypervisor removes when it likes: at once, or out of the bridge first."""
        for is_taken_out in (False, True):
            self.setUp()
            guest = Member(1, groups=("g",))
            self.start([guest], rule())
            gone = (Gone(PortRecord.kind, guest.id, 9, True), Gone(NetworkRecord.kind, "n1", 9, True))
            self.bed.update(Update(HOST, "l2", gone=gone))
            self.assertIn("brqn1", self.host.links.links())
            if is_taken_out:
                self.host.change(guest.id, master="")
            self.host.unplug(guest.id)
            self.bed.clock.advance(1)
            self.bed.settle()
            self.assertNotIn("brqn1", self.host.links.links())


class SettingsTests(SynchronousTestCase):
    """What a host is told."""

    def test_what_it_cannot_do_is_refused(self) -> None:
        """At the start."""
        for wrong in (
            {"tunnel_ip": "nowhere"}, {"tunnel_ip": "192.0.2.1", "tunnel_types": ("gre",)}, {"tunnel_types": (VXLAN,)},
            {"interface_mappings": ("physnet1",)}, {"interface_mappings": ("a:eth0", "b:eth0")},
            {"interface_mappings": ("a:../../eth0",)}, {"interface_mappings": (f"a:{'x' * 16}",)},
        ):  # fmt: skip
            self.assertRaises(SettingsError, exits_of, evolve(L2Settings(), **wrong))

    def test_nothing_is_announced_that_packets_do_not_obey(self) -> None:
        """No limits, no trunks, no taps, no logs, no tunnels but VXLAN."""
        for absent in ("qos", "trunk", "taas", "logging", "gre", "geneve"):
            self.assertNotIn(absent, LinuxBridgeDriver().capabilities)

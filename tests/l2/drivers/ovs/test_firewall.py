"""What guards ports, on an Open vSwitch in memory: who reaches whom, how many flows that takes, what changes touch."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.openflow.match import unpack_match
from quantumd.edge.openflow.packet import Packet
from quantumd.edge.tracked.memory import MemoryConnections
from quantumd.errors import EdgeUnavailable
from quantumd.l2.drivers.ovs.features.rule_matches import port_parts
from quantumd.l2.drivers.ovs.pipeline import Table
from quantumd.model.security import protocol_number
from quantumd.model.security_records import AddressPair, SecurityRule
from quantumd.model.verdict import Traffic
from tests.bed.guarded import EVERYTHING_OUT, GuardedBed, Member, frame_of, rule, traffic_between
from tests.bed.rule_table import ROWS, Row

UDP = 17


class GuardedCase(SynchronousTestCase):
    """A bed that goes with the test."""

    def setUp(self) -> None:
        """Start it."""
        self.host = GuardedBed()
        self.addCleanup(self.host.stop)

    def flows_of(self, *tables: Table) -> int:
        """How many flows these tables have."""
        return sum(flow.table in tables for flow in self.host.world.switch.flows.values())


class TableTests(GuardedCase):
    """The table that real VMs are tested with too."""

    def test_every_row(self) -> None:
        """The walker agrees with what is expected."""
        names = {name: n for n, name in enumerate(("server", "client", "friend", "stranger"), 1)}
        groups = {"server": "servers", "client": "clients", "friend": "clients", "stranger": "strangers"}
        members = {name: Member(n, groups=(groups[name],)) for name, n in names.items()}
        for name in ("clients", "strangers"):
            self.host.group(name, *EVERYTHING_OUT)
        self.host.members_of("clients", (members["client"], members["friend"]))
        self.host.plug(*members.values())
        for row in ROWS:
            self.host.group("servers", *EVERYTHING_OUT, *(_rule(said, members["client"].ips[0]) for said in row.rules))
            self.assertEqual(self.verdict(row, members), row.expected, row.name)

    def verdict(self, row: Row, members: dict[str, Member]) -> bool:
        """Whether the row's packet arrives; no connection is remembered for the next row."""
        for entry in self.host.world.switch.connections:
            self.host.world.switch.connections.end(entry)
        sender, receiver = members[row.sender], members[row.receiver]
        return self.host.reaches(sender, receiver, traffic_between(sender, receiver, row.protocol, row.port))


def _rule(said: dict[str, Any], client: str) -> SecurityRule:
    prefix = said.get("remote_ip_prefix")
    return rule(
        said["direction"],
        said["ethertype"],
        protocol=protocol_number(said.get("protocol")),
        first=said.get("port_range_min"),
        last=said.get("port_range_max"),
        cidr=prefix.replace("CLIENT", client) if prefix else None,
        remote_set=said.get("remote_group_id"),
    )


class StateTests(GuardedCase):
    """Connections, and what becomes of them."""

    def setUp(self) -> None:
        """A client that may send, and a server that lets port 5000 in."""
        super().setUp()
        self.client, self.server = Member(1, groups=("clients",)), Member(2, groups=("servers",))
        self.opened = rule(protocol=UDP, first=5000, last=5000)
        self.host.group("clients", *EVERYTHING_OUT)
        self.host.group("servers", self.opened)
        self.host.plug(self.client, self.server)

    def asks(self, port: int = 5000) -> bool:
        """Whether a datagram of the client arrives."""
        return self.host.reaches(self.client, self.server, traffic_between(self.client, self.server, UDP, port))

    def answers(self, port: int = 5000) -> bool:
        """Whether the answer of the server arrives."""
        frame = frame_of(self.server, self.client, traffic_between(self.server, self.client, UDP, 4000), port)
        return self.host.world.ofport_of(self.client.id) in self.host.reached(self.server, frame)

    def test_only_answers_pass_without_a_rule(self) -> None:
        """The server may send nothing of its own accord."""
        self.assertFalse(self.answers())
        self.assertTrue(self.asks())
        self.assertTrue(self.answers())
        self.assertFalse(self.answers(port=5001))

    def test_what_the_receiver_refused_is_not_remembered(self) -> None:
        """Or its answer would pass."""
        self.assertFalse(self.asks(port=5001))
        self.assertFalse(self.answers(port=5001))

    def test_a_removed_rule_ends_what_only_it_let_pass(self) -> None:
        """And nothing else."""
        other = rule(protocol=UDP, first=6000, last=6000)
        self.host.group("servers", self.opened, other)
        self.assertTrue(self.asks() and self.asks(6000))
        self.host.group("servers", other)
        self.assertFalse(self.answers())
        self.assertTrue(self.answers(6000))

    def test_what_another_rule_lets_pass_goes_on(self) -> None:
        """Though the rule that let it begin is gone."""
        self.assertTrue(self.asks())
        self.host.group("servers", rule(protocol=UDP))
        self.assertTrue(self.answers())

    def test_a_member_that_leaves_loses_its_connections(self) -> None:
        """Those that only its membership let pass."""
        self.host.group("servers", rule(protocol=UDP, remote_set="clients"))
        self.host.members_of("clients", (self.client,))
        self.assertTrue(self.asks())
        self.host.members_of("clients", (evolve(self.client, addresses=("10.0.0.99", "fd00::99")),))
        self.assertFalse(self.answers())
        self.assertFalse(self.asks())

    def test_a_prefix_that_leaves_a_set_takes_its_connections(self) -> None:
        """Addresses that are in it only by the prefix; those that another prefix holds go on."""
        pair = AddressPair("fa:16:3e:ff:ff:ff", "10.0.0.0/24")
        holder, part = Member(50, pairs=(pair,)), Member(51, addresses=("10.0.0.1", "fd00::99"))
        self.host.group("servers", rule(protocol=UDP, remote_set="clients"))
        self.host.members_of("clients", (holder, part))
        self.assertTrue(self.asks())
        self.host.members_of("clients", (evolve(holder, pairs=()), part))
        self.assertTrue(self.answers())
        self.host.members_of("clients", (evolve(holder, pairs=()), evolve(part, addresses=("10.7.0.1", "fd00::97"))))
        self.assertFalse(self.answers())

    def test_a_deleted_port_leaves_nothing(self) -> None:
        """Its connections go with it."""
        self.assertTrue(self.asks())
        self.host.delete(self.server)
        self.assertEqual([*self.host.world.switch.connections], [])

    def test_a_look_at_everything_ends_what_changed_while_nobody_looked(self) -> None:
        """As a process does that starts."""
        connections = self.host.world.switch.connections
        self.assertTrue(self.asks())
        (allowed,) = connections
        connections.commit(allowed.zone, self.packet(5001).get, None)
        self.host.bed.clock.advance(301)
        self.host.bed.settle()
        self.assertEqual([*connections], [allowed])

    def packet(self, port: int) -> Packet:
        """A datagram of the client's."""
        return Packet(
            bytearray(frame_of(self.client, self.server, traffic_between(self.client, self.server, UDP, port)))
        )

    def test_connections_that_cannot_be_seen_are_a_fault_until_they_can(self) -> None:
        """Then what was suspected meanwhile is looked at."""
        self.assertTrue(self.asks())
        self.patch(MemoryConnections, "settle", lambda _: fail(EdgeUnavailable("no socket")))
        self.host.group("servers")
        self.assertEqual(self.host.bed.parts.faults(), {("connections", ""): "no socket"})
        self.assertFalse(self.asks())
        self.assertTrue(self.answers())
        self.patch(MemoryConnections, "settle", lambda _: succeed(None))
        self.host.bed.settle()
        self.assertEqual(self.host.bed.parts.faults(), {})
        self.assertFalse(self.answers())

    def test_equal_addresses_on_two_networks_do_not_meet(self) -> None:
        """A connection on one is none on the other."""
        client = Member(3, "n2", ("clients",), addresses=self.client.ips)
        server = Member(4, "n2", ("servers",), addresses=self.server.ips)
        self.host.plug(client, server)
        self.assertTrue(self.asks())
        frame = frame_of(server, client, traffic_between(server, client, UDP, 4000), 5000)
        self.assertEqual(self.host.reached(server, frame), set())

    def test_a_packet_passes_the_sender_and_the_receiver(self) -> None:
        """Each by its own groups."""
        self.host.group("clients", rule("egress", protocol=UDP, first=5001, last=5001))
        self.assertFalse(self.asks(5000))
        self.assertFalse(self.asks(5001))
        self.host.group("servers", rule(protocol=UDP))
        self.assertTrue(self.asks(5001))


class CostTests(GuardedCase):
    """Flows are linear in ports, rules and members, and a change touches what it is about."""

    PORTS, MEMBERS, RULES = 20, 1_000, 50

    def setUp(self) -> None:
        """Ports with one group whose rules are all about a set."""
        super().setUp()
        self.ports = [Member(n, groups=("g",), addresses=(f"10.0.0.{n}",)) for n in range(1, 1 + self.PORTS)]
        self.others = [Member(n, addresses=(f"10.1.{n >> 8}.{n & 255}",)) for n in range(1000, 1000 + self.MEMBERS)]
        self.host.group("g", *(rule(protocol=6, first=n, last=n, remote_set="s") for n in range(1, 1 + self.RULES)))
        self.host.members_of("s", self.others)
        self.before = self.flows_of(*Table)
        self.host.plug(*self.ports)

    def test_flows_are_members_and_rules_and_ports(self) -> None:
        """Each member one; each rule one, and one for later fragments of all; one for the set; a few for each port."""
        self.assertEqual(self.flows_of(Table.INGRESS_RULES), self.MEMBERS + self.RULES + 1 + 1 + 1)
        self.assertEqual(self.flows_of(Table.EGRESS_RULES), 1)
        guarding = (Table.PORT_SECURITY, Table.NEIGHBOUR_SECURITY, Table.FIREWALL_EGRESS, Table.FIREWALL_INGRESS)
        ports = sum(
            flow.table in (*guarding, Table.EGRESS_COMMIT) and flow.cookie & 0xFFFF != 0
            for flow in self.host.world.switch.flows.values()
        )
        self.assertEqual(ports, self.PORTS * 17)

    def test_a_second_policy_costs_its_rules_alone(self) -> None:
        """Members are not counted again."""
        before = self.flows_of(Table.INGRESS_RULES)
        self.host.group("h", rule(protocol=UDP, remote_set="s"))
        self.host.plug(Member(999, groups=("g", "h"), addresses=("10.0.0.99",)))
        self.assertEqual(self.flows_of(Table.INGRESS_RULES), before + self.RULES + 1 + 1)

    def test_a_changed_member_touches_its_address_only(self) -> None:
        """One flow more and one less, of the addresses alone."""
        before = self.host.flows()
        moved = evolve(self.others[0], addresses=("10.2.0.1",))
        same = [each for each in self.others[1:] if each.id[:2] == moved.id[:2]]
        self.host.members_of("s", [moved, *same])
        after = self.host.flows()
        self.assertEqual(len(after.keys() ^ before.keys()), 2)
        self.assertEqual({key for key in after.keys() & before.keys() if after[key] != before[key]}, set())

    def test_nothing_is_left_when_the_last_port_goes(self) -> None:
        """Neither rules nor members."""
        for port in self.ports:
            self.host.delete(port)
        self.assertEqual(self.flows_of(*Table), self.before)

    def test_an_address_in_two_sets_is_one_flow(self) -> None:
        """Of two flows with one match the later would replace the earlier (trap of conjunctions)."""
        self.host.group("h", rule(protocol=UDP, remote_set="s"), rule(protocol=6, remote_set="t"))
        self.host.members_of("t", self.others[:1])
        port = Member(998, groups=("h",), addresses=("10.0.0.98",))
        sender = evolve(self.others[0], port_security=False)
        self.host.plug(port, sender)
        for protocol in (UDP, 6):
            self.assertTrue(self.host.reaches(sender, port, traffic_between(sender, port, protocol, 7)))
        self.assertFalse(self.host.reaches(sender, port, traffic_between(sender, port, 1, 8)))


class OrderTests(GuardedCase):
    """No moment allows more or less than the state before or the state after."""

    def test_ports_that_change_groups_are_guarded_by_one_or_the_other(self) -> None:
        """At each change of the switch what both let pass passes, and what neither does not."""
        client = Member(1, port_security=False)
        servers = [Member(n, groups=("old",)) for n in range(2, 42)]
        self.host.group("old", rule(protocol=UDP, first=1, last=2))
        self.host.group("new", rule(protocol=UDP, first=2, last=3))
        self.host.plug(client, *servers)
        switch = self.host.world.switch
        number, change = self.host.world.ofport_of(client.id), switch.change
        seen: set[tuple[bool, bool]] = set()

        def watched(wanted: Any) -> Any:
            done = change(wanted)
            for server in servers:
                frames = [frame_of(client, server, traffic_between(client, server, UDP, port)) for port in (2, 4)]
                both, neither = (bool(switch.walk(number or 0, frame).outputs) for frame in frames)
                seen.add((both, neither))
            return done

        self.patch(type(switch), "change", lambda _, wanted: watched(wanted))
        self.host.tell(*(evolve(server, groups=("new",)).record(1) for server in servers))
        self.assertEqual(seen, {(True, False)})


class PairTests(GuardedCase):
    """Allowed address pairs."""

    def test_a_pair_may_be_used_as_sender_and_nothing_else(self) -> None:
        """Its MAC with its prefix."""
        pair = AddressPair("fa:16:3e:ff:ff:ff", "10.9.0.0/16")
        sender, receiver = Member(1, groups=("g",), pairs=(pair,)), Member(2, port_security=False)
        self.host.group("g", *EVERYTHING_OUT)
        self.host.plug(sender, receiver)
        for mac, ip, arrives in ((pair.mac_address, "10.9.1.1", True), (pair.mac_address, "10.8.1.1", False)):
            frame = frame_of(sender, receiver, Traffic(UDP, ip, receiver.ips[0], 7))
            frame = frame[:6] + bytes.fromhex(mac.replace(":", "")) + frame[12:]
            self.assertEqual(bool(self.host.reached(sender, frame)), arrives, ip)


class PortPartTests(SynchronousTestCase):
    """Ranges of ports as masked values."""

    def test_parts_are_the_range_and_few(self) -> None:
        """Each port of the range once, no other, and never more than 30 parts."""
        for first, last in ((1, 65535), (0, 65535), (5001, 5009), (80, 80), (1, 65534), (1024, 65535), (32767, 32768)):
            parts = list(port_parts(first, last))
            self.assertLessEqual(len(parts), 30)
            for port in {0, 1, first - 1, first, first + 1, last - 1, last, last + 1, 65535} & set(range(65536)):
                matching = [part for part in parts if isinstance(part, tuple) and port & part[1] == part[0]]
                self.assertEqual(len(matching), int(first <= port <= last), (first, last, port))


class SpoofTests(GuardedCase):
    """The number of matches is checked by what OVS requires of them."""

    def test_matches_have_what_they_need(self) -> None:
        """A switch in memory refuses what a real one would; nothing was refused."""
        self.host.group("g", *(rule(protocol=number, first=1, last=1) for number in (1, 6, 17, 132)))
        self.host.plug(Member(1, groups=("g",)))
        names = {
            found.field.name
            for flow in self.host.world.switch.flows.values()
            if flow.table == Table.INGRESS_RULES
            for found in unpack_match(flow.match)
        }
        self.assertLessEqual({"tcp_dst", "udp_dst", "sctp_dst", "icmp_type", "icmp_code"}, names)

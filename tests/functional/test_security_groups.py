"""Security groups by real packets: who reaches whom, and what ends when a rule goes. Needs root."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.bed.host import Guest, HostCase
from tests.bed.rule_table import ROWS, Row
from tests.bed.wire import Wire

SETTLE_SECONDS = 0.5
_COUNTED = re.compile(r" (duration|n_packets|n_bytes|idle_age|hard_age)=[^,]*,")
ENDED_SECONDS = 1.0


class GroupsCase(HostCase):
    """Groups and rules by the API, and datagrams between VMs."""

    settings: ClassVar[Mapping[str, str]] = {"quota.security_group": "-1", "quota.security_group_rule": "-1"}

    def group(self, *rules: Mapping[str, Any], **attributes: Any) -> dict[str, Any]:
        """Make a group with rules beside those that let everything out."""
        made = self.appliance.create("security_group", name="g", **attributes)
        for rule in rules:
            self.rule(made, **rule)
        return made

    def rule(self, group: Mapping[str, Any], **said: Any) -> str:
        """Add a rule to a group; return its id."""
        named = {"direction": "ingress", "ethertype": "IPv4", **said}
        return str(self.appliance.create("security_group_rule", security_group_id=group["id"], **named)["id"])

    def members(self, network: Mapping[str, Any], *groups: Mapping[str, Any], **attributes: Any) -> Guest:
        """Plug a VM whose port has these groups."""
        return self.plugged(network, security_groups=[group["id"] for group in groups], **attributes)

    def hears(self, receiver: Guest, sender: Guest, *frames: bytes, mark: bytes) -> bool:
        """Let the sender send frames; return whether one with the mark arrived."""
        with Wire(receiver.vm.namespace) as ear, Wire(sender.vm.namespace) as mouth:
            mouth.send(*frames)
            return ear.await_frame(lambda frame: mark in frame, SETTLE_SECONDS) is not None

    def hears_datagram(self, receiver: Guest, sender: Guest, target_port: int, source_port: int = 4000) -> bool:
        """Whether a UDP datagram arrives."""
        packet = IP(src=sender.ip, dst=receiver.ip) / UDP(sport=source_port, dport=target_port) / Raw(b"a datagram")
        frame = bytes(Ether(src=sender.mac, dst=receiver.mac) / packet)
        return self.hears(receiver, sender, frame, mark=b"a datagram")

    def tracked(self, *texts: str) -> list[str]:
        """Return what is tracked that contains all of these texts."""
        lines = self.ovs.appctl("dpctl/dump-conntrack").splitlines()
        return [line for line in lines if all(text in line for text in texts)]

    def await_end(self, *texts: str) -> None:
        """Nothing with these texts is tracked within the second that is promised."""
        self.wait_for(f"the end of {texts}", lambda: not self.tracked(*texts), ENDED_SECONDS)


class ReachTests(GroupsCase):
    """Who reaches whom."""

    def test_members_reach_each_other_and_strangers_do_not(self) -> None:
        """A port of another group on the same network gets no answer, though it may send."""
        network = self.make_network("10.0.0.0/24")
        first, second = self.plugged(network), self.plugged(network)
        stranger = self.members(network, self.group())
        self.assertTrue(first.can_reach(second.ip))
        self.assertTrue(second.can_reach(first.ip))
        self.assertFalse(stranger.can_reach(first.ip, tries=2))
        self.assertTrue(stranger.can_reach("10.0.0.2"))

    def test_ports_without_groups_get_nothing(self) -> None:
        """But answers to ARP, and DHCP."""
        network = self.make_network("10.0.0.0/24")
        lonely = self.members(network)
        other = self.members(network, self.group())
        self.assertFalse(other.can_reach(lonely.ip, tries=1))
        self.assertIn("lladdr", other.vm.run("ip", "neigh", "show", lonely.ip))
        self.assertFalse(lonely.can_reach(other.ip, tries=1))

    def test_a_range_of_ports_is_let_in_and_no_other(self) -> None:
        """Both of its ends and what is between."""
        network = self.make_network("10.0.0.0/24")
        server = self.members(network, self.group({"protocol": "udp", "port_range_min": 5001, "port_range_max": 5009}))
        client = self.members(network, self.group())
        heard = [port for port in (5000, 5001, 5005, 5009, 5010) if self.hears_datagram(server, client, port)]
        self.assertEqual(heard, [5001, 5005, 5009])

    def test_the_senders_group_is_asked_as_well(self) -> None:
        """A group whose rules let nothing out."""
        network = self.make_network("10.0.0.0/24")
        server = self.members(network, self.group({"protocol": "udp"}))
        mute = self.group()
        for rule in mute["security_group_rules"]:
            self.delete("security_group_rule", rule["id"])
        client = self.members(network, mute)
        self.assertFalse(self.hears_datagram(server, client, 5000))
        self.rule(mute, direction="egress", protocol="udp", port_range_min=5000, port_range_max=5000)
        self.wait_for("the new rule", lambda: self.hears_datagram(server, client, 5000))
        self.assertFalse(self.hears_datagram(server, client, 5001))

    def test_broadcast_passes_the_receivers_groups(self) -> None:
        """Each receiver's own."""
        network = self.make_network("10.0.0.0/24")
        client = self.members(network, self.group())
        willing = self.members(network, self.group({"protocol": "udp", "port_range_min": 5000, "port_range_max": 5000}))
        closed = self.members(network, self.group())
        packet = IP(src=client.ip, dst="10.0.0.255") / UDP(sport=4000, dport=5000) / Raw(b"to all")
        with Wire(willing.vm.namespace) as ear, Wire(closed.vm.namespace) as deaf, Wire(client.vm.namespace) as mouth:
            mouth.send(bytes(Ether(src=client.mac, dst="ff:ff:ff:ff:ff:ff") / packet))
            self.assertIsNotNone(ear.await_frame(lambda frame: b"to all" in frame, SETTLE_SECONDS))
            self.assertIsNone(deaf.await_frame(lambda frame: b"to all" in frame, SETTLE_SECONDS))

    def test_fragments_of_what_is_let_in_arrive(self) -> None:
        """All of them; of what is not let in, not the first."""
        network = self.make_network("10.0.0.0/24")
        server = self.members(network, self.group({"protocol": "udp", "port_range_min": 5000, "port_range_max": 5000}))
        client = self.members(network, self.group())
        for port, heard in ((5000, True), (5001, False)):
            packet = IP(src=client.ip, dst=server.ip, id=port) / UDP(sport=4000, dport=port) / Raw(b"x" * 3000)
            frames = [bytes(Ether(src=client.mac, dst=server.mac) / part) for part in fragment(packet, 1400)]
            first = frames[0][14 + 20 : 14 + 28]
            self.assertEqual(self.hears(server, client, *frames, mark=first), heard)

    def test_fragments_of_ipv6_arrive(self) -> None:
        """Those of a protocol that is let in, with ports and without."""
        network = self.make_network("fd00:1::/64")
        ports = {"port_range_min": 5000, "port_range_max": 5000}
        rules = [{"ethertype": "IPv6", "protocol": "udp", **more} for more in (ports, {})]
        client = self.members(network, self.group())
        for is_stateful in (True, False):
            for rule in rules:
                server = self.members(network, self.group(rule, stateful=is_stateful))
                frames = _ipv6_fragments(client, server)
                self.assertTrue(self.hears(server, client, *frames, mark=b"the end"), (rule, is_stateful))

    def test_a_ping_of_several_fragments_is_answered(self) -> None:
        """Among members, with all that the rules say being a type of ICMP."""
        network = self.make_network("10.0.0.0/24")
        group = self.group({"protocol": "icmp", "port_range_min": 8, "port_range_max": 0})
        first, second = self.members(network, group), self.members(network, group)
        self.assertTrue(first.can_reach(second.ip))
        first.vm.run("ping", "-n", "-c1", "-W2", "-s3000", second.ip)

    def test_remote_groups_and_address_groups(self) -> None:
        """Members come and go, and so do addresses."""
        network = self.make_network("10.0.0.0/24")
        clients = self.group()
        prefixes = self.appliance.create("address_group", name="a", addresses=[])
        server = self.members(
            network,
            self.group(
                {"protocol": "udp", "port_range_min": 5000, "port_range_max": 5000, "remote_group_id": clients["id"]},
                {
                    "protocol": "udp",
                    "port_range_min": 6000,
                    "port_range_max": 6000,
                    "remote_address_group_id": prefixes["id"],
                },
            ),
        )
        client = self.members(network, clients)
        self.wait_for("a member", lambda: self.hears_datagram(server, client, 5000))
        self.assertFalse(self.hears_datagram(server, client, 6000))
        other = self.group()
        self.update("port", client.id, security_groups=[other["id"]])
        self.wait_for("the end of a member", lambda: not self.hears_datagram(server, client, 5000))
        path = f"/v2.0/address-groups/{prefixes['id']}/add_addresses"
        self.appliance.request("PUT", path, {"addresses": [f"{client.ip}/32"]})
        self.wait_for("an address", lambda: self.hears_datagram(server, client, 6000))

    def test_stateless_groups_track_nothing(self) -> None:
        """Answers need rules of their own."""
        network = self.make_network("10.0.0.0/24")
        group = self.group({"protocol": "icmp", "port_range_min": 8}, stateful=False)
        first, second = self.members(network, group), self.members(network, group)
        self.assertFalse(first.can_reach(second.ip, tries=1))
        self.rule(group, protocol="icmp", port_range_min=0)
        self.assertTrue(first.can_reach(second.ip))
        self.assertEqual(self.tracked(first.ip), [])

    def test_ipv6_is_guarded_too(self) -> None:
        """Members reach each other, strangers do not."""
        network = self.make_network("fd00:1::/64")
        first, second = self.plugged(network), self.plugged(network)
        stranger = self.members(network, self.group())
        self.assertTrue(first.can_reach(second.ip))
        self.assertFalse(stranger.can_reach(first.ip, tries=2))


def _ipv6_fragments(sender: Guest, receiver: Guest) -> list[bytes]:
    """Return the frames of a datagram to port 5000 of which the last ends with "the end"."""
    body = IPv6(src=sender.ip, dst=receiver.ip) / UDP(sport=4000, dport=5000) / Raw(b"x" * 3000 + b"the end")
    whole = bytes(body)[40:]
    head = Ether(src=sender.mac, dst=receiver.mac) / IPv6(src=sender.ip, dst=receiver.ip)
    return [
        bytes(
            head
            / IPv6ExtHdrFragment(nh=17, offset=at // 8, m=at + 1400 < len(whole), id=9)
            / Raw(whole[at : at + 1400])
        )
        for at in range(0, len(whole), 1400)
    ]


class TableTests(GroupsCase):
    """The table that the packet walker is tested with too."""

    def test_every_row(self) -> None:
        """Real VMs agree with what is expected."""
        network = self.make_network("10.0.0.0/24")
        groups = {name: self.group() for name in ("clients", "strangers")}
        names = {"client": "clients", "friend": "clients", "stranger": "strangers"}
        guests = {name: self.members(network, groups[group]) for name, group in names.items()}
        servers = {rules: self.server(network, rules, groups["clients"]["id"], guests["client"].ip) for rules in _RULES}
        found = {row.name: self.arrives(row, {**guests, "server": servers[str(row.rules)]}) for row in ROWS}
        self.assertEqual(found, {row.name: row.expected for row in ROWS})

    def server(self, network: Mapping[str, Any], rules: str, clients: str, client: str) -> Guest:
        """Plug a VM whose group has the rules, with what their names stand for."""
        made = [
            {**said, **({"remote_group_id": clients} if "remote_group_id" in said else {})}
            | ({"remote_ip_prefix": f"{client}/32"} if "remote_ip_prefix" in said else {})
            for said in _RULES[rules]
        ]
        return self.members(network, self.group(*made))

    def arrives(self, row: Row, guests: Mapping[str, Guest]) -> bool:
        """Whether the row's packet arrives."""
        sender, receiver = guests[row.sender], guests[row.receiver]
        layer = {1: ICMP(type=row.port), 6: TCP(sport=4000, dport=row.port), 17: UDP(sport=4000, dport=row.port)}
        mark = f"<{row.name}>".encode()
        packet = IP(src=sender.ip, dst=receiver.ip) / layer[row.protocol] / Raw(mark)
        return self.hears(receiver, sender, bytes(Ether(src=sender.mac, dst=receiver.mac) / packet), mark=mark)


_RULES = {str(row.rules): row.rules for row in ROWS}


class RevocationTests(GroupsCase):
    """A removed rule ends the connections that only it let pass."""

    def setUp(self) -> None:
        """A server with two rules, and a client with a conversation under each."""
        super().setUp()
        network = self.make_network("10.0.0.0/24")
        self.server_group = self.group()
        self.doomed = self.rule(self.server_group, protocol="udp", port_range_min=5000, port_range_max=5000)
        self.rule(self.server_group, protocol="udp", port_range_min=6000, port_range_max=6000)
        self.server = self.members(network, self.server_group)
        self.client = self.members(network, self.group())
        for port in (5000, 6000):
            self.wait_for("the way there", lambda port=port: self.hears_datagram(self.server, self.client, port))  # type: ignore[misc]
            self.assertTrue(self.hears_datagram(self.client, self.server, 4000, source_port=port))

    def test_connections_of_a_removed_rule_end(self) -> None:
        """Also when only the answering side speaks; others go on."""
        self.delete("security_group_rule", self.doomed)
        self.await_end(self.client.ip, "dport=5000")
        self.assertFalse(self.hears_datagram(self.client, self.server, 4000, source_port=5000))
        self.assertTrue(self.tracked(self.client.ip, "dport=6000"))
        self.assertTrue(self.hears_datagram(self.client, self.server, 4000, source_port=6000))

    def test_what_another_rule_lets_pass_goes_on(self) -> None:
        """The rule that goes is not the only one."""
        self.rule(self.server_group, protocol="udp")
        self.delete("security_group_rule", self.doomed)
        time.sleep(ENDED_SECONDS)
        self.assertTrue(self.tracked(self.client.ip, "dport=5000"))
        self.assertTrue(self.hears_datagram(self.client, self.server, 4000, source_port=5000))

    def test_a_deleted_port_leaves_nothing_tracked(self) -> None:
        """Its neighbour's address is another's."""
        self.delete("port", self.server.id)
        self.await_end(self.client.ip)

    def test_a_new_group_of_a_port_ends_what_the_old_one_let_pass(self) -> None:
        """All of it here."""
        self.update("port", self.server.id, security_groups=[self.group()["id"]])
        self.await_end(self.client.ip)


class RestartTests(GroupsCase):
    """What a new process makes of the flows of rules that it finds."""

    def test_no_flow_is_touched_whatever_the_rules(self) -> None:
        """Matches of every kind are read back as they were written: nothing is put anew, and nothing removed."""
        addresses = self.appliance.create("address_group", name="a", addresses=["192.0.2.0/25", "2001:db8::/64"])
        both: list[Mapping[str, Any]] = [
            {"protocol": "icmp"},
            {"protocol": "icmp", "port_range_min": 8},
            {"protocol": "icmp", "port_range_min": 3, "port_range_max": 4},
            *({"protocol": name, "port_range_min": 1000, "port_range_max": 1999} for name in ("tcp", "udp", "sctp")),
            {"protocol": "47"},
            {"protocol": "tcp", "port_range_min": 1, "port_range_max": 65535},
            {"remote_address_group_id": addresses["id"]},
        ]
        six: list[Mapping[str, Any]] = [{**rule, "ethertype": "IPv6"} for rule in both]
        six += [{"ethertype": "IPv6", "remote_ip_prefix": "2001:db8:1::/48", "protocol": "udp", "direction": "egress"}]
        four = [{"remote_ip_prefix": "192.0.2.0/24", "protocol": "tcp", "port_range_min": 5, "port_range_max": 9}]
        group = self.group(*both, *six, *four)
        self.rule(group, protocol="tcp", port_range_min=80, port_range_max=80, remote_group_id=group["id"])
        stateless = self.group(*both, *six, stateful=False)
        network = self.make_network("10.0.0.0/24", "fd00:10::/64")
        for each in (group, stateless, group):
            self.members(network, each)
        before = self.settled()
        self.assertGreater(len([flow for flow in before if "nw_frag=later" in flow]), 10)
        start = len(self.appliance.log())
        self.appliance.restart("/readyz")
        self.assertEqual(self.flows(), before)
        self.ovs.ofctl("add-flow", "table=200,actions=drop")
        self.wait_for("it is found", lambda: "1 flows of strangers" in self.appliance.log()[start:])
        self.wait_for("it is gone", lambda: not self.flows_with("table=200"))
        self.assertEqual(self.flows(), before)
        self.assertNotIn("are gone or changed", self.appliance.log()[start:])

    def settled(self) -> list[str]:
        """Return all flows when half a second changes none: what members are to others comes after their ports."""
        found: list[list[str]] = []

        def is_settled() -> bool:
            found.append(self.flows())
            time.sleep(0.5)
            return self.flows() == found[-1]

        self.wait_for("flows that stay", is_settled)
        return found[-1]

    def flows(self) -> list[str]:
        """Return all flows, without what is counted."""
        return sorted(_COUNTED.sub("", line) for line in self.ovs.ofctl("dump-flows").splitlines()[1:])

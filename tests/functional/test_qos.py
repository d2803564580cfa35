"""Quality of service by real packets: limits in both directions, marks, and what a change costs. Needs root."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import product
from typing import Any, ClassVar

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.bed.counts import count, is_soak
from tests.bed.figures import note
from tests.bed.host import Guest, HostCase
from tests.bed.load import EchoStream
from tests.bed.rates import datagrams, tcp_stream
from tests.bed.roles import RolesCase
from tests.bed.wire import Wire

LIMIT_KBPS = 10_000
_RATES = (1_000, LIMIT_KBPS, 100_000) if is_soak() else (LIMIT_KBPS,)
UDP_WITHIN = 0.15
TCP_WITHIN = {"ingress": 0.15, "egress": 0.30}


class QosCase(HostCase):
    """Policies by the API, and traffic between VMs without security groups."""

    def policy(self, **attributes: Any) -> str:
        """Make a policy; return its id."""
        answer = self.appliance.request("POST", "/v2.0/qos/policies", {"policy": {"name": "p", **attributes}})
        self.assertEqual(answer.status, 201, answer.body)
        return str(answer.body["policy"]["id"])

    def rule(self, policy_id: str, kind: str, **said: Any) -> str:
        """Give a policy a rule; return the rule's id."""
        path = f"/v2.0/qos/policies/{policy_id}/{kind}_rules"
        answer = self.appliance.request("POST", path, {f"{kind}_rule": said})
        self.assertEqual(answer.status, 201, answer.body)
        return str(answer.body[f"{kind}_rule"]["id"])

    def change(self, policy_id: str, kind: str, rule_id: str, **said: Any) -> None:
        """Change a rule."""
        path = f"/v2.0/qos/policies/{policy_id}/{kind}_rules/{rule_id}"
        answer = self.appliance.request("PUT", path, {f"{kind}_rule": said})
        self.assertEqual(answer.status, 200, answer.body)

    def take(self, policy_id: str, kind: str, rule_id: str) -> None:
        """Delete a rule."""
        answer = self.appliance.request("DELETE", f"/v2.0/qos/policies/{policy_id}/{kind}_rules/{rule_id}")
        self.assertEqual(answer.status, 204, answer.body)

    def open_guest(self, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Plug a VM that nothing guards."""
        return self.plugged(network, port_security_enabled=False, **attributes)

    def meters(self) -> dict[int, str]:
        """Return the meters of limits that the switch has, by what they limit: 1 to 4; a test limits one port."""
        lines = " ".join(self.ovs.ofctl("dump-meters").split()).split("meter=")[1:]
        return {int(line.split()[0]) >> 16: line for line in lines if int(line.split()[0]) >> 16}

    def await_meters(self, *kinds: int) -> None:
        """Wait until there are these meters of limits and no others."""
        self.wait_for(f"meters {kinds}", lambda: set(self.meters()) == set(kinds))


class BandwidthTests(QosCase):
    """How many bits a second."""

    def test_datagrams_and_streams_keep_to_the_limit_in_both_directions(self) -> None:
        """Of what is offered twice as fast, within what is promised; the other direction is not limited."""
        network = self.make_network("10.0.0.0/24")
        limited, free = self.open_guest(network), self.open_guest(network)
        for kbps, direction in product(_RATES, _NUMBERS):
            sender, receiver = (limited, free) if direction == "egress" else (free, limited)
            policy_id = self.policy()
            self.rule(policy_id, "bandwidth_limit", max_kbps=kbps, direction=direction)
            self.update("port", limited.id, qos_policy_id=policy_id)
            self.await_meters(_NUMBERS[direction])
            self.wait_for("the rate", lambda rate=f"rate={kbps} ": rate in "".join(self.meters().values()))  # type: ignore[misc]
            udp, tcp = datagrams(sender, receiver, 2 * kbps).kbps / kbps, tcp_stream(sender, receiver).kbps / kbps
            note(f"qos | {direction} {kbps:,} kbit/s: UDP {udp:.0%}, TCP {tcp:.0%}")
            self.assertLess(abs(udp - 1), UDP_WITHIN, direction)
            self.assertLess(abs(tcp - 1), TCP_WITHIN[direction], direction)
            other = datagrams(receiver, sender, 2 * kbps, 2.0).kbps / kbps
            self.assertGreater(other, 1.5, direction)

    def test_with_security_groups_too(self) -> None:
        """Streams of guarded ports pass the connection tracker and the meters."""
        network = self.make_network("10.0.0.0/24")
        policy_id = self.policy()
        for direction in ("egress", "ingress"):
            self.rule(policy_id, "bandwidth_limit", max_kbps=LIMIT_KBPS, direction=direction)
        limited, free = self.plugged(network, qos_policy_id=policy_id), self.plugged(network)
        for direction, (sender, receiver) in (("egress", (limited, free)), ("ingress", (free, limited))):
            tcp = tcp_stream(sender, receiver).kbps / LIMIT_KBPS
            self.assertLess(abs(tcp - 1), TCP_WITHIN[direction], direction)

    def test_a_named_burst_is_let_through_at_once(self) -> None:
        """And little beside it in the first moment."""
        network = self.make_network("10.0.0.0/24")
        policy_id = self.policy()
        self.rule(policy_id, "bandwidth_limit", max_kbps=100, max_burst_kbps=4000)
        limited, free = self.open_guest(network, qos_policy_id=policy_id), self.open_guest(network)
        arrived = datagrams(limited, free, 50_000, 1.0).kbits
        self.assertGreater(arrived, 3_400)
        self.assertLess(arrived, 4_600)


class PacketRateTests(QosCase):
    """How many packets a second."""

    def test_packets_keep_to_the_limit_in_both_directions(self) -> None:
        """Small ones, offered thrice as fast."""
        network = self.make_network("10.0.0.0/24")
        limited, free = self.open_guest(network), self.open_guest(network)
        for direction, (sender, receiver) in (("egress", (limited, free)), ("ingress", (free, limited))):
            policy_id = self.policy()
            self.rule(policy_id, "packet_rate_limit", max_kpps=1, direction=direction)
            self.update("port", limited.id, qos_policy_id=policy_id)
            self.await_meters(_NUMBERS[direction] + 1)
            pps = datagrams(sender, receiver, 3 * 100 * 8, size=100).pps
            note(f"qos | {direction} 1,000 packets/s: {pps:,.0f}")
            self.assertLess(abs(pps / 1000 - 1), UDP_WITHIN, direction)


class CopyTests(QosCase):
    """Broadcast, of which each receiver gets a copy."""

    def test_a_limited_receiver_costs_the_others_nothing(self) -> None:
        """It gets no more than it may, they get all, guarded or not."""
        network = self.make_network("10.0.0.0/24")
        policy_id = self.policy()
        self.rule(policy_id, "packet_rate_limit", max_kpps=1, max_burst_kpps=1, direction="ingress")
        self.rule(policy_id, "bandwidth_limit", max_kbps=100, max_burst_kbps=100, direction="ingress")
        limited = [self.open_guest(network, qos_policy_id=policy_id) for _ in range(2)]
        group = self.appliance.create("security_group", name="g")
        self.appliance.create("security_group_rule", security_group_id=group["id"], direction="ingress")
        limited.append(self.plugged(network, qos_policy_id=policy_id, security_groups=[group["id"]]))
        sender, free = self.open_guest(network), self.open_guest(network)
        packet = IP(src=sender.ip, dst="10.0.0.255") / UDP(sport=4000, dport=5000) / Raw(b"<copy>" * 160)
        frames = [bytes(Ether(src=sender.mac, dst="ff:ff:ff:ff:ff:ff") / packet)] * 60
        with ExitStack() as stack:
            ears = [stack.enter_context(Wire(guest.vm.namespace)) for guest in (*limited, free)]
            with Wire(sender.vm.namespace) as mouth:
                mouth.send(*frames)
                time.sleep(1.0)
            counts = [sum(b"<copy>" in frame for frame in ear.received()) for ear in ears]
        self.assertEqual(counts[-1], 60)
        # 100,000 bits are 12 frames of 1,000 bytes, and as many come in the second after them.
        self.assertTrue(all(5 <= got <= 30 for got in counts[:-1]), counts)


class MarkTests(QosCase):
    """Code points."""

    def test_what_a_vm_sends_is_marked(self) -> None:
        """IPv4 and IPv6, whatever it wrote itself; what it gets is not."""
        network = self.make_network("10.0.0.0/24", "fd00:1::/64")
        policy_id = self.policy()
        rule_id = self.rule(policy_id, "dscp_marking", dscp_mark=26)
        marked, free = self.open_guest(network, qos_policy_id=policy_id), self.open_guest(network)
        self.assertEqual(self.codes(marked, free), [26, 26])
        self.assertEqual(self.codes(free, marked), [46, 46])
        self.change(policy_id, "dscp_marking", rule_id, dscp_mark=0)
        self.wait_for("the new mark", lambda: self.codes(marked, free) == [0, 0])
        self.take(policy_id, "dscp_marking", rule_id)
        self.wait_for("no mark", lambda: self.codes(marked, free) == [46, 46])

    def codes(self, sender: Guest, receiver: Guest) -> list[int]:
        """Send a packet of each family with a code point of its own; return those that arrive."""
        ends = Ether(src=sender.mac, dst=receiver.mac)
        four = IP(src=sender.ip, dst=receiver.ip, tos=46 << 2) / UDP(dport=5000) / Raw(b"marked")
        six = IPv6(src="fd00:1::a", dst="fd00:1::b", tc=46 << 2) / UDP(dport=5000) / Raw(b"marked")
        found = []
        for packet, kind in ((four, IP), (six, IPv6)):
            with Wire(receiver.vm.namespace) as ear, Wire(sender.vm.namespace) as mouth:
                mouth.send(bytes(ends / packet))
                frame = ear.await_frame(lambda frame: b"marked" in frame, 2.0)
            assert frame is not None, "nothing arrived"
            header = Ether(frame)[kind]
            found.append((header.tos if kind is IP else header.tc) >> 2)
        return found


class WhoseTests(QosCase):
    """Whose policy counts."""

    def test_that_of_the_network_until_the_port_has_its_own(self) -> None:
        """Each change is in force within a moment, and what goes leaves no meter."""
        network = self.make_network("10.0.0.0/24")
        of_network, own = self.policy(), self.policy()
        self.rule(of_network, "bandwidth_limit", max_kbps=LIMIT_KBPS)
        self.rule(own, "packet_rate_limit", max_kpps=1, direction="ingress")
        guest = self.open_guest(network)
        self.update("network", network["id"], qos_policy_id=of_network)
        self.await_meters(1)
        self.update("port", guest.id, qos_policy_id=own)
        self.await_meters(4)
        self.update("port", guest.id, qos_policy_id=None)
        self.await_meters(1)
        self.update("network", network["id"], qos_policy_id=None)
        self.await_meters()

    def test_a_projects_default_is_that_of_its_new_networks(self) -> None:
        """And so of their ports."""
        policy_id = self.policy(is_default=True)
        self.addCleanup(self.appliance.request, "DELETE", f"/v2.0/qos/policies/{policy_id}")
        self.rule(policy_id, "bandwidth_limit", max_kbps=LIMIT_KBPS)
        network = self.make_network("10.0.0.0/24")
        guest = self.open_guest(network)
        self.await_meters(1)
        self.delete("port", guest.id)
        self.await_meters()
        self.delete("network", network["id"])


class ChangeTests(QosCase):
    """What a change costs."""

    def test_no_packet_is_lost_when_rules_change(self) -> None:
        """Rates go up and down, directions and marks come and go, under 500 packets a second."""
        network = self.make_network("10.0.0.0/24")
        policy_id = self.policy()
        talking, hearing = self.open_guest(network, qos_policy_id=policy_id), self.open_guest(network)
        self.assertTrue(talking.can_reach(hearing.ip))
        rounds = count(5, 50)
        with EchoStream(500, source=talking, target=hearing) as echoes:
            for _ in range(rounds):
                rules = [
                    ("bandwidth_limit", self.rule(policy_id, "bandwidth_limit", max_kbps=50_000, direction=direction))
                    for direction in ("egress", "ingress")
                ]
                rules.append(("packet_rate_limit", self.rule(policy_id, "packet_rate_limit", max_kpps=50)))
                rules.append(("dscp_marking", self.rule(policy_id, "dscp_marking", dscp_mark=10)))
                self.await_meters(1, 2, 3)
                self.change(policy_id, *rules[0], max_kbps=90_000)
                self.wait_for("the new rate", lambda: "rate=90000" in self.meters()[1])
                for kind, rule_id in rules:
                    self.take(policy_id, kind, rule_id)
                self.await_meters()
        note(f"qos | {rounds} rounds of changed rules: {echoes.sent} pings, {echoes.lost} lost")
        self.assertGreater(echoes.sent, 100)
        self.assertEqual(echoes.lost, 0)

    def test_a_restart_of_the_daemon_leaves_meters_alone(self) -> None:
        """And of ovs-vswitchd puts them back."""
        network = self.make_network("10.0.0.0/24")
        policy_id = self.policy()
        for direction in ("egress", "ingress"):
            self.rule(policy_id, "bandwidth_limit", max_kbps=LIMIT_KBPS, direction=direction)
        guest = self.open_guest(network, qos_policy_id=policy_id)
        self.await_meters(1, 3)
        before, flows = self.meters(), self.flows_with("table=8", "meter:")
        self.appliance.restart("/readyz")
        self.assertEqual((self.meters(), self.flows_with("table=8", "meter:")), (before, flows))
        self.ovs.kill("ovs-vswitchd")
        self.ovs.start_vswitchd()
        self.await_meters(1, 3)
        self.appliance.await_status(guest.id)


class HostsTests(QosCase, RolesCase):
    """Two hosts and a controller, over RabbitMQ."""

    host_names = ("host-a", "host-b")
    settings: ClassVar = {
        "l2.bridge_mappings": '["physnet1:br-ex"]',
        "network.vlan_ranges": '["physnet1:100:199"]',
    }

    @classmethod
    def prepare_switch(cls) -> None:
        """A cable from one host to the other."""
        cls.cluster.wire()

    def test_limits_hold_between_hosts(self) -> None:
        """In both directions, on the host of the port that is limited; the other has no meter."""
        provider: dict[str, Any] = {"provider:network_type": "vlan", "provider:physical_network": "physnet1"}
        network = self.make_network("10.1.0.0/24", **provider)
        limited, free = (self.boot(host, network) for host in self.hosts)
        self.assertTrue(limited.can_reach(free.ip))
        policy_id = self.policy()
        rules = [
            self.rule(policy_id, "bandwidth_limit", max_kbps=LIMIT_KBPS, direction=direction) for direction in _NUMBERS
        ]
        self.update("port", limited.id, qos_policy_id=policy_id)
        self.await_meters(1, 3)
        self.assertNotIn("kbps", self.hosts[1].ovs.ofctl("dump-meters"))
        for direction, (sender, receiver) in (("egress", (limited, free)), ("ingress", (free, limited))):
            tcp = tcp_stream(sender, receiver).kbps / LIMIT_KBPS
            note(f"qos | {direction} {LIMIT_KBPS} kbit/s between hosts: TCP {tcp:.0%}")
            self.assertLess(abs(tcp - 1), TCP_WITHIN[direction], direction)
        for rule_id in rules:
            self.take(policy_id, "bandwidth_limit", rule_id)
        self.await_meters()


_NUMBERS = {"egress": 1, "ingress": 3}
"""Which meters limit bits; those after them limit packets."""

"""Taps by real packets: a VM hears what another one sends and gets, and nobody else notices. Needs root."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.bed.host import Guest, HostCase
from tests.bed.wire import Wire

SETTLE_SECONDS = 0.5


class TapCase(HostCase):
    """Services and flows by the API."""

    def tap(self, resource: str, **said: Any) -> dict[str, Any]:
        """Make a service or a flow."""
        answer = self.appliance.request("POST", f"/v2.0/taas/{resource}s", {resource: said})
        self.assertEqual(answer.status, 201, answer.body)
        made: dict[str, Any] = answer.body[resource]
        return made

    def flow(self, ear: Guest, source: Guest, direction: str) -> dict[str, Any]:
        """Let a VM hear another one; copies flow when this returns."""
        service = self.tap("tap_service", port_id=ear.id)
        flow = self.tap("tap_flow", tap_service_id=service["id"], source_port=source.id, direction=direction)
        self.wait_for("an ACTIVE tap", lambda: self.shown(flow)["status"] == "ACTIVE")
        return flow

    def shown(self, flow: Mapping[str, Any]) -> dict[str, Any]:
        """Return a flow as it is now."""
        found: dict[str, Any] = self.appliance.request("GET", f"/v2.0/taas/tap_flows/{flow['id']}").body["tap_flow"]
        return found

    def hears(self, ear: Guest, sender: Guest, receiver: Guest, seconds: float = SETTLE_SECONDS) -> bool:
        """Let one VM send another a frame, which arrives; return whether the ear gets just the same."""
        frame = datagram(sender, receiver)
        with Wire(ear.vm.namespace) as copy, Wire(receiver.vm.namespace) as own, Wire(sender.vm.namespace) as mouth:
            mouth.send(frame)
            self.assertEqual(own.await_frame(lambda found: b"a datagram" in found), frame)
            return copy.await_frame(lambda found: found == frame, seconds) is not None


def datagram(sender: Guest, receiver: Guest) -> bytes:
    """Return a frame from one VM to another."""
    packet = IP(src=sender.ip, dst=receiver.ip) / UDP(sport=4000, dport=4000) / Raw(b"a datagram")
    return bytes(Ether(src=sender.mac, dst=receiver.mac) / packet)


class OneHostTests(TapCase):
    """All on one host; the ear is on another network, where nobody may send it anything."""

    def setUp(self) -> None:
        """Two VMs that talk, and one that listens."""
        super().setUp()
        network = self.make_network("10.0.0.0/24")
        self.alice, self.bob = self.plugged(network), self.plugged(network)
        self.ear = self.plugged(self.make_network("10.0.0.0/24"), security_groups=[])

    def test_directions(self) -> None:
        """Each hears what it says and no more; a flow that is deleted ends it."""
        for direction, sent, got in (("OUT", True, False), ("IN", False, True), ("BOTH", True, True)):
            flow = self.flow(self.ear, self.alice, direction)
            if sent:
                self.wait_for("a copy", lambda: self.hears(self.ear, self.alice, self.bob))
            if got:
                self.wait_for("a copy", lambda: self.hears(self.ear, self.bob, self.alice))
            self.assertEqual(self.hears(self.ear, self.alice, self.bob), sent)
            self.assertEqual(self.hears(self.ear, self.bob, self.alice), got)
            self.appliance.request("DELETE", f"/v2.0/taas/tap_flows/{flow['id']}")
            self.wait_for("the end", lambda: not self.flows_with("clone("))
            for talk in ((self.alice, self.bob), (self.bob, self.alice)):
                self.assertFalse(self.hears(self.ear, *talk))

    def test_a_ping_is_heard_and_works(self) -> None:
        """Requests and answers, ARP among them."""
        self.flow(self.ear, self.alice, "BOTH")
        self.wait_for("a copy", lambda: self.hears(self.ear, self.alice, self.bob))
        with Wire(self.ear.vm.namespace) as copy:
            self.alice.vm.run("ip", "neigh", "flush", "all")
            self.assertTrue(self.alice.can_reach(self.bob.ip))
            frames: list[bytes] = []

            def is_all() -> bool:
                frames.extend(copy.received())
                kinds = {(frame[12:14], frame[34] if frame[12:14] == b"\x08\x00" else frame[21]) for frame in frames}
                return {(b"\x08\x06", 1), (b"\x08\x06", 2), (b"\x08\x00", 8), (b"\x08\x00", 0)} <= kinds

            self.wait_for("both halves of the conversation", is_all)

    def test_taps_go_with_their_ports(self) -> None:
        """A listener that is deleted leaves the other's traffic alone."""
        flow = self.flow(self.ear, self.alice, "BOTH")
        self.wait_for("a copy", lambda: self.hears(self.ear, self.alice, self.bob))
        self.delete("port", self.ear.id)
        answer = self.appliance.request("GET", f"/v2.0/taas/tap_flows/{flow['id']}")
        self.assertEqual(answer.status, 404)
        self.wait_for("the end of copies", lambda: not self.flows_with("clone("))
        self.assertTrue(self.alice.can_reach(self.bob.ip))

    def test_a_restart_changes_nothing(self) -> None:
        """Copies go on."""
        self.flow(self.ear, self.alice, "OUT")
        self.wait_for("a copy", lambda: self.hears(self.ear, self.alice, self.bob))
        copying = len(self.flows_with("clone("))
        self.appliance.stop()
        self.appliance.start("/readyz")
        self.assertTrue(self.hears(self.ear, self.alice, self.bob))
        self.assertEqual(len(self.flows_with("clone(")), copying)


class LimitedTests(TapCase):
    """Ports whose packets pass meters; Open vSwitch does not always do a lone copy where it is asked to."""

    def setUp(self) -> None:
        """Two VMs that talk, one that listens, and a limit that is far away."""
        super().setUp()
        made = self.appliance.request("POST", "/v2.0/qos/policies", {"policy": {"name": "p"}})
        self.policy_id = made.body["policy"]["id"]
        for direction in ("ingress", "egress"):
            for rule, said in (("bandwidth_limit", {"max_kbps": 8000}), ("packet_rate_limit", {"max_kpps": 5})):
                body = {f"{rule}_rule": {**said, "direction": direction}}
                answer = self.appliance.request("POST", f"/v2.0/qos/policies/{self.policy_id}/{rule}_rules", body)
                self.assertEqual(answer.status, 201, answer.body)
        self.network = self.make_network("10.0.0.0/24")
        self.alice, self.bob, self.ear = (self.plugged(self.network) for _ in range(3))

    def limit(self, *guests: Guest) -> None:
        """Limit ports both ways."""
        for guest in guests:
            self.update("port", guest.id, qos_policy_id=self.policy_id)
            self.wait_for("its meters", partial(self.is_limited, guest))

    def is_limited(self, guest: Guest) -> bool:
        """Whether what a VM gets passes a meter."""
        return bool(self.flows_with("meter", f"reg7={hex(int(self.ofport(guest)))}"))

    def assert_heard(self) -> None:
        """What Alice and Bob say to each other and to all arrives, and the ear gets each once."""
        for talk in ((self.alice, self.bob), (self.bob, self.alice)):
            self.wait_for("a copy", lambda talk=talk: self.hears(self.ear, *talk))  # type: ignore[misc] # bound now
            self.assertEqual(self.counted(*talk), (5, 5))

    def counted(self, sender: Guest, receiver: Guest) -> tuple[int, int]:
        """Let one VM send another five frames; return how many of them arrive there, and at the ear."""
        frame = datagram(sender, receiver)
        with (
            Wire(self.ear.vm.namespace) as copy,
            Wire(receiver.vm.namespace) as own,
            Wire(sender.vm.namespace) as mouth,
        ):
            for _ in range(5):
                mouth.send(frame)
            time.sleep(SETTLE_SECONDS)
            heard = [sum(each == frame for each in wire.received()) for wire in (own, copy)]
        return heard[0], heard[1]

    def to_all(self, sender: Guest) -> tuple[int, int, int]:
        """Let one VM send five frames to all; return how many arrive at Alice, at Bob, and at the ear."""
        frame = bytes(Ether(src=sender.mac, dst="ff:ff:ff:ff:ff:ff") / IP(src=sender.ip) / UDP() / Raw(b"a datagram"))
        with (
            Wire(self.alice.vm.namespace) as alice,
            Wire(self.bob.vm.namespace) as bob,
            Wire(self.ear.vm.namespace) as ear,
        ):
            with Wire(sender.vm.namespace) as mouth:
                for _ in range(5):
                    mouth.send(frame)
            time.sleep(SETTLE_SECONDS)
            heard = [sum(each == frame for each in wire.received()) for wire in (alice, bob, ear)]
        return heard[0], heard[1], heard[2]

    def test_a_tapped_port_with_limits(self) -> None:
        """Copies of what it sends and gets, and all that is its own."""
        self.limit(self.alice)
        self.flow(self.ear, self.alice, "BOTH")
        self.assert_heard()

    def test_a_listener_with_limits(self) -> None:
        """Copies are no traffic of its own."""
        self.limit(self.ear)
        self.flow(self.ear, self.alice, "BOTH")
        self.assert_heard()

    def test_everybody_with_limits(self) -> None:
        """What goes to all as well: each gets it once, and the listener a copy more."""
        self.limit(self.alice, self.bob, self.ear)
        for direction, of_alice, of_bob in (("OUT", 10, 5), ("IN", 5, 10), ("BOTH", 10, 10)):
            flow = self.flow(self.ear, self.alice, direction)
            self.wait_for("its copies", lambda wanted=of_alice: self.to_all(self.alice)[2] == wanted)  # type: ignore[misc] # bound now
            self.assertEqual(self.to_all(self.alice), (0, 5, of_alice))
            self.assertEqual(self.to_all(self.bob), (5, 0, of_bob))
            self.appliance.request("DELETE", f"/v2.0/taas/tap_flows/{flow['id']}")
            self.wait_for("the end", lambda: not self.flows_with("clone("))

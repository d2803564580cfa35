"""Quality of service by real packets: limits in both directions, marks, and what a change costs. Needs root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bed.host import Guest, HostCase
from tests.bed.rates import datagrams, tcp_stream

LIMIT_KBPS = 10_000
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
        """Return the meters of limits that the switch has, by number."""
        lines = " ".join(self.ovs.ofctl("dump-meters").split()).split("meter=")[1:]
        found = {int(line.split()[0]): line for line in lines}
        return {number: line for number, line in found.items() if number >= 1 << 16}

    def await_meters(self, count: int) -> None:
        """Wait until there are so many meters of limits."""
        self.wait_for(f"{count} meters", lambda: len(self.meters()) == count)


class BandwidthTests(QosCase):
    """How many bits a second."""

    def test_datagrams_and_streams_keep_to_the_limit_in_both_directions(self) -> None:
        """Of what is offered twice as fast, within what is promised."""
        network = self.make_network("10.0.0.0/24")
        limited, free = self.open_guest(network), self.open_guest(network)
        for direction, (sender, receiver) in (("egress", (limited, free)), ("ingress", (free, limited))):
            policy_id = self.policy()
            self.rule(policy_id, "bandwidth_limit", max_kbps=LIMIT_KBPS, direction=direction)
            self.update("port", limited.id, qos_policy_id=policy_id)
            self.await_meters(1)
            udp = datagrams(sender, receiver, 2 * LIMIT_KBPS).kbps / LIMIT_KBPS
            tcp = tcp_stream(sender, receiver).kbps / LIMIT_KBPS
            self.assertLess(abs(udp - 1), UDP_WITHIN, direction)
            self.assertLess(abs(tcp - 1), TCP_WITHIN[direction], direction)
            other = datagrams(receiver, sender, 2 * LIMIT_KBPS, 2.0).kbps / LIMIT_KBPS
            self.assertGreater(other, 1.5, direction)

"""How fast packets go by floating IPs and by gateways that have QoS policies, with real traffic."""

from __future__ import annotations

import re
from typing import Any

from tests.bed.counts import is_soak
from tests.bed.figures import note
from tests.bed.rates import datagrams, tcp_stream
from tests.bed.routed import RouterCase

LIMIT_KBPS = 10_000
_RATES = (1_000, LIMIT_KBPS, 100_000) if is_soak() else (LIMIT_KBPS,)
WITHIN = 0.10
LASTS_SECONDS = 15.0
"""What may come at once are the bytes of a second, which are among what is counted."""


class LimitHost(RouterCase):
    """Two VMs behind a router, and the world."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network, self.outside = self.make_network("10.0.0.0/24"), self.make_outside()
        self.router = self.make_router(self.network, outside=self.outside)
        self.guest, self.other = self.open_guest(self.network), self.open_guest(self.network)
        self.world = self.open_guest(self.outside)
        self.assertTrue(self.guest.can_reach(self.world.ip))

    def policy(self, kbps: int, direction: str, **more: Any) -> tuple[str, str]:
        """Make a policy with a limit; return its id and that of its rule."""
        answer = self.appliance.request("POST", "/v2.0/qos/policies", {"policy": {"name": "p"}})
        policy_id = str(answer.body["policy"]["id"])
        said = {"max_kbps": kbps, "direction": direction, **more}
        path = f"/v2.0/qos/policies/{policy_id}/bandwidth_limit_rules"
        made = self.appliance.request("POST", path, {"bandwidth_limit_rule": said})
        self.assertEqual(made.status, 201, made.body)
        return policy_id, str(made.body["bandwidth_limit_rule"]["id"])

    def await_rate(self, kbps: int) -> None:
        """Wait until the router has a limit; with 0, until it has none."""
        rate = f"limit rate over {kbps * 125} bytes/second"
        self.wait_for(f"{rate}", lambda: (rate in self.rules()) if kbps else "limit rate" not in self.rules())

    def rules(self) -> str:
        """Return the router's filters, with rates in bytes a second."""
        listed = self.inside_router(self.router, "nft", "list", "ruleset")
        return re.sub(r"over (\d+) (m|k)bytes/second", _in_bytes, listed)

    def measured(self, direction: str, kbps: int, address: str = "") -> tuple[float, float]:
        """Return what gets through of UDP and of TCP to the VM, or from it, as parts of a rate."""
        inward = direction == "ingress"
        sender, receiver = (self.world, self.guest) if inward else (self.guest, self.world)
        to = address if inward else ""
        udp = datagrams(sender, receiver, 2 * kbps, LASTS_SECONDS, to=to).kbps / kbps
        tcp = tcp_stream(sender, receiver, LASTS_SECONDS, to=to).kbps / kbps
        return udp, tcp


class FloatingIpTests(LimitHost):
    """Floating IPs."""

    def test_both_directions_keep_to_their_limits(self) -> None:
        """Of what is offered twice as fast; the other direction, and the other VM, are not limited."""
        floating = self.make_floating(self.outside, self.guest)
        address = str(floating["floating_ip_address"])
        for kbps in _RATES:
            for direction in ("ingress", "egress"):
                policy_id, _ = self.policy(kbps, direction)
                self.update("floatingip", floating["id"], qos_policy_id=policy_id)
                self.await_rate(kbps)
                udp, tcp = self.measured(direction, kbps, address)
                note(f"floating IP | {direction} {kbps:,} kbit/s: UDP {udp:.0%}, TCP {tcp:.0%}")
                self.assertLess(abs(udp - 1), WITHIN, direction)
                self.assertLess(abs(tcp - 1), WITHIN, direction)
                free = datagrams(self.other, self.world, 2 * kbps, 2.0).kbps / kbps
                self.assertGreater(free, 1.5, direction)
                back = ("egress", "ingress")[direction == "egress"]
                self.assertGreater(self._other_way(back, kbps, address), 1.5, back)
                self.update("floatingip", floating["id"], qos_policy_id=None)
                self.await_rate(0)

    def _other_way(self, direction: str, kbps: int, address: str) -> float:
        inward = direction == "ingress"
        sender, receiver = (self.world, self.guest) if inward else (self.guest, self.world)
        return datagrams(sender, receiver, 2 * kbps, 2.0, to=address if inward else "").kbps / kbps

    def test_a_rule_that_changes_is_obeyed_and_loses_nothing(self) -> None:
        """Connections stay; a floating IP without a policy has that of its network."""
        policy_id, rule_id = self.policy(LIMIT_KBPS, "egress")
        self.update("network", self.outside["id"], qos_policy_id=policy_id)
        floating = self.make_floating(self.outside, self.guest)
        self.assertEqual(floating["qos_network_policy_id"], policy_id)
        self.await_rate(LIMIT_KBPS)
        path = f"/v2.0/qos/policies/{policy_id}/bandwidth_limit_rules/{rule_id}"
        answer = self.appliance.request("PUT", path, {"bandwidth_limit_rule": {"max_kbps": 2 * LIMIT_KBPS}})
        self.assertEqual(answer.status, 200, answer.body)
        self.await_rate(2 * LIMIT_KBPS)
        udp, _ = self.measured("egress", 2 * LIMIT_KBPS)
        self.assertLess(abs(udp - 1), WITHIN)


class GatewayTests(LimitHost):
    """Gateways: what goes by the router's own address."""

    def test_what_has_no_floating_ip_shares_the_limit(self) -> None:
        """Who has one goes by that."""
        policy_id, _ = self.policy(LIMIT_KBPS, "egress")
        info = {"network_id": self.outside["id"], "qos_policy_id": policy_id}
        router = self.update("router", self.router["id"], external_gateway_info=info)
        self.assertEqual(router["external_gateway_info"]["qos_policy_id"], policy_id)
        self.await_rate(LIMIT_KBPS)
        udp, tcp = self.measured("egress", LIMIT_KBPS)
        note(f"gateway | egress {LIMIT_KBPS:,} kbit/s: UDP {udp:.0%}, TCP {tcp:.0%}")
        self.assertLess(abs(udp - 1), WITHIN)
        self.assertLess(abs(tcp - 1), WITHIN)
        self.make_floating(self.outside, self.other)
        self.assertGreater(datagrams(self.other, self.world, 2 * LIMIT_KBPS, 2.0).kbps / LIMIT_KBPS, 1.5)
        before = self.inside_router(self.router, "nft", "-a", "list", "ruleset")
        self.appliance.restart("/readyz")
        self.assertEqual(self.inside_router(self.router, "nft", "-a", "list", "ruleset"), before)
        self.update("router", self.router["id"], external_gateway_info={**info, "qos_policy_id": None})
        self.await_rate(0)


def _in_bytes(found: re.Match[str]) -> str:
    """Return a rate as it was written: nft says it in the largest unit that it comes out even in."""
    return f"over {int(found[1]) * (1024 * 1024 if found[2] == 'm' else 1024)} bytes/second"

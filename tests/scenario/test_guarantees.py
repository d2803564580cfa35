"""Guaranteed bandwidth from the settings of a host to what the API refuses."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from quantumd.errors import SettingsError
from quantumd.model.bandwidth import Bandwidth
from quantumd.roles import parse_bandwidths
from tests.scenario.case import Answer, ScenarioCase


class GuaranteeTests(ScenarioCase):
    """A host that can guarantee 1000 kbit/s each way on physnet1."""

    async def start_with(self, guarantees: str) -> str:
        """Start a host whose operator says so; return the id of a policy that guarantees 600 kbit/s."""
        await self.start()
        await self.end()
        network = evolve(self.settings.network, bandwidth_guarantees=guarantees)
        l2 = evolve(self.settings.l2, bandwidth_kbps=("physnet1:1000:1000",))
        self.settings = evolve(self.settings, network=network, l2=l2)
        await self.begin()
        made = await self.ask("POST", "/v2.0/qos/policies", {"policy": {"name": "gold"}})
        policy_id: str = made.body["policy"]["id"]
        rule = {"minimum_bandwidth_rule": {"min_kbps": 600}}
        answer = await self.ask("POST", f"/v2.0/qos/policies/{policy_id}/minimum_bandwidth_rules", rule)
        self.assertEqual(answer.status, 201, answer.body)
        return policy_id

    async def ask_for_port(self, **said: Any) -> Answer:
        """Ask for a port."""
        return await self.ask("POST", "/v2.0/ports", {"port": said})

    def test_a_host_gives_no_more_than_it_has(self) -> Any:
        """The second port does not fit; agents tell what the host has."""
        return Deferred.fromCoroutine(self._counted())

    async def _counted(self) -> None:
        policy_id = await self.start_with("account")
        provider = {"provider:network_type": "vlan", "provider:physical_network": "physnet1"}
        network = await self.create("network", **provider)
        said = {"network_id": network["id"], "qos_policy_id": policy_id, "binding:host_id": "host-a"}
        agents = await self.ask("GET", "/v2.0/agents?host=host-a&binary=quantumd-l2")
        (agent,) = agents.body["agents"]
        self.assertEqual(agent["configurations"]["bandwidths"], {"physnet1": {"egress": 1000, "ingress": 1000}})
        self.assertEqual((await self.ask_for_port(**said)).status, 201)
        refused = await self.ask_for_port(**said)
        self.assertEqual((refused.status, refused.body["NeutronError"]["type"]), (409, "HostBandwidthExceeded"))

    def test_unless_the_operator_says_so_guarantees_are_refused(self) -> Any:
        """Nothing makes packets obey them."""
        return Deferred.fromCoroutine(self._refused())

    async def _refused(self) -> None:
        policy_id = await self.start_with("refuse")
        network = await self.create("network")
        refused = await self.ask_for_port(network_id=network["id"], qos_policy_id=policy_id)
        self.assertEqual((refused.status, refused.body["NeutronError"]["type"]), (409, "QosRuleNotSupported"))
        extensions = (await self.ask("GET", "/v2.0/extensions")).body["extensions"]
        self.assertNotIn("qos-bw-minimum-ingress", {each["alias"] for each in extensions})

    def test_settings_that_say_something_else_are_refused(self) -> None:
        """At the start; names may have colons in them."""
        self.assertEqual(parse_bandwidths(("a:b:1:2",)), (Bandwidth("a:b", 1, 2),))
        for wrong in ("physnet1", "physnet1:1", "physnet1:1:x", "physnet1:1:-2", ":1:2"):
            self.assertIn(wrong, str(self.assertRaises(SettingsError, parse_bandwidths, (wrong,))))
        self.assertRaises(SettingsError, parse_bandwidths, ("p:1:1", "p:2:2"))

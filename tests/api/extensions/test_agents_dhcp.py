"""Which DHCP agents serve which networks."""

from __future__ import annotations

from tests.api.extensions.test_agents_list import AgentCase
from tests.api.resources.bed import ADMIN, ALICE

_ON = "agents/<agent_id>/dhcp-networks"
_OFF = "agents/<agent_id>/dhcp-networks/<network_id>"
_OF = "networks/<network_id>/dhcp-agents"


class DhcpTests(AgentCase):
    """Networks on agents."""

    def setUp(self) -> None:
        """Have a host with both roles, and a network."""
        super().setUp()
        self.bed.add_host("a")
        self.l2, self.dhcp = self.report("a", "l2"), self.report("a", "dhcp")
        self.network_id, _ = self.bed.network_with_subnet()

    def networks(self, agent_id: str) -> list[str]:
        """Return the ids of the networks on an agent."""
        return [each["id"] for each in self.bed.act("GET", _ON, [], agent_id=agent_id)["networks"]]

    def agents(self) -> list[str]:
        """Return the ids of the agents of the network."""
        return [each["id"] for each in self.bed.act("GET", _OF, [], network_id=self.network_id)["agents"]]

    def add(self, agent_id: str) -> None:
        """Put the network on an agent."""
        self.bed.act("POST", _ON, {"network_id": self.network_id}, agent_id=agent_id)

    def remove(self, agent_id: str) -> None:
        """Take the network from an agent."""
        self.bed.act("DELETE", _OFF, None, agent_id=agent_id, network_id=self.network_id)

    def test_a_network_is_where_its_ports_are(self) -> None:
        """The DHCP agent of a host serves the networks of the ports that are bound there."""
        self.assertEqual((self.networks(self.dhcp), self.agents()), ([], []))
        self.bed.create("port", network_id=self.network_id, binding__host_id="a")
        self.assertEqual((self.networks(self.dhcp), self.agents()), ([self.network_id], [self.dhcp]))
        self.assertEqual(self.networks(self.l2), [])

    def test_networks_are_shown_whole(self) -> None:
        """What is listed is networks as they are shown elsewhere."""
        self.add(self.dhcp)
        shown = self.bed.act("GET", _ON, [], agent_id=self.dhcp)["networks"][0]
        network = self.bed.show("network", self.network_id)
        self.assertEqual(
            {name: shown[name] for name in ("id", "name", "subnets", "tenant_id")},
            {**{name: network[name] for name in ("id", "name", "subnets")}, "tenant_id": network["project_id"]},
        )

    def test_a_network_can_be_put_on_an_agent_and_taken_away(self) -> None:
        """What an operator put there is listed until it is taken away."""
        self.add(self.dhcp)
        self.assertEqual((self.networks(self.dhcp), self.agents()), ([self.network_id], [self.dhcp]))
        self.remove(self.dhcp)
        self.assertEqual((self.networks(self.dhcp), self.agents()), ([], []))

    def test_twice_is_a_conflict(self) -> None:
        """A network is on an agent once, whoever put it there."""
        self.add(self.dhcp)
        message = self.assert_refused(409, "NetworkHostedByDHCPAgent", self.add, self.dhcp)
        self.assertEqual(
            message, f"The network {self.network_id} has been already hosted by the DHCP Agent {self.dhcp}."
        )
        self.remove(self.dhcp)
        message = self.assert_refused(409, "NetworkNotHostedByDhcpAgent", self.remove, self.dhcp)
        self.assertEqual(message, f"The network {self.network_id} is not hosted by the DHCP agent {self.dhcp}.")

    def test_a_host_goes_on_serving_its_ports(self) -> None:
        """A network cannot be taken from an agent whose host has its ports."""
        self.bed.create("port", network_id=self.network_id, binding__host_id="a")
        message = self.assert_refused(409, "InvalidDHCPAgent", self.remove, self.dhcp)
        self.assertIn("always serves DHCP to its ports", message)

    def test_only_enabled_dhcp_agents_take_networks(self) -> None:
        """Other agents and disabled ones are refused."""
        message = self.assert_refused(404, "InvalidDHCPAgent", self.add, self.l2)
        self.assertEqual(message, f"Agent {self.l2} is not a valid DHCP Agent or has been disabled.")
        self.bed.update("agent", self.dhcp, admin_state_up=False)
        self.assert_refused(404, "InvalidDHCPAgent", self.add, self.dhcp)

    def test_a_disabled_agent_is_listed_and_serves_what_its_host_has(self) -> None:
        """Its ports have nobody else; only what is put there by hand is refused."""
        self.bed.update("agent", self.dhcp, admin_state_up=False)
        self.bed.create("port", network_id=self.network_id, binding__host_id="a")
        self.assertEqual((self.networks(self.dhcp), self.agents()), ([self.network_id], [self.dhcp]))

    def test_a_host_outside_of_the_hinted_zones_serves_its_ports(self) -> None:
        """Where ports go is Nova's choice; the network shows the zones that it is really in."""
        self.bed.add_host("b")
        elsewhere = self.report("b", "dhcp", "mars")
        self.network_id = self.bed.create("network", availability_zone_hints=["nova"])["id"]
        self.bed.create("port", network_id=self.network_id, binding__host_id="b")
        self.assertEqual(self.agents(), [elsewhere])
        network = self.bed.show("network", self.network_id)
        self.assertEqual((network["availability_zone_hints"], network["availability_zones"]), (["nova"], ["mars"]))

    def test_a_network_on_two_hosts_is_on_both_agents(self) -> None:
        """Each answers its own ports; another network is on neither."""
        self.bed.add_host("b")
        other = self.report("b", "dhcp")
        for host in ("a", "b"):
            self.bed.create("port", network_id=self.network_id, binding__host_id=host)
        self.bed.network_with_subnet()
        self.assertEqual(self.agents(), sorted([self.dhcp, other]))
        self.assertEqual((self.networks(self.dhcp), self.networks(other)), ([self.network_id], [self.network_id]))

    def test_what_is_not_there_is_not_found(self) -> None:
        """Agents and networks must exist; an unknown agent has no networks."""
        self.assert_refused(404, "AgentNotFound", self.add, "nobody")
        self.assertEqual(self.networks("nobody"), [])
        self.network_id = "00000000-0000-0000-0000-000000000000"
        self.assert_refused(404, "NetworkNotFound", self.add, self.dhcp)
        self.assert_refused(404, "NetworkNotFound", self.agents)

    def test_bodies_name_a_network(self) -> None:
        """A body without a network is a clear 400."""
        self.assert_refused(400, "HTTPBadRequest", self.bed.act, "POST", _ON, {}, agent_id=self.dhcp)
        self.assert_refused(400, "HTTPBadRequest", self.bed.act, "POST", _ON, {"network_id": 3}, agent_id=self.dhcp)

    def test_members_schedule_nothing(self) -> None:
        """All of this is for administrators."""
        for method, path, parts in (
            ("GET", _ON, {"agent_id": self.dhcp}),
            ("GET", _OF, {"network_id": self.network_id}),
            ("POST", _ON, {"agent_id": self.dhcp}),
            ("DELETE", _OFF, {"agent_id": self.dhcp, "network_id": self.network_id}),
        ):
            self.assert_refused(403, "PolicyNotAuthorized", self.bed.act, method, path, {}, ALICE, **parts)

    def test_a_deleted_network_leaves_its_agents(self) -> None:
        """What an operator put on an agent does not keep a network."""
        self.add(self.dhcp)
        self.bed.delete("network", self.network_id, ADMIN)
        self.assertEqual(self.networks(self.dhcp), [])

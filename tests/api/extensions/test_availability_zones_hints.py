"""What networks may say of availability zones."""

from __future__ import annotations

from sqlalchemy import event

from quantumd.api.extensions.agents.heartbeats import agent_id_of
from quantumd.api.extensions.availability_zones.zones import require_zones
from tests.api.extensions.test_agents_list import AgentCase


class HintTests(AgentCase):
    """Hints."""

    def test_hints_name_zones_with_dhcp(self) -> None:
        """A zone in which nothing serves networks is refused."""
        self.report("a", "dhcp")
        require_zones(self.bed.connection, "network", ["nova"])
        require_zones(self.bed.connection, "router", [])
        message = self.assert_refused(
            404, "AvailabilityZoneNotFound", require_zones, self.bed.connection, "network", ["nova", "mars"]
        )
        self.assertEqual(message, "AvailabilityZone mars could not be found.")
        self.assert_refused(404, "AvailabilityZoneNotFound", require_zones, self.bed.connection, "router", ["nova"])

    def test_hints_of_networks_name_zones(self) -> None:
        """The zone of the agents that report here is there before any of them has reported."""
        network = self.bed.create("network", availability_zone_hints=["nova"])
        self.assertEqual((network["availability_zone_hints"], network["availability_zones"]), (["nova"], []))
        message = self.assert_refused(
            404, "AvailabilityZoneNotFound", self.bed.create, "network", availability_zone_hints=["mars"]
        )
        self.assertEqual(message, "AvailabilityZone mars could not be found.")


class ZoneTests(AgentCase):
    """``availability_zones`` of networks."""

    def setUp(self) -> None:
        """Two hosts in two zones, and a network."""
        super().setUp()
        self.report("a", "dhcp", "nova")
        self.report("b", "dhcp", "mars")
        self.network_id, _ = self.bed.network_with_subnet()

    def zones(self) -> list[str]:
        """The zones that the network shows, alone and in a list."""
        shown: list[str] = self.bed.show("network", self.network_id)["availability_zones"]
        (listed,) = self.bed.listed("network", id=(self.network_id,))
        self.assertEqual(listed["availability_zones"], shown)
        return shown

    def bind(self, host: str) -> None:
        """Give a host a port of the network."""
        self.bed.create("port", network_id=self.network_id, binding__host_id=host)

    def test_networks_are_in_the_zones_of_their_hosts(self) -> None:
        """The hosts that ports are bound to serve their network; on an unknown host nothing does."""
        self.assertEqual(self.zones(), [])
        self.bind("nowhere")
        self.assertEqual(self.zones(), [])
        self.bind("a")
        self.assertEqual(self.zones(), ["nova"])
        self.bind("b")
        self.assertEqual(self.zones(), ["mars", "nova"])

    def test_networks_that_were_put_on_an_agent_are_in_its_zone(self) -> None:
        """As the lists of agents show it."""
        agent_id = agent_id_of("b", "dhcp")
        body = {"network_id": self.network_id}
        self.bed.act("POST", "agents/<agent_id>/dhcp-networks", body, agent_id=agent_id)
        self.assertEqual(self.zones(), ["mars"])

    def test_a_list_asks_as_often_as_one_network(self) -> None:
        """However many networks there are."""
        for _ in range(5):
            self.bind("a")
            self.network_id, _ = self.bed.network_with_subnet()
        asked: list[str] = []
        event.listen(self.bed.connection, "before_cursor_execute", lambda *said: asked.append(said[2]))
        self.assertEqual(len(self.bed.listed("network")), 6)
        self.assertEqual(sum("FROM agents" in each or "JOIN agents" in each for each in asked), 2)


class PlanTests(AgentCase):
    """How SQLite finds the hosts of networks."""

    def test_only_ports_on_hosts_are_read(self) -> None:
        """Those of the network come from an index that has their hosts, so a network of many ports costs little."""
        statement = "SELECT network_id, host_id FROM ports WHERE network_id = 'n' AND host_id > ''"
        plan = str(self.bed.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all())
        self.assertIn("COVERING INDEX ix_ports_network_id_host_id (network_id=? AND host_id>?)", plan)

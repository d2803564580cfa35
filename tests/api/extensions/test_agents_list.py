"""Agents: the roles of hosts as operators see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from quantumd.api.extensions.agents.agents import Agents
from quantumd.api.extensions.agents.heartbeats import agent_id_of, note_agent
from quantumd.api.resource import Query, Sort
from quantumd.model.host_life import HostLife
from quantumd.model.messages import HostReport
from tests.api.resources.bed import ADMIN, ALICE, NOW, View
from tests.api.resources.case import ResourceCase

_THEN = datetime.fromisoformat(NOW)


class AgentCase(ResourceCase):
    """Has hosts that reported at the bed's time."""

    def report(self, host: str, role: str, zone: str = "nova") -> str:
        """Report as a role of a host and return the agent's id."""
        note_agent(self.bed.tx(), HostReport(host, role, "1", "ovs", '{"bridge_name": "br-int"}'), zone)
        return agent_id_of(host, role)

    def at(self, seconds: float) -> Agents:
        """Return the operations as they are some seconds after the bed's time."""
        return Agents(HostLife(150), lambda: _THEN + timedelta(seconds=seconds))

    def listed_at(self, seconds: float, *filters: tuple[str, tuple[object, ...]]) -> list[View]:
        """Return what is listed some seconds later."""
        batches = self.at(seconds).list(self.bed.connection, ADMIN, Query(filters))
        return [view for batch in batches for view in batch]


class AgentTests(AgentCase):
    """List, show, change and remove."""

    def test_roles_are_shown_as_agents(self) -> None:
        """Every role that reported is an agent of the type that clients know."""
        self.report("a", "l2")
        self.report("a", "dhcp")
        self.report("a", "l3")
        types = sorted(view["agent_type"] for view in self.bed.listed("agent"))
        self.assertEqual(types, ["DHCP agent", "L3 agent", "Open vSwitch agent"])
        (router,) = self.bed.listed("agent", binary=("quantumd-l3",))
        self.assertEqual((router["agent_type"], router["topic"]), ("L3 agent", "l3_agent"))

    def test_a_report_is_shown(self) -> None:
        """An agent tells its host, its zone, its times and what it is."""
        agent_id = self.report("a", "dhcp")
        view = self.at(5).show(self.bed.connection, ADMIN, agent_id)
        self.assertEqual(
            view,
            {
                "id": agent_id,
                "host": "a",
                "agent_type": "DHCP agent",
                "binary": "quantumd-dhcp",
                "topic": "dhcp_agent",
                "availability_zone": "nova",
                "admin_state_up": True,
                "description": None,
                "alive": True,
                "resources_synced": None,
                "configurations": {
                    "quantumd_version": "1",
                    "vif_type": "ovs",
                    "vif_details": {"bridge_name": "br-int"},
                },
                "created_at": "2026-11-20 10:02:34",
                "started_at": "2026-11-20 10:02:34",
                "heartbeat_timestamp": "2026-11-20 10:02:34",
            },
        )

    def test_a_host_s_own_zone_goes_before_that_of_who_hears_it(self) -> None:
        """And follows its setting; a host of before is where the API is."""
        agent_id = self.report("a", "dhcp")
        self.assertEqual(self.bed.show("agent", agent_id)["availability_zone"], "nova")
        note_agent(self.bed.tx(), HostReport("a", "dhcp", "1", availability_zone="mars"), "nova")
        self.assertEqual(self.bed.show("agent", agent_id)["availability_zone"], "mars")

    def test_silence_means_dead(self) -> None:
        """An agent is alive as long after its last report as the setting says."""
        self.report("a", "l2")
        self.assertEqual([self.listed_at(seconds)[0]["alive"] for seconds in (150, 151)], [True, False])

    def test_a_later_report_keeps_it_alive(self) -> None:
        """A report moves the heartbeat and nothing else."""
        self.report("a", "l2")
        self.bed.now = "2026-11-20T10:03:34Z"
        self.report("a", "l2")
        view = self.listed_at(200)[0]
        self.assertEqual((view["alive"], view["heartbeat_timestamp"]), (True, "2026-11-20 10:03:34"))
        self.assertEqual(view["created_at"], "2026-11-20 10:02:34")

    def test_the_living_can_be_asked_for(self) -> None:
        """Lists can be filtered by whether agents are alive."""
        self.report("a", "l2")
        self.bed.now = "2026-11-20T11:00:00Z"
        alive = self.report("b", "l2")
        later = (datetime(2026, 11, 20, 11, tzinfo=UTC) - _THEN).total_seconds()
        self.assertEqual([each["id"] for each in self.listed_at(later, ("alive", (True,)))], [alive])
        self.assertEqual([each["host"] for each in self.listed_at(later, ("alive", (False,)))], ["a"])
        self.assertEqual(len(self.listed_at(later, ("alive", (True, False)))), 2)

    def test_filters(self) -> None:
        """Agents are found by type, host, binary and zone."""
        self.report("a", "l2")
        dhcp = self.report("b", "dhcp")
        for name, text in (
            ("agent_type", "DHCP agent"),
            ("host", "b"),
            ("binary", "quantumd-dhcp"),
            ("topic", "dhcp_agent"),
        ):
            wanted: dict[str, Any] = {name: (text,)}
            self.assertEqual([each["id"] for each in self.bed.listed("agent", **wanted)], [dhcp])
        self.assertEqual(len(self.bed.listed("agent", availability_zone=("nova",))), 2)

    def test_agents_can_be_sorted(self) -> None:
        """Lists can be ordered by an attribute."""
        for host in ("b", "a", "c"):
            self.report(host, "l2")
        sorted_down = self.bed.query("agent", Query(sorts=(Sort("host", True),)))
        self.assertEqual([each["host"] for each in sorted_down], ["c", "b", "a"])
        self.assertEqual(len(self.bed.query("agent", Query(sorts=(Sort("alive"),)))), 3)

    def test_operators_describe_and_disable(self) -> None:
        """What operators set stays over reports."""
        agent_id = self.report("a", "l2")
        self.bed.update("agent", agent_id, description="rack 3", admin_state_up=False)
        self.report("a", "l2")
        view = self.bed.show("agent", agent_id)
        self.assertEqual((view["description"], view["admin_state_up"]), ("rack 3", False))
        self.assertEqual(self.journalled(), [("agent", "update")])

    def test_a_removed_agent_comes_back_as_itself(self) -> None:
        """A dead agent that is removed is gone; a living one is back with its next report."""
        agent_id = self.report("a", "l2")
        self.bed.delete("agent", agent_id)
        self.assert_refused(404, "AgentNotFound", self.bed.show, "agent", agent_id)
        self.assertEqual(self.report("a", "l2"), agent_id)
        self.assertEqual(self.bed.show("agent", agent_id)["host"], "a")

    def test_members_see_none(self) -> None:
        """Agents are the operator's business: others see an empty list and find none."""
        agent_id = self.report("a", "l2")
        self.assertEqual(self.bed.listed("agent", ALICE), [])
        message = self.assert_refused(404, "AgentNotFound", self.bed.show, "agent", agent_id, ALICE)
        self.assertEqual(message, f"Agent {agent_id} could not be found.")
        self.assert_refused(404, "AgentNotFound", self.bed.update, "agent", agent_id, ALICE, description="x")
        self.assert_refused(404, "AgentNotFound", self.bed.delete, "agent", agent_id, ALICE)


class ZoneTests(AgentCase):
    """Availability zones."""

    def test_zones_are_those_of_agents(self) -> None:
        """A zone serves networks when a DHCP agent is in it, and routers when an L3 agent is."""
        self.report("a", "l2")
        self.assertEqual(self.bed.listed("availability_zone", ALICE), [])
        self.report("a", "dhcp")
        self.report("b", "dhcp")
        self.report("b", "l3")
        self.assertEqual(
            self.bed.listed("availability_zone", ALICE),
            [
                {"name": "nova", "resource": "network", "state": "available"},
                {"name": "nova", "resource": "router", "state": "available"},
            ],
        )

    def test_a_zone_of_disabled_agents_is_unavailable(self) -> None:
        """One enabled agent is enough."""
        one, other = self.report("a", "dhcp"), self.report("b", "dhcp")
        self.bed.update("agent", one, admin_state_up=False)
        self.assertEqual(self.bed.listed("availability_zone")[0]["state"], "available")
        self.bed.update("agent", other, admin_state_up=False)
        self.assertEqual(self.bed.listed("availability_zone")[0]["state"], "unavailable")

    def test_zones_can_be_filtered(self) -> None:
        """By name, resource and state."""
        self.report("a", "dhcp")
        self.report("a", "l3")
        found = self.bed.listed("availability_zone", resource=("router",), state=("available",))
        self.assertEqual([each["resource"] for each in found], ["router"])
        self.assertEqual(self.bed.listed("availability_zone", name=("mars",)), [])

"""Routers on L3 agents, as operators ask for them and move them."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select

from quantumd.api.extensions.agents.heartbeats import agent_id_of
from quantumd.api.extensions.routers.statuses import apply_router_report
from quantumd.model.messages import PortReport, Report
from quantumd.store.tables import journal
from tests.api.extensions.test_router_hosts import LATER, HostedCase
from tests.api.resources.bed import ADMIN, ALICE

_ON = "agents/<agent_id>/l3-routers"
_OFF = "agents/<agent_id>/l3-routers/<router_id>"
_OTHER: dict[str, Any] = {"cidr": "10.0.77.0/24", "ip_version": 4}
_OF = "routers/<router_id>/l3-agents"
NOBODY = "00000000-0000-4000-8000-000000000000"


class AgentsOfRoutersTests(HostedCase):
    """Two hosts, and a router with a gateway, an interface and a floating IP on host a."""

    def setUp(self) -> None:
        """Make them; the host has realised all."""
        super().setUp()
        self.hear("a")
        self.made = self.with_gateway()
        self.add(self.made, subnet_id=self.inner)
        port = self.bed.create("port", ALICE, network_id=self.inside)
        outside = {"floating_network_id": self.outside, "port_id": port["id"]}
        self.floating = self.bed.create("floatingip", ALICE, **outside)["id"]
        self.realise("a")
        self.hear("b")
        self.here, self.there = agent_id_of("a", "l3"), agent_id_of("b", "l3")

    def realise(self, host: str) -> None:
        """Let a host report that all until now is realised."""
        tx = self.bed.tx()
        with tx.savepoint():
            apply_router_report(tx, Report(host, "l3", (PortReport(self.made["id"], self.position(), True),)))

    def on(self, agent_id: str) -> list[str]:
        """Return the ids of the routers on an agent."""
        return [each["id"] for each in self.bed.act("GET", _ON, [], agent_id=agent_id)["routers"]]

    def agents(self) -> list[str]:
        """Return the ids of the agents of the router."""
        return [each["id"] for each in self.bed.act("GET", _OF, [], router_id=self.made["id"])["agents"]]

    def put(self, agent_id: str, router_id: str | None = None) -> None:
        """Move the router to an agent."""
        self.bed.act("POST", _ON, {"router_id": router_id or self.made["id"]}, agent_id=agent_id)

    def take(self, agent_id: str, router_id: str | None = None) -> None:
        """Take the router from an agent."""
        self.bed.act("DELETE", _OFF, None, agent_id=agent_id, router_id=router_id or self.made["id"])

    def statuses(self) -> tuple[str, str]:
        """Return the status of the router and of the floating IP."""
        return self.shown(self.made)["status"], self.bed.show("floatingip", self.floating, ALICE)["status"]

    def test_they_are_listed_whole(self) -> None:
        """As they are shown elsewhere; agents of other roles carry none."""
        (shown,) = self.bed.act("GET", _ON, [], agent_id=self.here)["routers"]
        self.assertEqual(shown, {**self.bed.show("router", self.made["id"]), "tenant_id": "alice"})
        self.assertEqual((self.agents(), self.on(self.there), self.on(NOBODY)), ([self.here], [], []))
        self.assertEqual(self.on(agent_id_of("a", "l2")), [])

    def test_one_is_moved(self) -> None:
        """With its ports; it is DOWN, and its floating IP, until the new host has realised it."""
        self.assertEqual(self.statuses(), ("ACTIVE", "ACTIVE"))
        self.put(self.there)
        self.assertEqual((self.on(self.here), self.on(self.there)), ([], [self.made["id"]]))
        self.assertEqual((self.bindings(self.made), self.statuses()), ({("b", "ovs")}, ("DOWN", "DOWN")))
        carried = self.bed.connection.execute(select(journal.c.after).where(journal.c.resource == "agent"))
        after = [orjson.loads(text) for text in carried.scalars()][-2:]
        self.assertEqual([(row["host"], row["l3_router"]) for row in after], [("a", None), ("b", self.made["id"])])
        self.realise("a")
        self.assertEqual(self.statuses(), ("DOWN", "DOWN"))
        self.realise("b")
        self.assertEqual(self.statuses(), ("ACTIVE", "ACTIVE"))

    def test_where_it_is_it_stays(self) -> None:
        """Nothing is written."""
        before = self.position()
        self.put(self.here)
        self.assertEqual((self.position(), self.statuses()), (before, ("ACTIVE", "ACTIVE")))

    def test_one_that_is_taken_away_goes_to_another(self) -> None:
        """If there is one; else it waits, bound nowhere, and the agent does not take it back by itself."""
        self.take(self.here)
        self.assertEqual(self.agents(), [self.there])
        self.bed.update("agent", self.here, admin_state_up=False)
        self.take(self.there)
        self.assertEqual((self.agents(), self.statuses()), ([], ("DOWN", "DOWN")))
        self.assertEqual(self.bindings(self.made), {("", "unbound")})
        self.hear("b")
        self.assertEqual(self.agents(), [])
        self.put(self.there)
        self.assertEqual((self.agents(), self.bindings(self.made)), ([self.there], {("b", "ovs")}))
        self.take(self.there)
        self.bed.update("agent", self.here, admin_state_up=True)
        self.hear("a")
        self.assertEqual(self.agents(), [self.here])
        self.bed.update("agent", self.there, admin_state_up=False)
        self.take(self.here)
        self.add(self.made, subnet_id=self.bed.create("subnet", ALICE, network_id=self.inside, **_OTHER)["id"])
        self.assertEqual(self.agents(), [self.here])

    def test_what_makes_no_sense_is_refused(self) -> None:
        """In Neutron's words."""
        l2 = agent_id_of("a", "l2")
        for agent_id, error in ((NOBODY, "AgentNotFound"), (l2, "InvalidL3Agent")):
            self.assert_refused(404, error, self.put, agent_id)
            self.assert_refused(404, error, self.take, agent_id)
        self.assert_refused(404, "RouterNotFound", self.put, self.there, NOBODY)
        self.assert_refused(404, "RouterNotFound", self.take, self.there, NOBODY)
        self.assert_refused(404, "RouterNotFound", self.bed.act, "GET", _OF, [], router_id=NOBODY)
        self.assert_refused(409, "RouterNotHostedByL3Agent", self.take, self.there)
        self.bed.update("agent", self.there, admin_state_up=False)
        self.assert_refused(404, "InvalidL3Agent", self.put, self.there)
        for body, error in ((None, "HTTPBadRequest"), ({}, "HTTPBadRequest"), ({"router_id": "x"}, "HTTPBadRequest")):
            self.assert_refused(400, error, self.bed.act, "POST", _ON, body, agent_id=self.here)

    def test_a_silent_host_takes_none(self) -> None:
        """Of which nobody knows whether it lives."""
        self.bed.now = LATER
        self.hear("a")
        self.assert_refused(404, "InvalidL3Agent", self.put, self.there)

    def test_owners_may_not(self) -> None:
        """They learn nothing of hosts."""
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.act, "GET", _ON, [], ALICE, agent_id=self.here)
        self.assertEqual(len(self.bed.act("GET", _ON, [], ADMIN, agent_id=self.here)["routers"]), 1)

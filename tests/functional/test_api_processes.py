"""Two API processes on one PostgreSQL, killed under load: what was answered stays, hosts have what was decided."""

from __future__ import annotations

import random
import time
from typing import Any, ClassVar

import pytest

from bench.bars.bed import plug_patches
from tests.bed.counts import count
from tests.bed.database_server import DatabaseServer
from tests.bed.databases import lacking, new_server
from tests.bed.figures import note
from tests.bed.roles import RolesCase
from tests.bed.writers import PortState, Writer

KILLS = count(4, 500)
WRITERS = 8
PLUGGED = 24
BETWEEN_KILLS_SECONDS = (0.0, 1.0)
LOOK_AFTER = 50
"""After so many kills everything is looked at."""
SEED = 20_261_127


class ApiProcessesCase(RolesCase):
    """Two API processes, a host, and its ports."""

    skip = RolesCase.skip or lacking("postgresql")
    controllers = ("controller-1", "controller-2")
    settings: ClassVar = {"database.connections": "2"}
    database: ClassVar[DatabaseServer]

    @classmethod
    def make_database(cls) -> str:
        """A PostgreSQL of one's own."""
        cls.database = new_server("postgresql")
        cls.addClassCleanup(cls.database.close)
        return cls.database.create("quantumd_cluster")


class KillTests(ApiProcessesCase):
    """SIGKILL at random moments, in the middle of requests."""

    def setUp(self) -> None:
        super().setUp()
        self.chance = random.Random(SEED)
        self.network = self.make_network("10.0.0.0/16")
        self.writers = [Writer(self.cluster.apis, self.network["id"], "host-a", number) for number in range(WRITERS)]
        bodies = [{"network_id": self.network["id"], "binding:host_id": "host-a"} for _ in range(PLUGGED)]
        ports = self.appliance.request("POST", "/v2.0/ports", {"ports": bodies}).body["ports"]
        plug_patches(self.ovs, [port["id"] for port in ports])
        for number, port in enumerate(ports):
            self.appliance.await_status(port["id"])
            self.writers[number % WRITERS].adopt(port)

    @pytest.mark.slow
    @pytest.mark.time_limit(240 + 8 * KILLS)
    def test_every_answered_write_is_there_and_hosts_equal_a_full_recompute(self) -> None:
        """Whichever process dies, whatever it was doing; the other one goes on."""
        for done in range(0, KILLS, LOOK_AFTER):
            for writer in self.writers:
                writer.start()
            for _ in range(min(LOOK_AFTER, KILLS - done)):
                victim = self.chance.choice(self.cluster.apis)
                victim.kill()
                victim.start()
                time.sleep(self.chance.uniform(*BETWEEN_KILLS_SECONDS))
            for writer in self.writers:
                writer.finish()
            self.expect_what_was_answered()
            self.expect_true_statuses()
            self.expect_a_full_recompute_changes_nothing()
        answered = sum(sum(writer.answered.values()) for writer in self.writers)
        lost = sum(writer.lost for writer in self.writers)
        note(f"{KILLS} kills of 2 API processes on PostgreSQL: {answered} writes answered, {lost} not, none lost")

    def expect_what_was_answered(self) -> None:
        """Both processes say of every port what its writer may believe."""
        for api in self.cluster.apis:
            api.await_answer("/readyz")
            found = {port["id"]: port for port in api.request("GET", "/v2.0/ports").body["ports"]}
            for writer in self.writers:
                self.assertLessEqual(set(writer.answered), {200, 201, 204})
                for port_id, states in writer.may_be.items():
                    self.assertIn(_state(found.get(port_id), states[-1]), states)
        for writer in self.writers:
            for port_id in writer.may_be:
                state = _state(found.get(port_id), writer.may_be[port_id][-1])
                writer.may_be[port_id] = [state]

    def expect_true_statuses(self) -> None:
        """A port that is plugged is ACTIVE while it is up."""
        for writer in self.writers:
            for port_id in writer.adopted:
                is_up = writer.may_be[port_id][0].admin_state_up
                self.appliance.await_status(port_id, "ACTIVE" if is_up else "DOWN", 30)

    def expect_a_full_recompute_changes_nothing(self) -> None:
        """The flows are those that the role makes from nothing but what the server says."""
        before = self.settled_flows()
        process = self.hosts[0].l2
        process.stop()
        self.ovs.ofctl("del-flows")
        process.launch()
        self.assertEqual(self.settled_flows(), before)
        self.assertGreater(len(before), PLUGGED)

    def settled_flows(self) -> list[str]:
        """Return the flows once they have not changed for two seconds."""
        flows: list[str] = []
        since = time.monotonic()
        deadline = since + 60
        while time.monotonic() < since + 2 or not flows:
            self.assertLess(time.monotonic(), deadline, "the flows do not settle")
            now = sorted(self.flows_with("table="))
            if now != flows:
                flows, since = now, time.monotonic()
            time.sleep(0.2)
        return flows


def _state(port: dict[str, Any] | None, last: PortState) -> PortState:
    if port is None:
        return PortState(last.name, last.admin_state_up, exists=False)
    return PortState(port["name"], port["admin_state_up"])

"""Killed while clients create ports: nothing that was answered is lost, no address is given twice. Needs root."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import Any

import pytest

from tests.bed.clients import Clients
from tests.bed.counts import count
from tests.bed.figures import note
from tests.bed.host import Guest, HostCase

KILLS = count(3, 200)
CLIENTS = 8
PORTS = 200
LATEST_KILL_SECONDS = 0.6
"""About as long as 200 creates take, so that kills come before, among and after them."""
ACTIVE_LIMIT_SECONDS = 15.0
"""Generous: the machine may be busy. What it took is noted."""
SEED = 20_240_501


class CrashTests(HostCase):
    """SIGKILL at random moments."""

    def setUp(self) -> None:
        """A VM that stays plugged through it all."""
        super().setUp()
        self.home = self.make_network("10.9.0.0/24")
        self.resident = self.plugged(self.home)
        self.chance = random.Random(SEED)
        self.slowest_seconds = 0.0
        self.answered = 0

    @pytest.mark.slow
    @pytest.mark.time_limit(120 + 20 * KILLS)
    def test_what_was_answered_is_there_and_what_is_plugged_is_active(self) -> None:
        """Every 201 is in the list of the next start, with its own addresses; VMs plugged meanwhile come to life."""
        for kill in range(KILLS):
            self.crash_once(kill)
        note(
            f"{KILLS} kills among {KILLS * PORTS} creates, {self.answered} answered: none lost; plugged ports ACTIVE "
            f"{self.slowest_seconds:.2f} s after the start at the latest"
        )
        self.assertGreater(self.answered, 0)

    def crash_once(self, kill: int) -> None:
        """Kill quantumd while ports are created, start it again, and look at what is there."""
        network = self.make_network(f"10.{100 + kill % 100}.0.0/16")
        newcomer = self.make_guest(self.home)
        clients = Clients(self.appliance.host, self.appliance.port, CLIENTS)
        bodies = [{"port": {"network_id": network["id"], "name": f"{kill}-{n}"}} for n in range(PORTS)]
        creating = threading.Thread(target=clients.post, args=("/v2.0/ports", bodies))
        creating.start()
        time.sleep(self.chance.uniform(0.0, LATEST_KILL_SECONDS))
        self.appliance.kill()
        self.ovs.plug(newcomer.vm)
        self.appliance.start()
        self.expect_active(newcomer)
        creating.join(ACTIVE_LIMIT_SECONDS)
        self.expect_all_there(network["id"], [reply.body["port"] for reply in clients.replies if reply.status == 201])
        self.assertEqual([reply for reply in clients.replies if reply.status != 201], [])
        self.ovs.remove_vm(newcomer.vm)

    def expect_active(self, newcomer: Guest) -> None:
        """The VM that stayed and the one that came are ACTIVE soon after the start, and reach each other."""
        for guest in (self.resident, newcomer):
            self.appliance.await_status(guest.id, "ACTIVE", ACTIVE_LIMIT_SECONDS)
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - self.appliance.started_at)
        newcomer.configure()
        self.assertTrue(self.resident.can_reach(newcomer.ip))

    def expect_all_there(self, network_id: str, created: list[dict[str, Any]]) -> None:
        """What clients were told is what the API now says, and no address is there twice."""
        listed = self.appliance.request("GET", f"/v2.0/ports?network_id={network_id}").body["ports"]
        by_id = {port["id"]: port for port in listed}
        for port in created:
            self.assertEqual(by_id.get(port["id"]), port)
        addresses = Counter(item["ip_address"] for port in listed for item in port["fixed_ips"])
        self.assertEqual([address for address, times in addresses.items() if times > 1], [])
        self.assertEqual(sum(addresses.values()), len(listed))
        self.answered += len(created)

"""Nova is not well, or quantumd dies: every event arrives, in order, and none again once it was acknowledged."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.nova.events import DELETED
from tests.bed.appliance import Appliance
from tests.bed.compute_api import BROKEN, CLOSES, HANGS, WELL, ComputeServer
from tests.bed.counts import is_soak
from tests.bed.figures import note
from tests.bed.keystone import missing_keystone, the_keystone

SERVERS = 6
PORTS = 240 if is_soak() else 60


class LossTests(SynchronousTestCase):
    """Ports of a few servers are deleted one after the other, each of which Nova must hear once."""

    skip = missing_keystone()

    def setUp(self) -> None:
        """A quantumd without a switch, which asks the real Keystone for its token, and many ports."""
        folder = tempfile.TemporaryDirectory(prefix="qd-nova-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        keystone = the_keystone()
        self.compute = ComputeServer()
        self.compute.start()
        self.addCleanup(self.compute.stop)
        settings = keystone.settings(keystone.make_user("service"), Path(folder.name) / "password")
        del settings["api.auth"]
        settings |= {"nova.enabled": "true", "nova.endpoint": self.compute.url, "nova.timeout_seconds": "1"}
        self.appliance = Appliance(Path(folder.name), settings=settings)
        self.addCleanup(self.appliance.close)
        self.appliance.start()
        self.servers = [str(uuid4()) for _ in range(SERVERS)]
        network = self.appliance.create("network", name="net")
        self.appliance.create("subnet", network_id=network["id"], ip_version=4, cidr="10.7.0.0/20")
        self.ports = [
            self.appliance.create("port", network_id=network["id"], device_id=server, device_owner="compute:nova")
            for server in self.servers * (PORTS // SERVERS)
        ]

    def delete(self, ports: Iterable[dict[str, Any]]) -> None:
        """Delete ports, in order."""
        for port in ports:
            answer = self.appliance.request("DELETE", f"/v2.0/ports/{port['id']}")
            self.assertEqual(answer.status, 204, answer.body)

    def await_everything(self, limit_seconds: float = 90.0) -> float:
        """Wait until Nova has acknowledged the end of every port; return the seconds."""
        wanted = {port["id"] for port in self.ports}
        return self.wait_until(lambda: wanted <= {event["tag"] for event in self.acknowledged()}, limit_seconds)

    def wait_until(self, is_so: Callable[[], bool], limit_seconds: float) -> float:
        """Wait; return the seconds."""
        began = time.monotonic()
        while not is_so():
            self.assertLess(time.monotonic() - began, limit_seconds, self.appliance.log()[-3000:])
            time.sleep(0.05)
        return time.monotonic() - began

    def acknowledged(self) -> list[dict[str, str]]:
        """Return the events about ports that are gone."""
        return [event for event in self.compute.api.acknowledged if event["name"] == DELETED]

    def repeated(self) -> int:
        """Return how many events were acknowledged more than once."""
        counted = Counter(event["tag"] for event in self.acknowledged())
        return sum(times - 1 for times in counted.values())

    def repeated_requests(self) -> int:
        """Return how many requests were acknowledged that had an event of one before."""
        known: set[str] = set()
        count = 0
        for events in self.compute.api.batches:
            tags = {event["tag"] for event in events if event["name"] == DELETED}
            count += not known.isdisjoint(tags)
            known |= tags
        return count

    def assert_order(self) -> None:
        """What each server heard first of its ports is in the order in which they were deleted."""
        for server in self.servers:
            heard = dict.fromkeys(event["tag"] for event in self.acknowledged() if event["server_uuid"] == server)
            self.assertEqual(list(heard), [port["id"] for port in self.ports if port["device_id"] == server])

    @pytest.mark.time_limit(300)
    def test_a_nova_that_is_ill(self) -> None:
        """It answers 500, hangs, closes connections and is away, in turn; nothing is lost, repeated or out of order."""
        pieces = [self.ports[start::5] for start in range(5)]
        self.ports = [port for piece in pieces for port in piece]
        for mood, piece in zip((WELL, BROKEN, HANGS, CLOSES, "away"), pieces, strict=True):
            if mood == "away":
                self.compute.stop()
            else:
                self.compute.api.mood = mood
            self.delete(piece)
            time.sleep(1.5)
        self.compute.api.mood = WELL
        self.compute.start()
        seconds = self.await_everything()
        self.assertEqual(self.repeated(), 0)
        self.assert_order()
        note(f"Nova was ill for {PORTS} changes: {len(self.compute.api.requests)} requests, told {seconds:.1f} s after")

    @pytest.mark.time_limit(300)
    def test_a_nova_that_is_away_holds_nobody_else(self) -> None:
        """Hosts are told as ever; how far Nova is behind is measured, and the log says why, once a try."""
        self.compute.stop()
        self.delete(self.ports[:1])
        self.wait_until(lambda: self.lag("nova") > 0.5, 20)
        self.assertEqual(self.lag("hosts"), 0)
        self.wait_until(lambda: "consumer nova cannot go on: Nova does not answer" in self.appliance.log(), 20)
        self.assertNotIn("Traceback", self.appliance.log())
        self.compute.start()
        self.delete(self.ports[1:])
        self.await_everything()
        self.wait_until(lambda: self.lag("nova") == 0, 20)
        self.assertEqual(self.repeated(), 0)

    def lag(self, consumer: str) -> float:
        """Return for how long a consumer has been behind."""
        return self.appliance.metrics()[f'quantumd_cursor_lag_seconds{{consumer="{consumer}"}}']

    @pytest.mark.time_limit(300)
    def test_quantumd_is_killed(self) -> None:
        """Again and again, at any moment: all is told, and of a death only the one request that was under way again."""
        kills = 12 if is_soak() else 4
        size = len(self.ports) // kills
        chance = random.Random(7)
        for number in range(kills):
            self.delete(self.ports[number * size : (number + 1) * size])
            time.sleep(chance.uniform(0.0, 0.2))
            self.appliance.kill()
            self.appliance.start()
        self.delete(self.ports[kills * size :])
        self.await_everything()
        self.assert_order()
        requests = len(self.compute.api.requests)
        repeated = self.repeated_requests()
        note(f"killed {kills} times during {PORTS} changes: {requests} requests to Nova, {repeated} of them again")
        self.assertLessEqual(repeated, kills)

    @pytest.mark.time_limit(300)
    def test_it_is_killed_when_nova_has_acknowledged(self) -> None:
        """A moment after each acknowledgement: nothing is told again."""
        for port in self.ports[:3]:
            heard = len(self.acknowledged())
            self.delete([port])
            self.wait_until(lambda heard=heard: len(self.acknowledged()) > heard, 20)  # type: ignore[misc]
            # The cursor's commit comes next; half a second is long for that, also on a busy machine.
            time.sleep(0.5)
            self.appliance.kill()
            self.appliance.start()
        self.delete(self.ports[3:])
        self.await_everything()
        self.assertEqual(self.repeated(), 0)

    @pytest.mark.time_limit(300)
    def test_it_is_stopped_while_nova_thinks(self) -> None:
        """A stop waits for the acknowledgement and writes it down: nothing is told again."""
        for _ in range(2):
            self.compute.api.delay_seconds = 0.6
            self.delete([self.ports[0]])
            self.wait_until(lambda: self.compute.api.is_asked, 20)
            self.appliance.stop()
            self.compute.api.delay_seconds = 0.0
            self.appliance.start()
            self.ports.append(self.ports.pop(0))
        done, self.ports = self.ports[-2:], self.ports[:-2]
        self.delete(self.ports)
        self.ports = done + self.ports
        self.await_everything()
        self.assertEqual(self.repeated(), 0)
        self.assert_order()

    @pytest.mark.time_limit(300)
    def test_moods_change_all_the_time(self) -> None:
        """Whatever comes in whatever order."""
        over = threading.Event()
        chance = random.Random(11)

        def change_moods() -> None:
            while not over.wait(chance.uniform(0.05, 0.4)):
                self.compute.api.mood = chance.choice((WELL, WELL, BROKEN, CLOSES, HANGS))
            self.compute.api.mood = WELL

        moods = threading.Thread(target=change_moods)
        moods.start()
        try:
            for port in self.ports:
                self.delete([port])
                time.sleep(0.05)
        finally:
            over.set()
            moods.join()
        self.await_everything()
        self.assertEqual(self.repeated(), 0)
        self.assert_order()

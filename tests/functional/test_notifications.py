"""Notifications of a running quantumd, over a real RabbitMQ, read by oslo.messaging and Ceilometer themselves."""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar

import pytest
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.notifications.outbox import WINDOW
from tests.bed.appliance import Appliance
from tests.bed.counts import count, is_soak
from tests.bed.figures import note
from tests.bed.notification_listener import SILENCE_SECONDS, Listener, missing_listener
from tests.bed.rabbitmq import PASSWORD
from tests.bed.rabbitmq_case import WithRabbitmq

WRITES_PER_SECOND = 100


class Writer:
    """Makes networks and renames the last one, ``WRITES_PER_SECOND`` in all, until it is stopped."""

    def __init__(self, appliance: Appliance) -> None:
        self.names: dict[str, list[str]] = defaultdict(list)
        self.writes = 0
        self.slowest = 0.0
        self._port = appliance.port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        began = time.monotonic()
        network_id = ""
        while not self._stop.is_set():
            name = f"n{self.writes}"
            if self.writes % 5 == 0:
                network_id = self._ask(connection, "POST", "/v2.0/networks", name)["id"]
            else:
                self._ask(connection, "PUT", f"/v2.0/networks/{network_id}", name)
            self.names[network_id].append(name)
            self.writes += 1
            time.sleep(max(0.0, began + self.writes / WRITES_PER_SECOND - time.monotonic()))
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, method: str, path: str, name: str) -> dict[str, Any]:
        asked = time.monotonic()
        body = json.dumps({"network": {"name": name}})
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        self.slowest = max(self.slowest, time.monotonic() - asked)
        if answer.status not in (200, 201):
            raise AssertionError(said)
        network: dict[str, Any] = json.loads(said)["network"]
        return network


class NotificationsCase(WithRabbitmq, SynchronousTestCase):
    """One broker for all tests of a class, and a quantumd on memory edges for each."""

    skip = missing_listener()
    settings: ClassVar[dict[str, str]] = {}

    def setUp(self) -> None:
        self._forget_other_tests()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        settings = {**self.server.settings(), "log.level": "debug", **self.settings}
        self.appliance = Appliance(Path(folder.name), settings=settings)
        self.appliance.start()
        self.addCleanup(self.appliance.kill)

    def _forget_other_tests(self) -> None:
        """Empty the queues: a listener that ends may leave one of its messages behind unacknowledged."""
        for name in self.server.control("list_queues", "name").split():
            if name.startswith("notifications."):
                self.server.control("purge_queue", name)

    def make(self, collection: str, member: str, **body: Any) -> dict[str, Any]:
        """Make one."""
        answer = self.appliance.request("POST", f"/v2.0/{collection}", {member: body})
        self.assertEqual(answer.status, 201, answer.body)
        made: dict[str, Any] = answer.body[member]
        return made

    def await_told(self, seconds: float = 60.0) -> None:
        """Wait until the broker has confirmed everything."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            text = str(self.appliance.request("GET", "/metrics").body)
            if 'quantumd_cursor_lag{consumer="notifications"} 0.0' in text:
                return
            time.sleep(0.1)
        self.fail("the consumer does not catch up")


class CeilometerTests(NotificationsCase):
    """What Ceilometer's own code makes of what we tell."""

    settings: ClassVar[dict[str, str]] = {"notifications.exists_seconds": "3"}

    def test_events_have_the_traits_that_ceilometer_looks_for(self) -> None:
        """Its published definitions find names, ids, and who asked, in everything that we tell."""
        network = self.make("networks", "network", name="caf\u00e9 \u65e5\u672c")
        subnet = self.make("subnets", "subnet", network_id=network["id"], cidr="10.0.0.0/24", ip_version=4, name="s")
        port = self.make("ports", "port", network_id=network["id"], name="p")
        self.appliance.request("PUT", f"/v2.0/ports/{port['id']}", {"port": {"name": "q"}})
        self.appliance.request("DELETE", f"/v2.0/ports/{port['id']}")
        self.await_told()
        time.sleep(4.0)
        heard = Listener(self.server, 16).heard()
        by_type = {each["event_type"]: each for each in heard}
        made = by_type["network.create.end"]
        self.assertEqual(made["publisher_id"], "network.host-a")
        self.assertEqual(made["payload"]["network"]["name"], network["name"])
        for member, view in (("network", network), ("subnet", subnet), ("port", port)):
            traits = by_type[f"{member}.create.end"]["traits"]
            self.assertEqual((traits["resource_id"], traits["name"]), (view["id"], view["name"]))
            self.assertEqual(traits["service"], "network.host-a")
            self.assertRegex(traits["request_id"], "^req-")
        self.assertEqual(by_type["port.update.end"]["traits"]["name"], "q")
        self.assertEqual(by_type["port.delete.end"]["payload"], {"port_id": port["id"]})
        self.assertEqual(by_type["network.exists"]["traits"]["resource_id"], network["id"])

    def test_the_password_of_the_broker_is_in_no_log(self) -> None:
        """Nor in anybody's list of processes; the log is that of a run at level debug."""
        self.make("networks", "network", name="n")
        self.await_told()
        self.assertNotIn(PASSWORD, self.appliance.log())
        command = Path(f"/proc/{self.appliance.pid}/cmdline").read_bytes()
        self.assertNotIn(PASSWORD.encode(), command)


class OutageTests(NotificationsCase):
    """The broker is away for a while and quantumd is written to."""

    @pytest.mark.time_limit(count(150, 400))
    def test_nothing_is_lost_or_out_of_order_or_told_twice_without_need(self) -> None:
        """60 s without a broker under 100 writes a second, in a soak; 5 s in any other run."""
        down = count(5, 60)
        with Writer(self.appliance) as writer:
            time.sleep(2.0)
            self.server.stop()
            time.sleep(down)
            began = time.monotonic()
            self.server.start()
            started = time.monotonic() - began
            time.sleep(2.0)
        self.await_told(120.0)
        caught_up = time.monotonic() - began
        expected = 2 * writer.writes
        # A broker that stops may keep what it has not confirmed: those come again, as few as listeners remember.
        repeats = int(self.server.control("list_queues", "messages").splitlines()[-1]) - expected
        heard = Listener(self.server, silence=3.0).heard()
        twice = len(heard) - len({each["metadata"]["message_id"] for each in heard})
        note(
            f"notifications: broker down {down + started:.0f} s, {writer.writes} writes,"
            f" slowest {writer.slowest:.2f} s, "
            f"{len(heard) - twice} of {expected} told, {repeats} repeats queued, {twice} of them heard,"
            f" all confirmed {caught_up:.0f} s after the broker's start began"
        )
        self.assertEqual(len(heard) - twice, expected)
        # oslo.messaging recognises no repeat that arrives while the first is still with its endpoint.
        self.assertLessEqual(twice, repeats)
        self.assertLessEqual(repeats, WINDOW)
        self._assert_order(heard, writer)

    def test_a_killed_broker_loses_nothing(self) -> None:
        """What was on its way may come twice, under the same id."""
        with Writer(self.appliance) as writer:
            time.sleep(2.0)
            self.server.kill()
            time.sleep(1.0)
            self.server.start()
            time.sleep(1.0)
        self.await_told(120.0)
        heard = Listener(self.server, silence=3.0 if not is_soak() else SILENCE_SECONDS).heard()
        self.assertEqual(len({each["metadata"]["message_id"] for each in heard}), 2 * writer.writes)
        self._assert_order(heard, writer)

    def test_a_killed_daemon_loses_nothing(self) -> None:
        """What it had told and not written down comes again under the same ids."""
        with Writer(self.appliance) as writer:
            time.sleep(2.0)
        self.appliance.kill()
        self.appliance.start()
        self.await_told()
        heard = Listener(self.server, silence=3.0).heard()
        self.assertEqual(len({each["metadata"]["message_id"] for each in heard}), 2 * writer.writes)

    def _assert_order(self, heard: list[dict[str, Any]], writer: Writer) -> None:
        names: dict[str, list[str]] = defaultdict(list)
        seen = set()
        for each in heard:
            if each["event_type"].endswith(".end") and each["metadata"]["message_id"] not in seen:
                seen.add(each["metadata"]["message_id"])
                network = each["payload"]["network"]
                names[network["id"]].append(network["name"])
        self.assertEqual(names, writer.names)

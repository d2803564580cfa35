"""Streams of events from a real process."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance
from tests.bed.event_client import Curl, EventClient
from tests.bed.keystone import missing_keystone, the_keystone
from tests.bed.needs import missing

ALICE = {"X-Project-Id": "alice", "X-Roles": "member"}
BOB = {"X-Project-Id": "bob", "X-Roles": "member"}


class StreamCase(SynchronousTestCase):
    """A quantumd on memory edges."""

    def setUp(self) -> None:
        """Start it."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-events-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.appliance = Appliance(self.home)
        self.addCleanup(self.appliance.close)
        self.appliance.start()

    def make(self, name: str, headers: dict[str, str] = ALICE) -> str:
        """Make a network; return its id."""
        answer = self.appliance.request("POST", "/v2.0/networks", {"network": {"name": name}}, headers)
        self.assertEqual(answer.status, 201, answer.body)
        return str(answer.body["network"]["id"])

    def listen(self, headers: dict[str, str] = ALICE, query: str = "") -> EventClient:
        """Begin to listen."""
        client = EventClient(self.appliance.host, self.appliance.port, headers, query)
        self.addCleanup(client.close)
        client.start()
        return client


class CurlTests(StreamCase):
    """curl -N."""

    skip = missing("curl", root=False)

    def curl(self, *options: str, query: str = "") -> Curl:
        """Open a stream as Alice."""
        words = tuple(word for name, text in ALICE.items() for word in ("--header", f"{name}: {text}"))
        curl = Curl(f"{self.appliance.url}/v2.0/events{query}", (*words, *options))
        self.addCleanup(curl.close)
        curl.start()
        return curl

    def test_a_change_is_there_at_once(self) -> None:
        """And those of others are not."""
        curl = self.curl()
        self.make("theirs", BOB)
        network_id = self.make("mine")
        event = curl.next()
        self.assertEqual((event.name, event.data["resource_id"]), ("network.create", network_id))
        self.assertNotIn("provider:network_type", event.data["after"])

    def test_what_was_missed_comes_first(self) -> None:
        """With the header that names the last event."""
        ids = [self.make("a"), self.make("b"), self.make("c")]
        curl = self.curl("--header", "Last-Event-ID: 1")
        self.assertEqual([curl.next().data["resource_id"] for _ in range(2)], ids[1:])

    def test_a_stop_ends_the_stream_gently(self) -> None:
        """curl gets its last chunk, and the stop takes no longer for it."""
        curl = self.curl()
        stopped = threading.Thread(target=self.appliance.stop)
        began = time.monotonic()
        stopped.start()
        self.assertEqual(curl.end(), 0)
        stopped.join()
        self.assertLess(time.monotonic() - began, 8.0)


class ResumeTests(StreamCase):
    """Restarts under way."""

    def test_restarts_lose_and_repeat_nothing(self) -> None:
        """Neither gentle ones nor a kill; every change is heard once, in order."""
        client, stranger = self.listen(), self.listen(BOB)
        made = [self.make(f"before-{number}") for number in range(5)]
        for how in ("stop", "kill", "stop"):
            getattr(self.appliance, how)()
            self.appliance.launch()
            made += [self.make(f"{how}-{number}") for number in range(20)]
        client.wait(lambda: len(client.heard) >= len(made))
        heard = [each.data["resource_id"] for each in client.heard if each.name == "network.create"]
        self.assertEqual(heard, made)
        self.assertEqual(stranger.heard, [])

    def test_a_client_that_stops_reading_is_cut(self) -> None:
        """Its connection holds nothing for long, and others hear on."""
        self.appliance.close()
        self.appliance = Appliance(self.home, settings={"api.event_stalled_seconds": "1.0"})
        self.addCleanup(self.appliance.close)
        self.appliance.start()
        listener = self.listen()
        deaf = self.deaf()
        streams = "quantumd_event_streams"
        self.assertEqual(self.appliance.metrics()[streams], 2.0)
        deadline = time.monotonic() + 60
        count = 0
        while self.appliance.metrics()[streams] == 2.0 and time.monotonic() < deadline:
            body = {"networks": [{"description": "x" * 250}] * 200}
            self.appliance.request("POST", "/v2.0/networks", body, ALICE, 60)
            count += 200
        self.assertEqual(self.appliance.metrics()[streams], 1.0)
        listener.wait(lambda: len(listener.heard) >= count)
        deaf.close()

    def deaf(self) -> socket.socket:
        """Ask for events and read none of them."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect((self.appliance.host, self.appliance.port))
        lines = ["GET /v2.0/events HTTP/1.1", "Host: x", *(f"{name}: {text}" for name, text in ALICE.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        connection.recv(100)
        self.addCleanup(connection.close)
        return connection


class TokenTests(SynchronousTestCase):
    """Callers whom a Keystone knows."""

    skip = missing_keystone()

    def test_a_stream_ends_with_its_token(self) -> None:
        """And another one is not opened with it."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-events-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        home, keystone = Path(folder.name), the_keystone()
        asked = keystone.settings(keystone.make_user("service"), home / "password")
        more = {"keystone.token_cache_seconds": "1.0", "api.event_heartbeat_seconds": "1.0"}
        appliance = Appliance(home, settings={**asked, **more})
        self.addCleanup(appliance.close)
        appliance.start("/healthz")
        token = keystone.token(keystone.make_user("member"))
        client = EventClient(appliance.host, appliance.port, {"X-Auth-Token": token})
        self.addCleanup(client.close)
        client.start()
        answer = appliance.request("POST", "/v2.0/networks", {"network": {}}, {"X-Auth-Token": token})
        client.wait(lambda: len(client.heard) == 1)
        self.assertEqual(client.heard[0].data["resource_id"], answer.body["network"]["id"])
        keystone.revoke_token(token)
        client.wait(lambda: 401 in client.opened)

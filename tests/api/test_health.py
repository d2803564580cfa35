"""What a process that serves no API tells of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.health import Health
from quantumd.api.health_service import CONNECTIONS, LIFE_SECONDS, HealthSite, make_health_service
from quantumd.errors import SettingsError
from quantumd.metrics import Metrics
from tests.api.wire import Reply, parse_replies


class Transport(StringTransportWithDisconnection):
    """Can be cut."""

    def abortConnection(self) -> None:
        """Cut it."""
        self.loseConnection()


class HealthTests(SynchronousTestCase):
    """An endpoint of a role that waits for its records."""

    def setUp(self) -> None:
        """Serve."""
        self.clock = Clock()
        self.waiting: list[str] = ["role l2: its records"]
        self.site = HealthSite(Health(self.waits_for, Metrics(), self.clock))

    async def waits_for(self) -> Sequence[str]:
        """Return what is waited for."""
        return self.waiting

    def connect(self) -> Transport:
        """Return the transport of a new connection."""
        channel: Any = self.site.buildProtocol(None)
        transport = Transport()
        transport.protocol = channel
        channel.makeConnection(transport)
        self.addCleanup(lambda: transport.connected and transport.loseConnection())
        return transport

    def ask(self, path: str, method: str = "GET", more: str = "") -> Reply:
        """Make a request."""
        transport = self.connect()
        transport.protocol.dataReceived(f"{method} {path} HTTP/1.1\r\nHost: h\r\n{more}\r\n".encode())
        return parse_replies(transport.value())[0]

    def test_it_tells_that_it_lives_and_what_it_waits_for(self) -> None:
        """As an API process does."""
        self.assertEqual(self.ask("/healthz").json, {"status": "alive"})
        waiting = self.ask("/readyz")
        self.assertEqual(waiting.status, 503)
        self.assertEqual(waiting.json, {"status": "waiting", "waiting_for": ["role l2: its records"]})
        self.waiting.clear()
        self.assertEqual(self.ask("/readyz").status, 200)

    def test_it_tells_what_is_measured(self) -> None:
        """In the format that Prometheus reads."""
        self.assertIn(b"quantumd_lag_seconds", self.ask("/metrics").body)

    def test_nothing_else_is_there(self) -> None:
        """Neither the API nor another method."""
        self.assertEqual(self.ask("/v2.0/networks").status, 404)
        refused = [self.ask("/healthz", method).status for method in ("POST", "PUT", "DELETE")]
        self.assertEqual(refused, [405, 405, 405])
        head = self.ask("/healthz", "HEAD")
        self.assertEqual(head.status, 200)

    def test_no_body_is_read(self) -> None:
        """However it is announced."""
        self.assertEqual(self.ask("/healthz", "GET", "Content-Length: 1\r\n").status, 413)
        self.assertEqual(self.ask("/healthz", "GET", f"X: {'x' * 20_000}\r\n").status, 431)

    def test_a_connection_is_for_one_request(self) -> None:
        """So few are enough."""
        self.assertEqual(self.ask("/healthz").headers["connection"], "close")

    def test_who_is_slow_is_cut(self) -> None:
        """Whatever comes meanwhile."""
        slow = self.connect()
        for _ in range(int(LIFE_SECONDS)):
            slow.protocol.dataReceived(b"GET /healthz HTTP/1.1\r\nX: y\r\n"[:1])
            self.clock.advance(1)
        self.assertFalse(slow.connected)

    def test_connections_are_few(self) -> None:
        """Who keeps them open takes nobody else's memory."""
        for _ in range(CONNECTIONS):
            self.connect()
        self.assertIsNone(self.site.buildProtocol(None))


class EndpointTests(SynchronousTestCase):
    """The setting."""

    def test_what_is_no_endpoint_stops_the_start(self) -> None:
        """The error names the setting."""
        for listen in ("9697", "tcp:x", "ssl:9697", "systemd:domain=INET", "tcp"):
            error = self.assertRaises(
                SettingsError, make_health_service, listen, "l2.health_listen", Health(_ready, Metrics(), Clock())
            )
            self.assertIn("l2.health_listen", str(error))


async def _ready() -> Sequence[str]:
    return ()

"""How the service ends: nobody is cut off."""

from __future__ import annotations

import socket
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.site import FINISH_SECONDS, ApiService, endpoint_for, passed_descriptor
from quantumd.config import ApiSettings
from quantumd.errors import SettingsError
from tests.api.wire import Wire, parse_replies

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@define
class _Port:
    """A listening port that is only told to stop."""

    is_listening: bool = True

    def stopListening(self) -> Deferred[None]:
        """Stop."""
        self.is_listening = False
        return succeed(None)

    def getHost(self) -> str:
        """Where it listens."""
        return "here"


@define
class _Endpoint:
    """An endpoint that listens on ``port``."""

    port: _Port = field(factory=_Port)

    def listen(self, factory: Any) -> Deferred[Any]:
        """Listen."""
        return succeed(self.port)


def _advance(clock: Clock, seconds: float) -> None:
    clock.pump([0.02] * round(seconds / 0.02))


class DrainTests(SynchronousTestCase):
    """Connections when the service stops."""

    def setUp(self) -> None:
        """Serve, with a drain of two seconds."""
        self.wire = Wire()
        endpoint: Any = _Endpoint()
        self.port = endpoint.port
        self.service = ApiService(self.wire.clock, endpoint, self.wire.site, 2.0)
        self.service.startService()

    def test_without_connections_the_stop_is_at_once(self) -> None:
        """Nothing is waited for when nobody is there."""
        self.successResultOf(self.service.stopService())
        self.assertFalse(self.port.is_listening)

    def test_the_next_request_on_a_kept_connection_is_the_last(self) -> None:
        """A request during the drain is answered and told that the connection ends."""
        channel, transport = self.wire.connect()
        channel.dataReceived(GET)
        stopped = self.service.stopService()
        transport.clear()
        channel.dataReceived(GET)
        reply = parse_replies(transport.value())[0]
        self.assertEqual((reply.status, reply.headers["connection"]), (200, "close"))
        _advance(self.wire.clock, 0.1)
        self.successResultOf(stopped)

    def test_idle_connections_are_kept_for_the_drain(self) -> None:
        """A connection on which nobody asks is closed when the drain is over, and not before."""
        _, transport = self.wire.connect()
        stopped = self.service.stopService()
        _advance(self.wire.clock, 1.9)
        self.assertTrue(transport.connected)
        _advance(self.wire.clock, 0.3)
        self.assertFalse(transport.connected)
        self.successResultOf(stopped)

    def test_requests_under_way_are_finished(self) -> None:
        """A request that takes longer than the drain is answered."""
        waiting: Deferred[tuple[str, ...]] = Deferred()

        async def slow() -> Any:
            return await waiting

        wire = Wire(readiness=slow)
        endpoint: Any = _Endpoint()
        service = ApiService(wire.clock, endpoint, wire.site, 1.0)
        service.startService()
        channel, transport = wire.connect()
        channel.dataReceived(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        stopped = service.stopService()
        _advance(wire.clock, 1.5)
        waiting.callback(())
        reply = parse_replies(transport.value())[0]
        self.assertEqual((reply.status, reply.headers["connection"]), (200, "close"))
        _advance(wire.clock, 0.1)
        self.successResultOf(stopped)

    def test_streams_are_ended_before_the_drain(self) -> None:
        """What would never end by itself holds no stop."""
        told: list[bool] = []
        endpoint: Any = _Endpoint()
        service = ApiService(
            self.wire.clock, endpoint, self.wire.site, 2.0, lambda: told.append(endpoint.port.is_listening)
        )
        service.startService()
        self.successResultOf(service.stopService())
        self.assertEqual(told, [False])

    def test_the_stop_has_a_time_limit(self) -> None:
        """A request whose body never comes does not hold the stop for ever."""
        channel, transport = self.wire.connect()
        channel.dataReceived(b"POST /v2.0/widgets HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
        stopped = self.service.stopService()
        _advance(self.wire.clock, 2.0 + FINISH_SECONDS + 0.2)
        self.assertFalse(transport.connected)
        self.successResultOf(stopped)


class PassedSocketTests(SynchronousTestCase):
    """Sockets that systemd passes."""

    def test_no_variables_no_socket(self) -> None:
        """Without LISTEN_FDS the endpoint of the settings is used."""
        self.assertIsNone(passed_descriptor(Clock(), {}))

    def test_a_socket_without_a_process_id_is_taken(self) -> None:
        """A parent need not know our process id."""
        self.assertEqual(passed_descriptor(Clock(), {"LISTEN_FDS": "1"}), 3)

    def test_somebody_elses_socket_is_not_taken(self) -> None:
        """Variables that name another process are not for us."""
        self.assertIsNone(passed_descriptor(Clock(), {"LISTEN_FDS": "1", "LISTEN_PID": "1"}))

    def test_an_open_socket_is_refused(self) -> None:
        """A passed socket that other machines reach is refused without authentication."""
        with socket.create_server(("0.0.0.0", 0)) as passed:
            error = self.assertRaises(SettingsError, endpoint_for, Clock(), ApiSettings(), passed.fileno())
        self.assertIn("everybody", str(error))

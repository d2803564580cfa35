"""An open TCP connection between two VMs while something else happens: every byte comes back, nothing resets it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from attrs import define, field

from tests.bed.host import Guest
from tests.bed.load import Stream
from tests.bed.wire import inside

PORT = 5001
_MESSAGE_BYTES = 64
_STRAGGLER_SECONDS = 30.0


@define(eq=False)
class TcpStream(Stream):
    """Messages over one connection, each sent back by the other VM; ``fault`` says what ended it before its block."""

    source: Guest = field(kw_only=True)
    target: Guest = field(kw_only=True)
    sent: int = field(default=0, init=False)
    returned: int = field(default=0, init=False)
    fault: str = field(default="", init=False)

    def _run(self) -> None:
        server = inside(self.target.vm.namespace, lambda: socket.create_server(("", PORT)))
        echo = threading.Thread(target=_echo, args=(server,), daemon=True)
        echo.start()
        try:
            self._talk()
        except OSError as error:
            self.fault = str(error) or type(error).__name__
        finally:
            server.close()
            echo.join(_STRAGGLER_SECONDS)

    def _talk(self) -> None:
        with inside(self.source.vm.namespace, self._connect) as connection:
            for due in self._beats():
                for _ in range(due):
                    connection.sendall(self.sent.to_bytes(_MESSAGE_BYTES, "big"))
                    self.sent += 1
                self._take(connection)
            connection.settimeout(_STRAGGLER_SECONDS)
            while self.returned < self.sent:
                self._take(connection)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self.target.ip, PORT), timeout=10.0)
        connection.settimeout(0.001)
        return connection

    def _take(self, connection: socket.socket) -> None:
        """Take one message that came back, if one is there, in the order in which they were sent."""
        with contextlib.suppress(TimeoutError):
            first = connection.recv(_MESSAGE_BYTES)
            if not first:
                raise ConnectionResetError("the connection was closed")
            rest = b""
            deadline = time.monotonic() + _STRAGGLER_SECONDS
            while len(first + rest) < _MESSAGE_BYTES and time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError):
                    rest += connection.recv(_MESSAGE_BYTES - len(first + rest))
            if first + rest != self.returned.to_bytes(_MESSAGE_BYTES, "big"):
                raise ConnectionError("another message came back than was sent")
            self.returned += 1


def _echo(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

"""A TCP connection between VMs, whose server says by which address it knows the client. Needs root."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

from attrs import define, field

from tests.bed.host import Guest
from tests.bed.wire import inside

PORT = 5002
_LIMIT_SECONDS = 10.0
_CHUNK = 256


@define(eq=False)
class Server:
    """Answers every message of every connection with the address that it comes from."""

    guest: Guest
    port: int = PORT
    _listening: socket.socket = field(init=False)
    _open: list[socket.socket] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        """Listen from now on, for IPv4 and IPv6."""
        self._listening = inside(self.guest.vm.namespace, self._listen)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    @property
    def connections(self) -> int:
        """How many came so far."""
        return len(self._open)

    def _listen(self) -> socket.socket:
        return socket.create_server(("", self.port), family=socket.AF_INET6, dualstack_ipv6=True)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, peer = self._listening.accept()
                self._open.append(connection)
                name = peer[0].removeprefix("::ffff:").encode()
                threading.Thread(target=_answer, args=(connection, name), daemon=True).start()


def _answer(connection: socket.socket, name: bytes) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(_CHUNK):
            connection.sendall(name)


@define(eq=False)
class Talk:
    """A connection from a VM to an address."""

    client: Guest
    address: str
    port: int = PORT
    _connection: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Connect. OSError."""
        self._connection = inside(
            self.client.vm.namespace, lambda: socket.create_connection((self.address, self.port), _LIMIT_SECONDS)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def seen_as(self, seconds: float = 5.0) -> str:
        """Say something; return by which address the server knows the client, '' when no answer comes in time."""
        self._connection.settimeout(seconds)
        try:
            self._connection.sendall(b"who am I?")
            return self._connection.recv(_CHUNK).decode()
        except OSError:
            return ""

"""A wire to a server that can be cut at the worst moment."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Enum

from attrs import define, field

_CHUNK = 65536
_COMMITS = (b"\x03COMMIT", b"COMMIT\x00")
"""How the packet ends in which MariaDB's and PostgreSQL's clients commit."""


class Cut(Enum):
    """When the wire is cut: before a commit arrives, or after it arrived and before it is answered."""

    BEFORE_COMMIT = "before"
    AFTER_COMMIT = "after"


@define(eq=False)
class Wire:
    """Listens on a loopback port of its own and passes on what is said to a server on ``port`` and back.

    While ``is_broken`` it refuses.
    """

    port: int
    cut: Cut | None = None
    """Set to cut the connection on which the next commit comes; None again when that is done."""
    cuts: int = field(default=0, init=False)
    is_broken: bool = False
    _listener: socket.socket = field(init=False)
    _sockets: list[socket.socket] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def own_port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def break_all(self) -> None:
        """End all that is connected and refuse from now on."""
        self.is_broken = True
        for each in self._sockets:
            _end(each)

    def close(self) -> None:
        """Stop listening and end all that is connected."""
        _end(self._listener)
        self.break_all()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.is_broken:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.port))
                self._sockets += [client, server]
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while said := client.recv(_CHUNK):
                if self.cut is not None and said.endswith(_COMMITS):
                    self._cut(client, server, said)
                    return
                server.sendall(said)
        _end(client, server)

    def _cut(self, client: socket.socket, server: socket.socket, said: bytes) -> None:
        kind, self.cut = self.cut, None
        self.cuts += 1
        if kind is Cut.AFTER_COMMIT:
            # Nothing comes back: the client's end is closed for writing to it before the server hears of the commit.
            _end(client)
            server.sendall(said)
            with suppress(OSError):
                server.settimeout(2.0)
                server.recv(_CHUNK)
        _end(client, server)


def _pass_on(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while said := server.recv(_CHUNK):
            client.sendall(said)
    _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

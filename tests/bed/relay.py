"""A port of this machine's loopback, also to be had in another network namespace. Needs root."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from attrs import define, field

from tests.bed.wire import inside

_LIMIT_SECONDS = 10.0
_CHUNK = 65_536


@define(eq=False)
class Relay:
    """Takes connections in the namespace and passes what they say to the same port here, and back."""

    namespace: str
    port: int
    _listening: socket.socket = field(init=False)
    _open: list[socket.socket] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        """Listen from now on."""
        self._listening = inside(self.namespace, lambda: socket.create_server(("127.0.0.1", self.port)))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End it, with all connections."""
        for each in (self._listening, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._open.append(near)
                far = socket.create_connection(("127.0.0.1", self.port), _LIMIT_SECONDS)
                far.settimeout(None)
                self._open.append(far)
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=ends, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
